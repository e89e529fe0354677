#!/usr/bin/env python3
"""Holds docs/dependencies.md against the crates that are linked into the module.

Without an argument: fails if the tree in the document is not `cargo tree`'s, or if a crate
has no line that says why it is there, or a line is left for one that is gone.
With --write: puts today's tree into the document; the reasons stay a person's work.
"""

import re
import subprocess
import sys
from pathlib import Path

TARGET = "wasm32-wasip1"
DOCUMENT = Path("docs/dependencies.md")
TREE = re.compile(r"(<!-- tree -->\n```text\n).*?(```\n<!-- /tree -->)", re.DOTALL)
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \|", re.MULTILINE)


def cargo_tree(*options: str) -> str:
    said = subprocess.run(
        ["cargo", "tree", "--locked", "--edges", "normal", "--target", TARGET, *options], text=True, capture_output=True
    )
    if said.returncode:
        sys.exit(f"cargo tree failed: {said.stderr.strip()}")
    return said.stdout


def crates() -> set[tuple[str, str]]:
    """Name and version of everything that is linked into the module, the module itself too."""
    lines = cargo_tree("--prefix", "none", "--no-dedupe").splitlines()
    return {(name, version.removeprefix("v")) for name, version in (line.split()[:2] for line in lines)}


def tree() -> str:
    """The tree as a person reads it, without the folder that the project happens to be in."""
    return re.sub(r"^(\S+ \S+) \(.*\)$", r"\1", cargo_tree(), count=1, flags=re.MULTILINE)


def main(write: bool) -> int:
    text = DOCUMENT.read_text()
    if not TREE.search(text):
        print(f"{DOCUMENT} has no tree between its marks", file=sys.stderr)
        return 1
    current = TREE.sub(lambda marks: marks[1] + tree() + marks[2], text)
    if write:
        DOCUMENT.write_text(current)
    complaints = []
    if current != text and not write:
        complaints.append(
            f"the tree in {DOCUMENT} is not cargo's: run python3 tools/dependencies.py --write, and look at what changed"
        )
    linked = {name for name, _ in crates()} - {"basic_auth"}
    explained = {name for name, reason in ROW.findall(text) if reason.strip()}
    complaints += [f"{DOCUMENT} does not say why {name} is there" for name in sorted(linked - explained)]
    complaints += [f"{DOCUMENT} explains {name}, which is not in the module" for name in sorted(explained - linked)]
    print("".join(f"{complaint}\n" for complaint in complaints), end="", file=sys.stderr)
    if not complaints:
        print(f"{DOCUMENT}: {len(linked)} crates, each with its reason")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main("--write" in sys.argv[1:]))
