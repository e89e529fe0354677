"""Starts a backend on ports of its own and stops it again."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import tempfile
import time

import catalogue
import wire
from install import HERE
from places import ADMIN_BELOW, ADMIN_X, BLANK, BUERO, PLAIN, PUBLIC, REPORT, SECRET, marker, served
from ports import free_ports
from problem import Problem

FILES = {
    "admin/index.html": ADMIN_BELOW,
    "files/secret": SECRET,
    "files/public/x": PUBLIC,
    "files/a b": BLANK,
    "report.pdf": REPORT,
    "büro": BUERO,
    "admin/x": ADMIN_X,
}
"""The places as files. What is below /admin as a file has other spellings than /admin, so it tells itself as that."""

PATIENCE = 60


class Running:
    """A backend that runs; `with Running(backend) as running` stops it at the end."""

    def __init__(self, backend: catalogue.Backend):
        self.backend = backend
        self._folder = tempfile.TemporaryDirectory(prefix="backend-")
        folder = pathlib.Path(self._folder.name)
        # Servers that drop the rights of root read the files as somebody else.
        folder.chmod(0o755)
        files, scratch = folder / "files", folder / "scratch"
        scratch.mkdir(mode=0o777)
        for name, place in FILES.items():
            (files / name).parent.mkdir(parents=True, exist_ok=True)
            (files / name).write_text(marker(place))
        port, port_http2 = free_ports(2)
        variables = {
            "PORT": str(port),
            "PORT_HTTP2": str(port_http2),
            "FILES": str(files),
            "SCRATCH": str(scratch),
            "HERE": str(HERE),
        }
        self.port = port
        self.port_http2 = int(variables[backend.http2]) if backend.http2 else None
        self.log = folder / "log"
        self._processes = []
        try:
            with self.log.open("wb") as log:
                for command in backend.commands(variables):
                    self._processes.append(
                        subprocess.Popen(
                            [str(word) for word in command],
                            stdin=subprocess.DEVNULL,
                            stdout=log,
                            stderr=log,
                            cwd=scratch,
                            env=catalogue.environment(backend, variables),
                            start_new_session=True,
                        )
                    )
            self.places = self._wait()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the backend and removes its files."""
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._folder.cleanup()

    def _wait(self) -> set[str]:
        """Waits until plain paths are served, and says which places are: each backend has its own way with some."""
        targets = [path.encode() for path in PLAIN.values()] + [b"/admin/"]
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and all(process.poll() is None for process in self._processes):
            try:
                answers = wire.ask_http1(self.port, targets, connections=1, depth=1)
            except wire.Unreachable:
                time.sleep(0.1)
                continue
            places = {place for answer in answers if answer and (place := served(answer.body))}
            if {SECRET, PUBLIC, REPORT} <= places:
                return places
            time.sleep(0.3)
        raise Problem(
            f"{self.backend.name} does not serve its places; it said:\n{self.log.read_text(errors='replace')[-2000:]}"
        )
