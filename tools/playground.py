"""Puts the core into playground/page.html: one file that needs nothing else.

playground.py MODULE PAGE
"""

import base64
import sys
from pathlib import Path

import problem
from packages import ROOT


def main(module, page):
    core = base64.b64encode(Path(module).read_bytes()).decode()
    Path(page).write_text((ROOT / "playground" / "page.html").read_text().replace("@MODULE@", core))
    print(f"{page}: {Path(page).stat().st_size} bytes")


if __name__ == "__main__":
    problem.run("playground", main, *sys.argv[1:])
