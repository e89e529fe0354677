"""Says which of the named programs are missing on this machine, and how to install each.

    python3 tools/needs.py go docker-registry skopeo

Ends with 1 if one is missing, so that a long run stops before it begins.
"""

import re
import shutil
import subprocess
import sys

import problem
from packages import ROOT, numbers
from problem import Problem

DEBIAN = {
    "bash": "bash",
    "chromium": "chromium",
    "curl": "curl",
    "docker-registry": "docker-registry",
    "etcd": "etcd-server",
    "git": "git",
    "htpasswd": "apache2-utils",
    "ip": "iproute2",
    "make": "make",
    "nginx": "nginx-light",
    "openssl": "openssl",
    "sed": "sed",
    "skopeo": "skopeo",
    "unshare": "util-linux",
    "wget": "wget",
}
"""Programs, and the packages of Debian and Ubuntu that bring them."""

OLDEST_GO = re.search(r"^GO=(\S+)$", (ROOT / "tools" / "versions.env").read_text(), re.MULTILINE)[1]


def missing(*programs):
    """One sentence for each program that is missing."""
    for program in programs:
        if program == "go":
            yield from _missing_go()
        elif program == "cosign" and shutil.which("cosign") is None:
            # From source it takes some ten minutes on two cores.
            yield "cosign is missing: go install -C tools/go github.com/sigstore/cosign/v3/cmd/cosign"
        elif shutil.which(program) is None:
            yield f"{program} is missing: apt-get install {DEBIAN[program]} (Debian, Ubuntu)"


def _missing_go():
    cure = f"https://go.dev/doc/install, {OLDEST_GO} or newer (Debian's own may be older)"
    if shutil.which("go") is None:
        yield f"go is missing: {cure}"
        return
    said = subprocess.run(["go", "env", "GOVERSION"], text=True, capture_output=True).stdout.strip()
    if numbers(said) < numbers(OLDEST_GO):
        yield f"go is too old ({said or 'no version'}): {cure}"


def check(*programs):
    """Fails with all that is missing."""
    if lacking := list(missing(*programs)):
        raise Problem("\n".join(lacking))


if __name__ == "__main__":
    problem.run("needs", check, *sys.argv[1:])
