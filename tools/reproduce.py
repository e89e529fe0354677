"""Builds the last commit twice, as two strangers would, and compares module and images.

The two builds share the commit, the compiler and nothing else that can be helped: another
folder at another depth, another cargo home, another home, time zone, language and umask.
What is given to make, as in SOURCE=https://…, reaches both by the environment.
With --expect the digest of a published image is compared as well, so that anybody can see
for himself that a release was built from the source it names.
"""

import argparse
import os
import subprocess
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import problem
from packages import ROOT
from problem import Problem
from release import FORMS


@dataclass(frozen=True)
class Stranger:
    name: str
    folder: str
    environment: dict[str, str]
    umask: int


STRANGERS = (
    Stranger("the first", "first", {"TZ": "UTC", "LANG": "C"}, 0o022),
    Stranger(
        "the second",
        "at/another depth/second",
        {"TZ": "Asia/Tokyo", "LANG": "C.UTF-8", "RUSTFLAGS": "-C opt-level=1"},
        0o077,
    ),
)


def git(*arguments, folder):
    said = subprocess.run(["git", "-C", str(folder), *arguments], text=True, capture_output=True)
    if said.returncode:
        raise Problem(f"git {arguments[0]} failed: {said.stderr.strip()}")
    return said.stdout.strip()


def cargo_home(folder):
    """A cargo home of its own, which borrows what was downloaded and unpacks it anew."""
    real = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    home = folder / "cargo"
    (home / "registry").mkdir(parents=True)
    for borrowed in ("registry/cache", "registry/index", "config.toml"):
        if (real / borrowed).exists():
            (home / borrowed).symlink_to((real / borrowed).resolve())
    return home


def build(stranger, base, commit):
    """Clones and builds; returns the digest of each product."""
    folder = base / stranger.folder
    clone = folder / "clone"
    folder.mkdir(parents=True)
    git("clone", "--quiet", "--no-checkout", "--no-hardlinks", str(ROOT), str(clone), folder=ROOT)
    git("checkout", "--quiet", commit, folder=clone)
    home = folder / "home"
    home.mkdir()
    go = {
        name: subprocess.run(["go", "env", name], text=True, capture_output=True, check=True).stdout.strip()
        for name in ("GOMODCACHE", "GOCACHE", "GOFLAGS")
    }
    environment = {
        **os.environ,
        **go,
        **stranger.environment,
        "RUSTUP_HOME": os.environ.get("RUSTUP_HOME") or str(Path.home() / ".rustup"),
        "CARGO_HOME": str(cargo_home(folder)),
        "HOME": str(home),
        # The folder belongs to whoever runs this; git shall not ask the strange home about it.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    for inherited in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "CARGO_TARGET_DIR"):
        environment.pop(inherited, None)
    said = subprocess.run(
        ["make", "--no-print-directory", "image"],
        cwd=clone,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        umask=stranger.umask,
    )
    if said.returncode:
        raise Problem(f"{stranger.name} build failed: make image\n{said.stdout}")
    digests = {"module": "sha256:" + sha256((clone / "target/basic_auth.wasm").read_bytes()).hexdigest()}
    for form in FORMS:
        digests[form] = subprocess.run(
            [clone / "target/tools/image", "digest", "-layout", clone / "target/image", form],
            text=True,
            check=True,
            capture_output=True,
        ).stdout.strip()
    return digests


def compare(expected):
    commit = git("rev-parse", "HEAD", folder=ROOT)
    if git("status", "--porcelain", "--untracked-files=no", folder=ROOT):
        print("note: what is not committed is not built")
    with tempfile.TemporaryDirectory(prefix="reproduce-") as base:
        first, second = (build(stranger, Path(base), commit) for stranger in STRANGERS)
    differing = [product for product in first if first[product] != second[product]]
    print(f"commit {commit}, built twice:")
    for product, digest in first.items():
        print(
            f"  {product:<9} {digest}"
            + (f"\n            {second[product]}  <- differs" if product in differing else "")
        )
    if differing:
        raise Problem(f"not reproducible: {', '.join(differing)}")
    print("all the same")
    for digest in expected:
        if digest not in first.values():
            why = "it was built from another commit, with another compiler, or with another SOURCE"
            raise Problem(f"{digest} is none of them: {why}")
        print(f"{digest} is what this commit gives")


def main():
    parser = argparse.ArgumentParser(description="Builds the last commit twice in different folders and compares.")
    parser.add_argument(
        "--expect",
        action="append",
        default=[],
        metavar="sha256:…",
        help="a published digest that has to be among the results",
    )
    arguments = parser.parse_args()
    compare(arguments.expect)


if __name__ == "__main__":
    problem.run("reproduce", main)
