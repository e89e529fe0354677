"""Holds docs/dependencies.md against the crates that are linked into the module: each has a line that says why."""

import re
import subprocess

import problem
from packages import ROOT
from problem import Problem

TARGET = "wasm32-wasip1"
DOCUMENT = ROOT / "docs" / "dependencies.md"
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \|", re.MULTILINE)


def crates():
    """Name and version of everything that is linked into the module, the module itself too."""
    options = ["--locked", "--edges", "normal", "--target", TARGET, "--prefix", "none", "--no-dedupe"]
    said = subprocess.run(["cargo", "tree", *options], cwd=ROOT, text=True, capture_output=True)
    if said.returncode:
        raise Problem(f"cargo tree failed: {said.stderr.strip()}")
    return {
        (name, version.removeprefix("v")) for name, version in (line.split()[:2] for line in said.stdout.splitlines())
    }


def main():
    linked = {name for name, _ in crates()} - {"basic_auth"}
    # The second table of the page is of parts, not of crates.
    crates_of_page, _, _ = DOCUMENT.read_text().partition("\n## ")
    explained = {name for name, reason in ROW.findall(crates_of_page) if reason.strip()}
    complaints = [f"does not say why {name} is there" for name in sorted(linked - explained)]
    complaints += [f"explains {name}, which is not in the module" for name in sorted(explained - linked)]
    if complaints:
        raise Problem(f"{DOCUMENT.relative_to(ROOT)} " + ", and ".join(complaints))
    print(f"{DOCUMENT.relative_to(ROOT)}: {len(linked)} crates, each with its reason")


if __name__ == "__main__":
    problem.run("dependencies", main)
