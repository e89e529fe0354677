#!/usr/bin/env python3
"""The linker of the wasm module: rust-lld, with the exports that this module has no use for left out.

The proxy-wasm SDK exports every callback of the ABI, and Envoy calls whatever a module exports: an empty
`proxy_on_response_headers` costs each request two crossings of the virtual machine's wall. rustc asks the linker for
all of them and offers no way to ask for fewer, so they are dropped here, and the linker then drops the code behind them
and the imports that only it needs.

One callback is the module's own, and is exported in the place of the SDK's: two functions of one name cannot be linked,
and rust-lld exports a function by its own name, so the name is changed in what it wrote.
"""

import pathlib
import subprocess
import sys

KEPT = {
    "_initialize",
    "memory",
    "proxy_abi_version_0_2_1",
    "proxy_on_memory_allocate",
    "proxy_on_context_create",
    "proxy_on_configure",
    "proxy_on_request_headers",
    # Where Envoy asks about the body of a request that waits, silence would let the request through.
    "proxy_on_request_body",
    "proxy_on_request_trailers",
    "proxy_on_tick",
    "proxy_on_http_call_response",
    # Without it contexts would pile up in the module.
    "proxy_on_delete",
}

OWN, SDKS = "basic_on_request_body", "proxy_on_request_body"
"""Equally long, so that nothing moves in the file."""


def exports(arguments):
    """The names in `--export NAME` and `--export=NAME`."""
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if argument == "--export":
            yield following
        elif argument.startswith("--export="):
            yield argument.removeprefix("--export=")


def without_exports(arguments):
    """The other arguments."""
    arguments = iter(arguments)
    for argument in arguments:
        if argument == "--export":
            next(arguments)
        elif not argument.startswith("--export="):
            yield argument


def rename(module):
    """Gives the module's own callback the name by which the proxy calls it."""
    # A name stands after its length, which for this one is a single byte.
    names = [bytes([len(name)]) + name.encode() for name in (OWN, SDKS)]
    data = module.read_bytes()
    if data.count(names[0]) != 1:
        sys.exit(f"{module}: {OWN} is there {data.count(names[0])} times and not once")
    module.write_bytes(data.replace(*names))


def main(arguments):
    """Links, with the exports that are kept."""
    kept = [name for name in exports(arguments) if name in KEPT]
    has_own = OWN in exports(arguments)
    if has_own:
        kept = [OWN if name == SDKS else name for name in kept]
    # rustc puts the folder of its own rust-lld into PATH.
    linked = subprocess.run(["rust-lld", *without_exports(arguments), *(f"--export={name}" for name in kept)])
    if linked.returncode == 0 and has_own:
        rename(pathlib.Path(arguments[arguments.index("-o") + 1]))
    return linked.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
