#!/usr/bin/env python3
"""The linker of the wasm module: rust-lld, with the exports that this module has no use for left out.

The proxy-wasm SDK exports every callback of the ABI, and Envoy calls whatever a module exports: an empty
`proxy_on_response_headers` costs each request two crossings of the virtual machine's wall. rustc asks the linker for
all of them and offers no way to ask for fewer, so they are dropped here, and the linker then drops the code behind them
and the imports that only it needs.
"""

import os
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


def kept(arguments):
    """The arguments without `--export NAME` and `--export=NAME` of what is not kept."""
    arguments = iter(arguments)
    for argument in arguments:
        if argument == "--export":
            name = next(arguments)
            if name in KEPT:
                yield from (argument, name)
        elif not argument.startswith("--export=") or argument.removeprefix("--export=") in KEPT:
            yield argument


if __name__ == "__main__":
    # rustc puts the folder of its own rust-lld into PATH.
    os.execvp("rust-lld", ["rust-lld", *kept(sys.argv[1:])])
