"""Whatever the proxy answers when it is asked, the module does not trap, and nothing passes that would not have passed.

A trap ends the virtual machine, and with it every request and every plugin in it.
"""

import host
import pytest
import workload
from envoy import MODULE
from hashes import CHEAP_SECRET3, DEARER_SECRET7
from host import LEVELS, OK, Module, Plugin, Refused

FETCH = {"cluster": "users", "path": "/list", "authority": "users.test", "refresh_seconds": 1}
CONFIGURATION = {
    "forward_username_header": "x-user",
    "hide_credentials": True,
    "lockout": {"failures": 3, "window_seconds": 60, "lock_seconds": 60},
    "filter_state": True,
    "basic_auth_rules": [
        {"prefix": "/plain", "credentials": ["user:password"]},
        {"prefix": "/slow", "htpasswd": f"dear:{DEARER_SECRET7}"},
        {"prefix": "/fetched", "htpasswd_fetch": FETCH},
        {"prefix": "/range", "credentials": ["user:password"], "allow_source_ranges": ["10.0.0.0/8"]},
    ],
}

STATUSES = [*range(1, 13), 99, 0xFFFF_FFFF]
"""All that the ABI knows but success, and some that it does not."""


class Failing(Plugin):
    """A virtual machine whose proxy answers to one function with a status, and does nothing, from some time on."""

    failing, status, answer = None, OK, ([], b"")

    def _import(self, name):
        called = super()._import(name)

        def may_fail(*arguments):
            return called(*arguments) if name != self.failing else self.status - (self.status >> 31 << 32)

        return may_fail

    def _proxy_http_call(self, *arguments):
        self._write_word(arguments[-1], 7)
        return OK

    def _proxy_get_buffer_bytes(self, kind, start, length, where, size):
        if kind == 4:
            return self._give(self.answer[1][start : start + length], where, size)
        return super()._proxy_get_buffer_bytes(kind, start, length, where, size)

    def _proxy_get_header_map_pairs(self, kind, where, size):
        if kind == 6:
            return self._give(host._format_pairs(self.answer[0]), where, size)
        return super()._proxy_get_header_map_pairs(kind, where, size)

    def fetched(self, text):
        self.tick()
        self.answer = ([(b":status", b"200"), (b"etag", b"1")], text.encode())
        self._call("proxy_on_http_call_response", 1, 7, 2, len(text), 0)


def life(plugin):
    """Most of what a proxy asks of a plugin; the status of each request, or `paused`."""
    statuses = []
    plugin.fetched(f"alice:{CHEAP_SECRET3}")
    for path, pair in [
        ("/plain", ("user", "password")),
        ("/plain", None),
        ("/plain", ("user", "wrong")),
        ("/fetched", ("alice", "secret3")),
        ("/range", None),
        ("/open", None),
        ("/slow", ("dear", "secret7")),
        ("/slow", ("dear", "wrong")),
    ]:
        stream = plugin.open([*workload.request(path, credential=pair), ("x_user", "root")])
        plugin.settle(stream, ticks=300)
        outcome = stream.outcome()
        statuses.append("paused" if outcome.paused else outcome.status)
        stream.close()
    plugin.now += 2_000_000_000
    plugin.tick()
    plugin.open(workload.request("/slow", credential=("dear", "secret7")))
    plugin.reconfigure(CONFIGURATION)
    plugin.delete(1)
    return statuses


FUNCTIONS = sorted({name for _, name, _ in Module(MODULE).imports if name.startswith("proxy_")})


def test_all_is_well_while_nothing_fails(module):
    assert life(Failing(module, CONFIGURATION)) == [None, 401, 401, None, 401, None, None, 401]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_status_of_a_function_traps_or_opens(module, function):
    for status in STATUSES:
        plugin = Failing(module, CONFIGURATION)
        plugin.failing, plugin.status = function, status
        for place, became in enumerate(life(plugin)):
            assert became is not None or place in (0, 3, 5, 6), f"{status}: request {place} passed"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_status_of_a_function_traps_while_a_configuration_is_loaded(module, function):
    for status in STATUSES:
        try:
            type("FailingSoon", (Failing,), {"failing": function, "status": status})(module, CONFIGURATION)
        except Refused:
            assert function == "proxy_get_buffer_bytes"


@pytest.mark.parametrize("level", range(10))
def test_the_proxy_sees_the_levels_that_it_wants_to_see(module, level):
    """Envoy's 6 is `off`, which the SDK does not know."""

    class Told(Plugin):
        def _proxy_get_log_level(self, where):
            self._write_word(where, level)
            return OK

    plugin = Told(module, CONFIGURATION)
    plugin.request(workload.request("/plain"))
    assert all(LEVELS.index(line.partition(":")[0]) >= level for line in plugin.log)
    assert bool(plugin.log) == (level <= LEVELS.index("info"))
