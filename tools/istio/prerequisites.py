"""What the machine has to have, checked before anything is built or started."""

import shutil
import subprocess
import sys

import sandbox
from project import Problem

# Command, and the Debian package that brings it.
COMMANDS = {
    "bash": "bash",
    "curl": "curl",
    "docker-registry": "docker-registry",
    "etcd": "etcd-server",
    "ip": "iproute2",
    "make": "make",
    "openssl": "openssl",
    "sed": "sed",
    "unshare": "util-linux",
}

# The oldest Go that Istio's and Kubernetes' modules build with.
OLDEST_GO = (1, 26)
GO_CURE = "Go 1.26 or newer is needed: https://go.dev/doc/install (Debian's own may be older)"


def check():
    """Raise a Problem that names all that is missing and how to install it."""
    lacking = []
    missing = [name for name in COMMANDS if shutil.which(name) is None]
    if missing:
        packages = " ".join(COMMANDS[name] for name in missing)
        lacking.append(f"not installed: {', '.join(missing)}; on Debian and Ubuntu: apt-get install {packages}")
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode:
        lacking.append("Python has no pip; on Debian and Ubuntu: apt-get install python3-pip")
    if shutil.which("go") is None or go_version() < OLDEST_GO:
        lacking.append(GO_CURE)
    if not {"ip", "unshare"} & set(missing):
        reason = sandbox.obstacle()
        if reason:
            lacking.append(
                f"namespaces cannot be made here ({reason}); run it as root, in a container with --privileged"
            )
    if lacking:
        raise Problem("this machine is not ready for make istio:\n  - " + "\n  - ".join(lacking))


def go_version():
    """The version of the Go command, (major, minor); (0, 0) if it does not say."""
    said = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True).stdout
    numbers = said.strip().replace("go", "", 1).split(".")
    return tuple(int(n) for n in numbers[:2]) if numbers[0].isdigit() else (0, 0)
