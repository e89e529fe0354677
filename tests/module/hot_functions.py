"""Which functions of the module the usual requests run, found in the counting host.

`make hot-functions` writes their names to tools/linker/hot_functions.txt.
"""

import json
import tempfile

import counts
import host
import hot
import wasm
import workload
from envoy import MODULE

NAMED = MODULE.parent / "wasm32-wasip1" / "release" / "deps" / "basic_auth.named.wasm"
"""The module with the names of its functions."""

PROBE = 1 << 30
"""A function that runs asks for the context of this number and its own."""

SMALL = 20_000
"""Bytes of a configuration; what larger ones run is the same."""

PASSWORD, HASH = "correct horse battery staple", "$2y$04$Zb0zieEBoaN4GTpafvY7cOinLX8ovzwv3rPOSHGTXGYb.UJK0op96"
"""A pair of testdata/hashes.tsv, at the lowest cost that bcrypt has."""


def usual():
    """Configurations and their requests: what is counted, and then what many operators add to it."""
    for name, configuration, requests in counts.shapes():
        if not name.startswith("worst") and len(json.dumps(configuration)) < SMALL:
            yield configuration, requests.values()
    credential = {"credential": ("ok", PASSWORD)}
    requests = [workload.request("/admin/page"), workload.request("/admin/page", **credential), workload.request("/")]
    plain, hashed = {"credentials": [f"ok:{PASSWORD}"]}, {"htpasswd": f"ok:{HASH}"}
    # Two rules that cover, all of them or the first alone; regexes.
    nested = [{"prefix": "/admin/", **plain}, {"prefix": "/", **plain}]
    for options in ({}, {"first_match": True}):
        yield {"basic_auth_rules": nested, **options}, requests
    yield {"basic_auth_rules": [{"regex": "/(admin|ops)/.*", **plain}]}, requests
    for users in (plain, hashed):
        rules = [{"prefix": "/admin/", "request_methods": ["GET"], **users}]
        yield {"basic_auth_rules": rules, "forward_username_header": "x-user", "hide_credentials": True}, requests


class Watched(host.Plugin):
    """A plugin that notes which of its functions run, in the order of their first calls."""

    def __init__(self, *arguments, **options):
        self.run = {}
        super().__init__(*arguments, **options)

    def _proxy_set_effective_context(self, context):
        if context < PROBE:
            return super()._proxy_set_effective_context(context)
        self.run[context - PROBE] = None
        return host.OK


def probed(module):
    """The module, each function of which tells that it runs."""
    module.remove_custom()
    tell = module.imports.index(b"proxy_set_effective_context")
    for place, function in enumerate(module.functions, len(module.imports)):
        probe = wasm.i32_const(PROBE + place) + wasm.call(tell) + bytes([wasm.DROP])
        function.body = function.body[: function.begin] + probe + function.body[function.begin :]
    return module.serialize()


def hot_functions(module):
    """The numbers of the functions that the usual requests run."""
    with tempfile.NamedTemporaryFile(suffix=".wasm") as file:
        file.write(probed(module))
        file.flush()
        compiled = host.Module(file.name)
    run = {}
    for configuration, requests in usual():
        plugin = Watched(compiled, configuration)
        for request in requests:
            # The first one makes room in memory, and a slow hash is verified once.
            first = plugin.open(request)
            plugin.settle(first)
            first.close()
            plugin.run.clear()
            plugin.request(request)
            run |= plugin.run
    return list(run)


def names_of_hot_functions():
    """Their names, as they are listed."""
    module = wasm.Module(NAMED.read_bytes())
    names = module.names.copy()
    # What inlining.py adds has no name.
    return list(dict.fromkeys(hot.stable(names[function]) for function in hot_functions(module) if function in names))


def main():
    names = names_of_hot_functions()
    hot.LIST.write_text("\n".join([hot.HEAD, *names]) + "\n")
    print(f"{hot.LIST.name}: {len(names)} functions")


if __name__ == "__main__":
    main()
