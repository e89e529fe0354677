#!/usr/bin/env python3
"""Says which of the named programs are missing on this machine, and how to install each.

    python3 tools/needs.py go docker-registry skopeo

Ends with 1 if one is missing, so that a long run stops before it begins.
"""

import re
import shutil
import subprocess
import sys

INSTALL = {
    "cargo-cyclonedx": "cargo install --locked cargo-cyclonedx@0.5.9",
    "cargo-deny": "cargo install --locked cargo-deny@0.20.2",
    "cosign": "go install github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3 (from source: some ten minutes on two cores), or a package of your system",
    "docker-registry": "apt-get install docker-registry (Debian, Ubuntu)",
    "git": "apt-get install git",
    "go": "https://go.dev/doc/install, 1.26 or newer (Debian's own may be older)",
    "htpasswd": "apt-get install apache2-utils (Debian, Ubuntu)",
    "rustup": "https://rustup.rs",
    "skopeo": "apt-get install skopeo (Debian, Ubuntu), brew install skopeo (macOS)",
}
# The oldest Go that Istio's module builds with.
OLDEST_GO = (1, 26)


def too_old(program: str) -> str:
    if program != "go":
        return ""
    said = subprocess.run(["go", "version"], text=True, capture_output=True).stdout
    version = re.search(r"go(\d+)\.(\d+)", said)
    if version and tuple(map(int, version.groups())) >= OLDEST_GO:
        return ""
    return f"go is too old ({said.strip() or 'no version'})"


def main(programs: list[str]) -> int:
    missing = []
    for program in programs:
        trouble = "" if shutil.which(program) else f"{program} is missing"
        trouble = trouble or too_old(program)
        if trouble:
            missing.append(f"{trouble}: {INSTALL[program]}")
    print("".join(f"{line}\n" for line in missing), end="", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
