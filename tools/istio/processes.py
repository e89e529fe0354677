"""Servers that run in the background, each with a log, and waiting for them."""

import os
import subprocess
import time

from problem import Problem
from project import LOGS


class Processes:
    """The servers of one run. The PID namespace ends them; see sandbox.py."""

    def __init__(self):
        self._running = {}

    def start(self, name, command, *, pod=None, environment=None, directory=None):
        """Start a server, in the network namespace of a pod if one is named."""
        if pod:
            command = ["ip", "netns", "exec", pod, *command]
        with log_of(name).open("w") as log:
            self._running[name] = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=directory,
                env={**os.environ, **(environment or {})},
            )

    def stop(self, name):
        """End a server as a kubelet would, and wait for it."""
        process = self._running.pop(name)
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def wait_until(self, what, check, seconds):
        """Poll until check() is true; a server that ended meanwhile, or time up, is a Problem."""
        deadline = time.monotonic() + seconds
        while not check():
            for name, process in self._running.items():
                if process.poll() is not None:
                    raise Problem(f"{name} ended with code {process.returncode}; see {log_of(name)}")
            if time.monotonic() > deadline:
                raise Problem(f"{what} was not so within {seconds} s; see the logs in {LOGS}")
            time.sleep(0.1)


def log_of(name):
    """The log file of a server."""
    return LOGS / f"{name}.log"
