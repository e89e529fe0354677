"""The ways by which a request reaches a backend: directly, or through an Envoy that changes paths as it is told to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import wire
from deciding import lets_pass
from envoy import Envoy, answer_200, bootstrap, listener, wasm_filter
from places import PLAIN, Rule, marker, served
from problem import Problem
from running import Running
from spellings import NEVER_REACHES_A_FILTER, can_reach_a_filter, is_one_request

HTTP1, HTTP2 = "HTTP/1.1", "HTTP/2"
ASK = {HTTP1: wire.ask_http1, HTTP2: wire.ask_http2}


def ask_envoy(protocol: str, port: int, targets: Sequence[bytes]) -> list[wire.Answer | None]:
    """Asks an Envoy; over HTTP/1.1 one at a time, for it answers the next only 40 ms later."""
    return wire.ask_http1(port, targets, depth=1) if protocol == HTTP1 else wire.ask_http2(port, targets)


PATH_OPTIONS: dict[str, dict] = {
    "as it is": {},
    "normalize_path": {"normalize_path": True},
    "normalize_path, merge_slashes": {"normalize_path": True, "merge_slashes": True},
    "UNESCAPE_AND_FORWARD, merge_slashes": {
        "path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD",
        "merge_slashes": True,
    },
}
"""What Envoy does to a path before any filter sees it. KEEP_UNCHANGED is what it does by itself."""


@dataclass(frozen=True)
class Served:
    """A spelling under which a backend served a place, and the path as a filter in front of it sees it."""

    spelling: bytes
    place: str
    path: bytes


class Direct:
    """No proxy: a filter would see the path as it was sent."""

    def __init__(self, running: Running, protocol: str, without: str | None):
        self.name = f"direct, {protocol}"
        self.without = without
        self.protocol = protocol
        self._port = running.port if protocol == HTTP1 else running.port_http2
        self._options = {"depth": running.backend.depth} if protocol == HTTP1 else {}

    def can_be_asked(self, spelling: bytes) -> bool:
        """Whether a request with that spelling is one that a filter could see."""
        return can_reach_a_filter(spelling)

    def ask(self, spellings: Sequence[bytes]) -> list[Served]:
        """Asks the backend, and keeps what served a place."""
        answers = ASK[self.protocol](self._port, spellings, **self._options)
        return [Served(spelling, place, spelling) for spelling, _, place in _places(spellings, answers)]

    def passes(self, rule: Rule, asked: Sequence[Served]) -> list[bool]:
        """Whether the filter lets through what served a place."""
        return lets_pass(rule, [one.path for one in asked], self.without)


class Proxied:
    """An Envoy in between; the filter in it is asked with the backend behind it."""

    def __init__(self, proxy: Envoy, option: str, protocol: str, without: str | None):
        self.without = without
        self.name = f"Envoy, {protocol}, {option}"
        self.protocol = protocol
        self._proxy = proxy
        self._option = option

    def can_be_asked(self, spelling: bytes) -> bool:
        """Whether a request with that spelling is one request."""
        return self.protocol == HTTP2 or is_one_request(spelling)

    def ask(self, spellings: Sequence[bytes]) -> list[Served]:
        """Asks the backend through an Envoy without the filter, and keeps what served a place."""
        answers = ask_envoy(self.protocol, self._proxy.ports[f"{self._option}: open"], spellings)
        places = _places(spellings, answers)
        return [Served(spelling, place, _path_seen(self.protocol, answer)) for spelling, answer, place in places]

    def passes(self, rule: Rule, asked: Sequence[Served]) -> list[bool]:
        """Whether a protected place is served with the filter in front; no module is without a step, so that is asked
        natively about the path that Envoy made."""
        if self.without is not None:
            return lets_pass(rule, [one.path for one in asked], self.without)
        port = self._proxy.ports[f"{self._option}: {rule.name}"]
        answers = ask_envoy(self.protocol, port, [one.spelling for one in asked])
        return [answer is not None and served(answer.body) in rule.protects for answer in answers]


Way = Direct | Proxied


def direct_ways(running: Running, without: str | None) -> list[Way]:
    """The ways without a proxy. `without` is a step of the readings that is never taken."""
    protocols = [HTTP1, HTTP2] if running.port_http2 else [HTTP1]
    return [Direct(running, protocol, without) for protocol in protocols]


def proxied_ways(proxy: Envoy, without: str | None) -> Iterator[Way]:
    """The ways through an Envoy."""
    for option in PATH_OPTIONS:
        for protocol in (HTTP1, HTTP2):
            yield Proxied(proxy, option, protocol, without)


def check_what_reaches_a_filter() -> None:
    """Asks an Envoy whether it still refuses what no direct way tries."""
    paths = [b"x", b"\\x", b"%2fx", b";/x", *(b"/x%cx" % byte for byte in sorted(NEVER_REACHES_A_FILTER))]
    routes = answer_200(marker("reached"))
    with Envoy(bootstrap([listener("all", [], routes, manager=ONE_BY_ONE)]), log_level="critical") as proxy:
        for protocol in ASK:
            tried = [path for path in paths if protocol == HTTP2 or is_one_request(path)]
            control, *others = ask_envoy(protocol, proxy.ports["all"], [b"/x", *tried])
            answers = zip(tried, others, strict=True)
            reached = [path for path, answer in answers if answer is not None and served(answer.body)]
            if reached or control is None or not served(control.body):
                raise Problem(f"Envoy lets paths through that spellings.py leaves out, over {protocol}: {reached}")


OPEN_PATHS = [b"/open", b"/open.css", b"/files/public/x"]
"""Paths that a rule leaves open, one of them at least."""


def check_filters(proxy: Envoy, rules: Sequence[Rule]) -> None:
    """Checks that each filter works at all: one that refuses everything would make every test pass."""
    for rule in rules:
        opened = lets_pass(rule, OPEN_PATHS).index(True)
        paths = [OPEN_PATHS[opened], PLAIN[min(rule.protects)].encode()]
        for option in PATH_OPTIONS:
            answers = ask_envoy(HTTP1, proxy.ports[f"{option}: {rule.name}"], paths)
            refused = [answer is not None and answer.headers.startswith(b"HTTP/1.1 401 ") for answer in answers]
            if refused != [False, True] or None in answers:
                raise Problem(f"under {rule.name!r} the second of {paths} has to be refused, not {refused}")


ONE_BY_ONE = {
    "http_protocol_options": {"override_stream_error_on_invalid_http_message": True},
    "http2_protocol_options": {"override_stream_error_on_invalid_http_message": True},
}
"""A request that breaks the protocol takes no other down with it."""


def proxy_for(running: Running, rules: Sequence[Rule]) -> Envoy:
    """An Envoy in front of a backend: for each of PATH_OPTIONS a listener without the filter and one for each rule."""
    route = {
        "match": {"prefix": ""},
        "route": {"cluster": "backend", "timeout": f"{wire.PATIENCE / 2}s"},
        # The path as the filters saw it.
        "response_headers_to_add": [{"header": {"key": PATH_SEEN, "value": "%REQ(:PATH)%"}}],
    }
    listeners = []
    for option, manager in PATH_OPTIONS.items():
        manager = {**manager, **ONE_BY_ONE}
        listeners.append(listener(f"{option}: open", [], [route], manager=manager))
        for rule in rules:
            filters = [wasm_filter(rule.configuration)]
            listeners.append(listener(f"{option}: {rule.name}", filters, [route], manager=manager))
    address = {"socket_address": {"address": "127.0.0.1", "port_value": running.port}}
    cluster = {
        "name": "backend",
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": "backend",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }
    return Envoy(bootstrap(listeners, [cluster]), log_level="critical")


PATH_SEEN = "x-path-seen"
_PATH_SEEN_LINE = re.compile(rb"\r\nx-path-seen: ([^\r]*)")


def _path_seen(protocol: str, answer: wire.Answer) -> bytes:
    if protocol == HTTP1:
        return _PATH_SEEN_LINE.search(answer.headers)[1]
    return wire.read_headers(answer.headers)[PATH_SEEN.encode()]


def _places(spellings, answers) -> list[tuple[bytes, wire.Answer, str]]:
    places = []
    for spelling, answer in zip(spellings, answers, strict=True):
        if answer is not None and (place := served(answer.body)) is not None:
            places.append((spelling, answer, place))
    return places
