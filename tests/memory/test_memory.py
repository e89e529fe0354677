"""A million requests of every kind through a real Envoy, which leave its memory where the first hundred thousand did.

Nothing here depends on the speed of the machine: what is counted is memory and answers. The first tenth overflows every
table of the module twice, under one configuration and under the next.
"""

import collections
import http.server
import itertools
import os
import pathlib
import random
import socket
import threading

from envoy import MODULE, Envoy, cluster, wasm_filter
from hashes import CHEAP_SECRET3, QUICK_SECRET5
from http_client import Http2, basic
from listeners import Listeners, wait_until

REQUESTS = int(os.environ.get("REQUESTS", "1000000"))
ROUND, ROUNDS_OF_A_CONFIGURATION = 10_000, 5
FIRST = 10 * ROUND
"""When everything is full: after two configurations."""

USERS = [f"user{number}" for number in range(10_000)]
"""Of `secret5`: more than a worker or a process remembers."""

PAGE = 1 << 16
"""Bytes by which the memory of a virtual machine grows."""

A_CONFIGURATION = 8 * PAGE
"""What the main thread's virtual machine may grow by: it answers no request, and builds each configuration while the
one before is still there, and sometimes the one before that."""

SLACK = 4 << 20
"""What Envoy's own heap may differ by, in bytes: connections, statistics, what the allocator keeps at hand."""


class Lists(http.server.BaseHTTPRequestHandler):
    """Answers each time with another list, in which one user stays."""

    versions = itertools.count()

    def do_GET(self):
        text = f"stays:{CHEAP_SECRET3}\nuser{next(self.versions)}:{CHEAP_SECRET3}\n".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def configuration(number):
    """The rules are the same, but for one."""
    return {
        "basic_auth_rules": [
            {"prefix": "/plain", "credentials": ["plain:secret"]},
            {"prefix": "/quick", "htpasswd": [f"{user}:{QUICK_SECRET5}" for user in USERS]},
            {"prefix": "/slow", "htpasswd": f"slow:{CHEAP_SECRET3}"},
            {"prefix": "/fetched", "htpasswd_fetch": {"cluster": "lists", "path": "/", "refresh_seconds": 1}},
            {"prefix": f"/other{number}", "credentials": ["other:secret"]},
        ],
        "lockout": {"failures": 3, "window_seconds": 3600, "lock_seconds": 3600},
    }


class Client:
    """Connections that stay open, with one request at a time on each."""

    CONNECTIONS = 32

    def __init__(self, port):
        self._port = port
        self._sockets = [self._connect() for _ in range(self.CONNECTIONS)]

    def _connect(self):
        connection = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def close(self):
        for connection in self._sockets:
            connection.close()

    def send(self, requests):
        """How many were answered with what; 0 stands for a connection that was closed without an answer."""
        statuses = collections.Counter()
        requests = list(requests)
        for start in range(0, len(requests), self.CONNECTIONS):
            wave = requests[start : start + self.CONNECTIONS]
            for place, request in enumerate(wave):
                try:
                    self._sockets[place].sendall(request)
                except ConnectionError:
                    # It was closed while nothing was under way.
                    self._reopen(place)
                    self._sockets[place].sendall(request)
            for place in range(len(wave)):
                statuses[self._answer(place)] += 1
        return statuses

    def _reopen(self, place):
        self._sockets[place].close()
        self._sockets[place] = self._connect()

    def _answer(self, place):
        data = b""
        try:
            while not is_whole(data):
                piece = self._sockets[place].recv(65_536)
                if not piece:
                    raise ConnectionError
                data += piece
        except ConnectionError:
            self._reopen(place)
            return 0
        if b"\r\nconnection: close" in data:
            self._reopen(place)
        return int(data[9:12])


def is_whole(answer):
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    _, _, length = head.partition(b"content-length: ")
    return len(body) >= int(length.split(b"\r\n", 1)[0] or 0)


def request(path, pair=None, *, address=None, body=b"", more=()):
    lines = [(b"POST " if body else b"GET ") + path + b" HTTP/1.1", b"host: test"]
    if pair:
        lines.append(b": ".join(basic(pair)))
    if address is not None:
        lines.append(b"x-forwarded-for: 10.%d.%d.%d" % (address >> 16, address >> 8 & 255, address & 255))
    if body:
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join([*lines, *more]) + b"\r\n\r\n" + body


class Kinds:
    """Makes the requests of a round, by their kind; each time others."""

    def __init__(self):
        self._numbers, self._random = itertools.count(), random.Random(7)

    def _wrong(self, path, **more):
        number = next(self._numbers)
        return request(path, b"nobody%d:%d" % (number, number), address=number & 0xFF_FFFF, **more)

    def _slow(self, address=None, **more):
        number = next(self._numbers)
        address = number & 0xFF_FFFF if address is None else address
        return request(b"/slow", b"slow:%d" % number, address=address, **more)

    def _right(self, **more):
        number = self._random.randrange(len(USERS))
        return request(b"/quick", f"{USERS[number]}:secret5", address=number, **more)

    def of_a_round(self):
        """Kind, requests, and the answers that they may have. All but 400 of ROUND, which `interrupted` sends."""
        body = b"x" * 20_000
        odd = [b"authorization: Basic !!", b"authorization: Bearer x", b"authorization: Basic"]
        paths = [b"/a%2f..%2fplain", b"//plain;x", b"/" + b"%2e/" * 200, b"/%zz", b"/plain" + b"/x" * 2_000]
        return [
            ("open", [request(b"/open")] * 1_900, {200}),
            ("without a credential", [request(b"/plain/%d" % number) for number in range(500)], {401}),
            ("malformed", [request(b"/plain", more=[line]) for line in odd * 100], {401}),
            ("odd paths", [request(path) for path in paths * 40], {401, 200}),
            ("right", [request(b"/plain", b"plain:secret")] * 600, {200}),
            ("right, hashed or remembered", [self._right() for _ in range(2_000)], {200, 429}),
            ("wrong", [self._wrong(b"/plain") for _ in range(3_400)], {401, 429}),
            ("locked", [request(b"/plain", b"locked:%d" % number, address=1) for number in range(200)], {401, 429}),
            ("waiting", [self._slow() for _ in range(32)], {401, 429}),
            # As many as there are connections, of one client.
            ("busy", [self._slow(address) for address in [next(self._numbers)] * 32], {401, 429}),
            ("waiting with a body", [self._slow(body=body) for _ in range(32)], {401, 429, 0}),
            ("fetched", [request(b"/fetched", b"stays:secret3", address=1)] * 100, {200, 429, 503}),
            ("with a body, open", [request(b"/open", body=body)] * 104, {200}),
            ("with a body, right", [self._right(body=body) for _ in range(100)], {200, 429}),
            ("with a body, wrong", [self._wrong(b"/plain", body=body) for _ in range(100)], {401, 429, 0}),
        ]

    def interrupted(self, port):
        """400 requests that are taken back, most of them while they wait."""
        for number in range(200):
            with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                connection.sendall(self._slow(body=b"x" * 1_000)[: -(number % 3) * 100 or None])
        connection = Http2(port)
        for number in range(200):
            name, value = basic(f"slow{number}:{next(self._numbers)}")
            stream = connection.start(b"GET", b"/slow", [(name, value)], end=bool(number % 2))
            connection.reset(stream)
        connection.close()


def memory_of_machines(process):
    """The memory of each virtual machine, in bytes.

    V8 reserves gigabytes behind it in which no address is valid, so that nothing has to be checked: it is what the
    kernel maps before such a reserve.
    """
    sizes, before = [], 0
    for line in pathlib.Path(f"/proc/{process}/maps").read_text().splitlines():
        addresses, rights = line.split()[:2]
        start, end = (int(address, 16) for address in addresses.split("-"))
        if rights.startswith("---") and end - start > 4 << 30 and before:
            sizes.append(before)
        before = end - start if rights.startswith("rw") else 0
    return sorted(sizes)


def test_a_million_requests_leave_the_memory_where_the_first_hundred_thousand_did(tmp_path):
    assert FIRST < REQUESTS and REQUESTS % FIRST == 0, "REQUESTS is a multiple of 100,000"
    assert MODULE.exists()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Lists) as lists:
        threading.Thread(target=lists.serve_forever, daemon=True).start()
        listeners = Listeners(
            tmp_path,
            lambda configuration, **_: wasm_filter(configuration),
            # Each user at an address of its own, as the proxy before this one would write it.
            manager={"use_remote_address": False, "xff_num_trusted_hops": 0},
            clusters=[cluster("lists", lists.server_address[1])],
        )
        listeners.write(configuration(0))
        with Envoy(listeners.bootstrap(), log_level="error") as proxy:
            run(proxy, listeners)
            assert "Function: proxy_on" not in proxy.log, proxy.log
        lists.shutdown()


def run(proxy, listeners):
    kinds, client, statuses = Kinds(), Client(listeners.port), collections.defaultdict(collections.Counter)
    sent, figures, numbers = 0, {}, itertools.count(1)
    while sent < REQUESTS:
        # Several in a row at first, so that the memory has room for one that is replaced beside its successor.
        for _ in range(1 if sent else 5) if sent % (ROUND * ROUNDS_OF_A_CONFIGURATION) == 0 else ():
            number = next(numbers)
            listeners.write(configuration(number))
            everywhere = [request(b"/other%d" % number)] * client.CONNECTIONS
            # Until all connections have come from the listener of before to the new one.
            wait_until(lambda wave=everywhere: client.send(wave)[401] == len(wave))
        for kind, requests, answers in kinds.of_a_round():
            found = client.send(requests)
            statuses[kind] += found
            assert found.keys() <= answers, (kind, found)
            sent += len(requests)
        kinds.interrupted(listeners.port)
        sent += 400
        if sent % FIRST == 0:
            wait_until(lambda: not any(proxy.stats("basic_auth.queue_length").values()))
            machines, heap = memory_of_machines(proxy.process.pid), proxy.stats("server.memory_allocated")
            figures[sent] = sum(machines), heap["server.memory_allocated"]
            pages = [size // PAGE for size in machines]
            print(f"{sent:9,} requests: {pages} pages of memory, {figures[sent][1]:,} bytes of Envoy's own", flush=True)
    client.close()
    for kind, found in statuses.items():
        print(f"{kind}: {dict(found)}")
    first, last = figures[FIRST], figures[sent]
    # All of it happened.
    assert all(200 in statuses[kind] for kind in ("right", "right, hashed or remembered", "fetched"))
    assert 401 in statuses["waiting"] and first[0] > 0
    told = proxy.stats("basic_auth.refused")
    for reason in ("busy", "locked", "malformed", "missing", "unknown_user", "wrong_password"):
        assert told[f"wasmcustom.basic_auth.refused.{reason}"], reason
    assert last[0] <= first[0] + A_CONFIGURATION, "memory of the module"
    assert last[1] <= first[1] + SLACK, "Envoy's heap"
