"""Writes the bill of materials of the module: which crates are in it, as CycloneDX.

    python3 tools/sbom.py target/basic_auth.wasm target/basic_auth.cdx.json

cargo-cyclonedx lists the crates. This adds the digest of the module that they make up, takes
this machine's folders out, so that the same commit gives the same file, and compares the list
with what `cargo tree` says is linked: a bill that misses a crate is worse than none.
"""

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import problem
from dependencies import TARGET, crates
from packages import ROOT
from problem import Problem

# What cargo-cyclonedx is told to call its files: one beside the Cargo.toml of each member of the workspace.
LEFT = "basic_auth-sbom"


def listed():
    environment = {"SOURCE_DATE_EPOCH": commit_date(), **os.environ}
    form = ["--format", "json", "--spec-version", "1.5", "--override-filename", LEFT]
    subprocess.run(
        ["cargo", "cyclonedx", "--quiet", *form, "--target", TARGET, "--no-build-deps"], check=True, env=environment
    )
    bill = (ROOT / f"{LEFT}.json").read_text()
    for member in members():
        member.with_name(f"{LEFT}.json").unlink()
    return json.loads(bill.replace(f"path+file://{ROOT}#", "path+file:///basic_auth#"))


def members():
    """The Cargo.toml of each member of the workspace."""
    command = ["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"]
    said = subprocess.run(command, check=True, text=True, capture_output=True).stdout
    return [Path(package["manifest_path"]) for package in json.loads(said)["packages"]]


def commit_date():
    said = subprocess.run(["git", "log", "-1", "--format=%ct"], text=True, capture_output=True)
    return said.stdout.strip() or "0"


def main(module, output):
    bill = listed()
    found = {(part["name"], part["version"]) for part in bill["components"]}
    linked = crates() - {(bill["metadata"]["component"]["name"], bill["metadata"]["component"]["version"])}
    if linked - found:
        raise Problem(f"the bill lacks what cargo tree says is linked: {sorted(linked - found)}")
    # cargo-cyclonedx also lists what only the tests turn on in a crate that both have; that is not in the module.
    extra = {part["bom-ref"] for part in bill["components"] if (part["name"], part["version"]) not in linked}
    bill["components"] = [part for part in bill["components"] if part["bom-ref"] not in extra]
    bill["dependencies"] = [node for node in bill["dependencies"] if node["ref"] not in extra]
    for node in bill["dependencies"]:
        if "dependsOn" in node:
            node["dependsOn"] = [ref for ref in node["dependsOn"] if ref not in extra]
    digest = sha256(Path(module).read_bytes()).hexdigest()
    bill["metadata"]["component"]["hashes"] = [{"alg": "SHA-256", "content": digest}]
    Path(output).write_text(json.dumps(bill, indent=2) + "\n")
    print(f"{output}: {len(linked)} crates in {module} (sha256 {digest})")


if __name__ == "__main__":
    problem.run("sbom", main, *sys.argv[1:])
