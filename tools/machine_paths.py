"""Refuses paths of anybody's machine in the project's files: `make lint` runs it.

A path of a home folder or of a working copy tells who worked where, and works nowhere else.
"""

import re
import subprocess
from pathlib import Path

import problem
from packages import ROOT
from problem import Problem

HOMES_OF_NOBODY = {
    "istio": "the user of Istio's images",
    "nonroot": "the user of distroless images",
}
"""Names below /home that are no person's, and whose they are."""

# A path that begins here, not within a url or a longer path.
BEGINS = r"(?<![\w.*}\-])"

FOLDERS = re.compile(
    BEGINS + r"(?:"
    r"/home/(?!(?:" + "|".join(HOMES_OF_NOBODY) + r")\b)[\w.-]+"
    r"|/Users/[\w.-]+"
    r"|[A-Za-z]:[\\/]+Users[\\/]+[\w.-]+"
    r"|/root/[\w.-]+"
    r"|/(?:private/)?(?:tmp|var/folders|var/tmp)/[\w.-]+"
    r"|/(?:work|workspace|workspaces|builds|github)/[\w.-]+"
    r")"
)


def this_machine():
    """The folders of the project and of whoever runs this, where they are told from a name that anybody could write."""
    folders = {ROOT, Path.home(), Path.home().resolve()}
    names = [re.escape(str(folder)) for folder in folders if len(folder.parts) > 2]
    return re.compile(BEGINS + "(?:" + "|".join(names) + r")\b") if names else FOLDERS


def files():
    """What is in the repository or would be by the next `git add`."""
    said = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True
    )
    if said.returncode:
        raise Problem(f"git does not list the files: {said.stderr.decode().strip()}")
    return [ROOT / name for name in said.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def main():
    here, found = this_machine(), []
    for file in files():
        for number, line in enumerate(file.read_bytes().decode("utf-8", "replace").splitlines(), 1):
            found += [
                f"{file.relative_to(ROOT)}:{number}: {hit[0]}"
                for pattern in {FOLDERS, here}
                for hit in pattern.finditer(line)
            ]
    if found:
        raise Problem(
            "a path of somebody's machine; write what anybody has in its place:\n" + "\n".join(sorted(set(found)))
        )


if __name__ == "__main__":
    problem.run("machine paths", main)
