"""What a release is made of, so that the workflow stays a list of names.

release.py check v0.1.0      the tag, Cargo.toml and CHANGELOG.md agree
release.py files             target/dist: module, bill of materials, notes, checksums
release.py add FILE…         adds files that were built elsewhere to target/dist and its checksums
release.py publish IMAGE     push, sign and attest the images, and verify as a user would
                             (--key FILE: with a key and no transparency log, to try it out)
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

import problem
from problem import Problem

DIST = Path("target/dist")
TOOL = "target/tools/image"
FORMS = ("oci", "docker", "artifact")
ISSUER = "https://token.actions.githubusercontent.com"


def version():
    found = re.search(r'^version = "([^"]+)"$', Path("Cargo.toml").read_text(), re.MULTILINE)
    if not found:
        raise Problem("Cargo.toml has no version")
    return found[1]


def notes(of):
    """The section of the changelog for one version, without its heading."""
    sections = re.split(r"^## \[([^\]]+)\].*$", Path("CHANGELOG.md").read_text(), flags=re.MULTILINE)
    for name, text in zip(sections[1::2], sections[2::2], strict=True):
        if name == of and text.strip():
            return text.strip() + "\n"
    raise Problem(f"CHANGELOG.md says nothing of {of}: give its section the heading ## [{of}] - DATE before the tag")


def check(tag):
    if tag != f"v{version()}":
        raise Problem(
            f"the tag {tag} is not Cargo.toml's version {version()}: tag v{version()}, or change the version first"
        )
    notes(version())
    print(f"{tag}: Cargo.toml and CHANGELOG.md agree")


def files():
    """Everything that hangs on the release page, from what `make image sbom` built."""
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir(parents=True)
    for built in ("target/basic_auth.wasm", "target/basic_auth.cdx.json"):
        shutil.copyfile(built, DIST / Path(built).name)
    sums = write_sums()
    # Not released yet, so to be tried out: then the notes are what would be released.
    try:
        text = notes(version())
    except Problem:
        text = notes("Unreleased")
    (DIST / "notes.md").write_text(text)
    sys.stdout.write(sums)


def write_sums():
    """Writes the checksums of all files but those that are no part of the release, and returns them."""
    others = ("SHA256SUMS", "notes.md")
    parts = [file for file in sorted(DIST.iterdir()) if file.name not in others]
    sums = "".join(f"{sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in parts)
    (DIST / "SHA256SUMS").write_text(sums)
    return sums


def add(paths):
    """Adds what was built on other machines."""
    for path in paths:
        shutil.copyfile(path, DIST / Path(path).name)
    sys.stdout.write(write_sums())


def run(*command, quiet=False):
    print("+", " ".join(command), flush=True)
    said = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=None)
    if not quiet:
        sys.stdout.write(said.stdout)
        sys.stdout.flush()
    if said.returncode:
        raise Problem(
            f"{command[0]} {command[1]} failed, see above: nothing after it was done, and it can be run again"
        )
    return said.stdout


def publish(image, key):
    number = version()
    minor = ".".join(number.split(".")[:2])
    run(TOOL, "push", "-form", "all", f"{image}:{number}")
    # The short tag follows the newest release of its line. It is a convenience for trying out;
    # what is deployed pins a digest.
    run(TOOL, "push", "-form", "all", "-force", f"{image}:{minor}")
    with tempfile.TemporaryDirectory() as scratch:
        if key:
            services = str(Path(scratch) / "no-services.json")
            run("cosign", "signing-config", "create", "--out", services)
            signer = ("--key", key, "--signing-config", services)
            verifier = ("--key", str(Path(key).with_suffix(".pub")), "--insecure-ignore-tlog")
        else:
            signer = ()
            verifier = ("--certificate-identity", identity(), "--certificate-oidc-issuer", ISSUER)
        for form in FORMS:
            digest = run(TOOL, "digest", form).strip()
            run("cosign", "sign", "--yes", *signer, f"{image}@{digest}")
            run(
                "cosign",
                "attest",
                "--yes",
                *signer,
                "--type",
                "cyclonedx",
                "--predicate",
                str(DIST / "basic_auth.cdx.json"),
                f"{image}@{digest}",
            )
            run("cosign", "verify", *verifier, f"{image}@{digest}", quiet=True)
            run("cosign", "verify-attestation", *verifier, "--type", "cyclonedx", f"{image}@{digest}", quiet=True)
        sums, bundle = str(DIST / "SHA256SUMS"), str(DIST / "SHA256SUMS.sigstore.json")
        run("cosign", "sign-blob", "--yes", *signer, "--bundle", bundle, sums, quiet=True)
        run("cosign", "verify-blob", *verifier, "--bundle", bundle, sums)


def identity():
    """Who signs without a key: this workflow, at this tag."""
    try:
        return f"{os.environ['GITHUB_SERVER_URL']}/{os.environ['GITHUB_WORKFLOW_REF']}"
    except KeyError as missing:
        raise Problem(
            f"without a key only a GitHub workflow can sign, and {missing} is not set: give --key to try it out"
        ) from None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check").add_argument("tag")
    commands.add_parser("files")
    commands.add_parser("add").add_argument("paths", nargs="+")
    publishing = commands.add_parser("publish")
    publishing.add_argument("image")
    publishing.add_argument("--key")
    arguments = parser.parse_args()
    match arguments.command:
        case "check":
            check(arguments.tag)
        case "files":
            files()
        case "add":
            add(arguments.paths)
        case "publish":
            publish(arguments.image, arguments.key)


if __name__ == "__main__":
    problem.run("release", main)
