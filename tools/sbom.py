#!/usr/bin/env python3
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

from dependencies import TARGET, crates

# What cargo-cyclonedx is told to call its file. It lands beside Cargo.toml and does not stay there.
LEFT = "basic_auth-sbom"


def listed() -> dict:
    environment = {"SOURCE_DATE_EPOCH": commit_date(), **os.environ}
    subprocess.run(
        [
            "cargo",
            "cyclonedx",
            "--quiet",
            "--format",
            "json",
            "--spec-version",
            "1.5",
            "--target",
            TARGET,
            "--no-build-deps",
            "--override-filename",
            LEFT,
        ],
        check=True,
        env=environment,
    )
    left = Path(f"{LEFT}.json")
    bill = left.read_text()
    left.unlink()
    return json.loads(bill.replace(f"path+file://{Path.cwd()}#", "path+file:///basic_auth#"))


def commit_date() -> str:
    said = subprocess.run(["git", "log", "-1", "--format=%ct"], text=True, capture_output=True)
    return said.stdout.strip() or "0"


def main(module: str, output: str) -> int:
    bill = listed()
    found = {(part["name"], part["version"]) for part in bill["components"]}
    linked = crates() - {(bill["metadata"]["component"]["name"], bill["metadata"]["component"]["version"])}
    if linked - found:
        print(f"sbom: the bill lacks what cargo tree says is linked: {sorted(linked - found)}", file=sys.stderr)
        return 1
    # cargo-cyclonedx also lists what only the tests turn on in a crate that both have; that is not in the module.
    extra = {part["bom-ref"] for part in bill["components"] if (part["name"], part["version"]) not in linked}
    bill["components"] = [part for part in bill["components"] if part["bom-ref"] not in extra]
    bill["dependencies"] = [
        {
            **node,
            **({"dependsOn": [ref for ref in node["dependsOn"] if ref not in extra]} if "dependsOn" in node else {}),
        }
        for node in bill["dependencies"]
        if node["ref"] not in extra
    ]
    digest = sha256(Path(module).read_bytes()).hexdigest()
    bill["metadata"]["component"]["hashes"] = [{"alg": "SHA-256", "content": digest}]
    Path(output).write_text(json.dumps(bill, indent=2) + "\n")
    print(f"{output}: {len(linked)} crates in {module} (sha256 {digest})")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
