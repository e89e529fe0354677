"""The linker of the wasm module: rust-lld, with other exports than the proxy-wasm SDK has.

The SDK exports every callback of the ABI, and Envoy calls whatever a module exports: an empty
`proxy_on_response_headers` costs each request two crossings of the virtual machine's wall. rustc asks the linker for
all of them and offers no way to ask for fewer, so they are dropped here, and the linker then drops the code behind them
and the imports that only it needs.

The callbacks of basic_auth are its own (src/proxy/exports.rs), exported in the place of the SDK's: two functions of
one name cannot be linked, and rust-lld exports a function by its own name, so names are changed in what it wrote.

Then functions that requests run are put first (hot.py), what V8 inlines is bounded (inlining.py), and V8 is told which
branches are unlikely (hints.py).
"""

import pathlib
import subprocess
import sys

from hints import add_hints
from hot import hot_names, put_first
from inlining import bound_inlining
from wasm import Module, Unknown

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

OWN, SDKS = "basic_on_", "proxy_on_"
"""How the module's own callbacks begin, and the SDK's."""

STRIP_ALL = "--strip-all"


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


def finish(linked):
    """The finished module, with its names."""
    module = Module(linked)
    module.exports = [(name.replace(OWN.encode(), SDKS.encode()), kind, of) for name, kind, of in module.exports]
    hot = put_first(module, hot_names())
    bound_inlining(module)
    add_hints(module, hot)
    return module


def main(arguments):
    """Links, with the exports that are kept."""
    asked = set(exports(arguments))
    own = {name for name in asked if name.startswith(OWN)}
    kept = sorted((asked & KEPT) - {name.replace(OWN, SDKS) for name in own} | own)
    options = [f"--export={name}" for name in kept]
    # A debugger's tables would not fit what is made of the module here. Without them each address and each number of a
    # function need not take five bytes, whatever it is: a twentieth of the module.
    options += ["--strip-debug", "--compress-relocations"]
    # The names are needed until all is in its place.
    strip = STRIP_ALL in arguments
    arguments = [argument for argument in without_exports(arguments) if argument != STRIP_ALL]
    # rustc puts the folder of its own rust-lld into PATH.
    linked = subprocess.run(["rust-lld", *arguments, *options])
    if linked.returncode == 0:
        file = pathlib.Path(arguments[arguments.index("-o") + 1])
        try:
            module = finish(file.read_bytes())
        except Unknown as unknown:
            sys.exit(f"{file.name}: tools/linker/wasm.py does not know {unknown}; teach it, or build without that")
        if strip:
            file.with_suffix(".named.wasm").write_bytes(module.serialize())
            module.remove_custom()
        file.write_bytes(module.serialize())
    return linked.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
