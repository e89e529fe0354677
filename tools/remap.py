"""Prints the compiler flags that keep this machine out of the module.

rustc writes the path of a source file beside every place that can panic. Paths hold the
project's folder, the user's cargo home and the name that cargo gives a registry or mirror, so
the same commit would give different bytes on different machines. These flags put fixed names
in their place. They are printed as a setting for `cargo --config`, which adds them to those of
.cargo/config.toml; RUSTFLAGS in the environment would take the place of both, so the Makefile
unsets it.

The crates have to be fetched before this runs: it names the folders that it finds.
"""

import json
import os
import subprocess
from pathlib import Path


def rustc(*arguments):
    return subprocess.run(["rustc", *arguments], check=True, text=True, capture_output=True).stdout


def prefixes():
    """Folders of this machine and what stands for them; rustc takes the last one that fits."""
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo").resolve()
    commit = next(line.split(": ")[1] for line in rustc("-vV").splitlines() if line.startswith("commit-hash: "))
    sources = Path(rustc("--print", "sysroot").strip()) / "lib/rustlib/src/rust"
    found = {str(Path.cwd().resolve()): "/basic_auth"}
    for registry in sorted(home.glob("registry/src/*")):
        found[str(registry)] = "/crates"
    # Where the standard library's sources are installed, rustc names them by their real place;
    # elsewhere by this one.
    found[str(sources)] = f"/rustc/{commit}"
    return found


if __name__ == "__main__":
    flags = [f"--remap-path-prefix={path}={name}" for path, name in prefixes().items()]
    # A list of strings is the same in JSON and in TOML.
    print(f"target.wasm32-wasip1.rustflags = {json.dumps(flags)}")
