"""Clients that ask for many targets byte for byte, several at a time: HTTP/1.1 and HTTP/2 over plain TCP.

What a target does to the connection is not known beforehand: a server may close it, wait for more, or answer with
something that is no HTTP. So each target ends as a body or as None, and one that was asked together with others and got
no answer is asked once more by itself.
"""

from __future__ import annotations

import collections
import selectors
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import hpack

PATIENCE = 2.0
"""Seconds that a server may be silent while an answer is due."""

LARGEST_RECEIVE = 1 << 18


@dataclass
class Answer:
    """What came back: the body, and the headers as they were sent: lines, or over HTTP/2 a block of HPACK."""

    body: bytes
    headers: bytes


class Unreachable(Exception):
    """Nobody listens where a backend or a proxy should."""


def ask_http1(
    port: int,
    targets: Sequence[bytes],
    *,
    connections: int = 8,
    depth: int = 1,
) -> list[Answer | None]:
    """Asks for each target with a GET over HTTP/1.1; `depth` requests are sent before the first answer is awaited."""
    rest = b" HTTP/1.1\r\nhost: test\r\n\r\n"
    requests = [b"GET " + target + rest for target in targets]
    return _Asker(port, lambda: _Http1(requests), len(requests), connections, depth).run()


def ask_http2(
    port: int,
    targets: Sequence[bytes],
    *,
    connections: int = 4,
    depth: int = 32,
) -> list[Answer | None]:
    """Asks for each target with a GET over HTTP/2 that both sides know to speak; `depth` streams are open at a time."""
    # :method GET, :scheme http, :authority test, :path …; nothing is indexed, so that each block stands for itself.
    blocks = [b"\x82\x86\x01" + _text(b"test") + b"\x04" + _text(target) for target in targets]
    return _Asker(port, lambda: _Http2(blocks), len(blocks), connections, depth).run()


class _Asker:
    """Hands the numbers of requests to connections until each has an answer or is known to get none."""

    def __init__(self, port, protocol, count, connections, depth):
        self._port = port
        self._protocol = protocol
        self._depth = depth
        self._most = max(1, min(connections, count))
        self._fresh = iter(range(count))
        self._doubtful = collections.deque()
        self._again = collections.deque()
        self._answers: list[Answer | None] = [None] * count
        self._selector = selectors.DefaultSelector()

    def run(self) -> list[Answer | None]:
        for _ in range(self._most):
            self._begin(None)
        while self._selector.get_map():
            now = time.monotonic()
            for key, _ in self._selector.select(timeout=0.25):
                self._read(key.data)
            for key in list(self._selector.get_map().values()):
                connection = key.data
                if connection.waits_since is not None and now - connection.waits_since > PATIENCE:
                    self._end(connection)
        self._selector.close()
        return self._answers

    def _batch(self) -> list[int]:
        """The next requests to send together: one alone that is in doubt, or several."""
        if self._doubtful:
            return [self._doubtful.popleft()]
        batch = []
        while len(batch) < self._depth:
            if self._again:
                batch.append(self._again.popleft())
            elif (number := next(self._fresh, None)) is not None:
                batch.append(number)
            else:
                break
        return batch

    def _begin(self, connection) -> None:
        """Sends the next batch, on a new connection where there is none."""
        batch = self._batch()
        if not batch:
            if connection is not None:
                self._close(connection)
            return
        if connection is None:
            connection = self._open()
        connection.alone = len(batch) == 1 and not connection.used
        connection.used = True
        connection.pending = collections.deque(batch)
        connection.waits_since = time.monotonic()
        try:
            _acknowledge_soon(connection.socket)
            connection.socket.sendall(connection.protocol.request(batch))
        except OSError:
            # What was answered before the server closed can still be read.
            pass

    def _open(self):
        try:
            opened = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)
        except OSError as error:
            raise Unreachable(f"nothing listens on 127.0.0.1:{self._port}: {error}") from error
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(opened, self._protocol())
        self._selector.register(opened, selectors.EVENT_READ, connection)
        return connection

    def _close(self, connection) -> None:
        self._selector.unregister(connection.socket)
        connection.socket.close()

    def _read(self, connection) -> None:
        try:
            data = connection.socket.recv(LARGEST_RECEIVE)
        except OSError:
            data = b""
        connection.waits_since = time.monotonic()
        keeps_open = bool(data)
        if keeps_open:
            keeps_open = connection.protocol.receive(data)
        else:
            connection.protocol.end()
        for number, answer in connection.protocol.taken():
            self._answers[number] = answer
            connection.pending.remove(number)
        if reply := connection.protocol.reply():
            try:
                connection.socket.sendall(reply)
            except OSError:
                keeps_open = False
        if not keeps_open:
            self._end(connection)
        elif not connection.pending:
            self._begin(connection)

    def _end(self, connection) -> None:
        """Gives a connection up; what got no answer is asked again, unless it was alone on a new connection."""
        self._close(connection)
        pending = connection.pending
        if pending and not connection.alone:
            if connection.protocol.IN_ORDER:
                # The first may be why nothing came; the rest were never looked at.
                self._doubtful.append(pending.popleft())
                self._again.extend(pending)
            else:
                self._doubtful.extend(pending)
        self._begin(None)


def _acknowledge_soon(connection: socket.socket) -> None:
    """Has Linux acknowledge at once for a while: a server that answers in two pieces may wait 40 ms for it."""
    if hasattr(socket, "TCP_QUICKACK"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


@dataclass
class _Connection:
    socket: socket.socket
    protocol: _Http1 | _Http2
    pending: collections.deque = field(default_factory=collections.deque)
    used: bool = False
    alone: bool = False
    waits_since: float | None = None


class _Http1:
    """Answers come in the order of the requests."""

    IN_ORDER = True

    def __init__(self, requests):
        self._requests = requests
        self._order = collections.deque()
        self._buffer = b""
        self._taken = []

    def request(self, batch):
        self._order.extend(batch)
        return b"".join([self._requests[number] for number in batch])

    def taken(self):
        taken, self._taken = self._taken, []
        return taken

    def reply(self):
        return b""

    def receive(self, data) -> bool:
        """Takes what arrived; False when nothing more is to be expected on this connection."""
        self._buffer += data
        while self._order:
            parsed = _parse_http1(self._buffer)
            if parsed is None:
                return True
            answer, length, closes = parsed
            self._buffer = self._buffer[length:]
            self._taken.append((self._order.popleft(), answer))
            if closes:
                return False
        return True

    def end(self) -> None:
        """The server closed: what it sent last may be an answer without a length, or no HTTP at all."""
        if self._order and self._buffer:
            head, _, body = self._buffer.partition(b"\r\n\r\n")
            self._taken.append((self._order.popleft(), Answer(body or head, head)))


def _parse_http1(data: bytes) -> tuple[Answer, int, bool] | None:
    """The first answer, how long it is, and whether the server closes; None if it is not all there."""
    end = data.find(b"\r\n\r\n")
    if end < 0 or not data.startswith(b"HTTP/"):
        return None
    head = data[:end].lower()
    status = head[9:12]
    body = end + 4
    if status.startswith(b"1"):
        following = _parse_http1(data[body:])
        return following and (following[0], body + following[1], following[2])
    closes = b"\r\nconnection: close" in head or (
        head.startswith(b"http/1.0") and b"\r\nconnection: keep-alive" not in head
    )
    if status in (b"204", b"304"):
        return Answer(b"", data[:end]), body, closes
    if b"\r\ntransfer-encoding: chunked" in head:
        chunks = _parse_chunks(data, body)
        return chunks and (Answer(chunks[0], data[:end]), chunks[1], closes)
    place = head.find(b"\r\ncontent-length:")
    if place < 0:
        # Some that refuse a request neither say that there is no body nor close.
        return (Answer(b"", data[:end]), len(data), True) if status == b"400" else None
    length = int(head[place + 17 :].split(b"\r\n", 1)[0])
    if len(data) < body + length:
        return None
    return Answer(data[body : body + length], data[:end]), body + length, closes


def _parse_chunks(data: bytes, place: int) -> tuple[bytes, int] | None:
    parts = []
    while (end := data.find(b"\r\n", place)) >= 0:
        size = int(data[place:end].split(b";")[0], 16)
        if size == 0:
            last = data.find(b"\r\n\r\n", end)
            return None if last < 0 else (b"".join(parts), last + 4)
        if len(data) < end + 2 + size + 2:
            return None
        parts.append(data[end + 2 : end + 2 + size])
        place = end + 2 + size + 2
    return None


DATA, HEADERS, RESET, SETTINGS, PING, GO_AWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 1, 1, 4, 8, 0x20
LARGEST_WINDOW = (1 << 31) - 1


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _length(value: int) -> bytes:
    """An integer of HPACK with a prefix of seven bits (RFC 7541, section 5.1)."""
    if value < 127:
        return bytes([value])
    value -= 127
    encoded = [127]
    while value >= 128:
        encoded.append(value % 128 + 128)
        value //= 128
    return bytes([*encoded, value])


def _text(value: bytes) -> bytes:
    return _length(len(value)) + value


PREFACE = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    # No table, so that a block of headers can be read without those before it; no push; windows that never fill.
    + _frame(SETTINGS, 0, 0, struct.pack(">HIHIHI", 1, 0, 2, 0, 4, LARGEST_WINDOW))
    + _frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", LARGEST_WINDOW - 65535))
)


class _Http2:
    """Answers come in any order; a stream that the server resets has none."""

    IN_ORDER = False

    def __init__(self, blocks):
        self._blocks = blocks
        self._begun = False
        self._next = 1
        self._streams = {}
        self._buffer = b""
        self._taken = []
        self._replies = []

    def request(self, batch):
        parts = [] if self._begun else [PREFACE]
        self._begun = True
        for number in batch:
            self._streams[self._next] = (number, [], [])
            parts.append(_frame(HEADERS, END_STREAM | END_HEADERS, self._next, self._blocks[number]))
            self._next += 2
        return b"".join(parts)

    def taken(self):
        taken, self._taken = self._taken, []
        return taken

    def reply(self):
        replies, self._replies = self._replies, []
        return b"".join(replies)

    def receive(self, data) -> bool:
        buffer = self._buffer + data
        place = 0
        goes_on = True
        while len(buffer) >= place + 9:
            length = int.from_bytes(buffer[place : place + 3], "big")
            end = place + 9 + length
            if len(buffer) < end:
                break
            kind, flags, stream = struct.unpack(">BBI", buffer[place + 3 : place + 9])
            goes_on = self._frame(kind, flags, stream & LARGEST_WINDOW, buffer[place + 9 : end]) and goes_on
            place = end
        self._buffer = buffer[place:]
        return goes_on

    def end(self) -> None:
        """The server closed; whatever is open has no answer."""

    def _frame(self, kind, flags, stream, payload) -> bool:
        if kind == SETTINGS and not flags & ACK:
            self._replies.append(_frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self._replies.append(_frame(PING, ACK, 0, payload))
        elif kind == GO_AWAY:
            return False
        elif stream in self._streams:
            self._stream_frame(kind, flags, stream, payload)
        return True

    def _stream_frame(self, kind, flags, stream, payload) -> None:
        number, blocks, bodies = self._streams[stream]
        if kind == RESET:
            self._taken.append((number, None))
            del self._streams[stream]
            return
        if kind in (DATA, HEADERS) and flags & PADDED:
            payload = payload[1 : len(payload) - payload[0]]
        if kind == HEADERS and flags & PRIORITY:
            payload = payload[5:]
        if kind in (HEADERS, CONTINUATION):
            blocks.append(payload)
        elif kind == DATA:
            bodies.append(payload)
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            self._taken.append((number, Answer(b"".join(bodies), b"".join(blocks))))
            del self._streams[stream]


def read_headers(block: bytes) -> dict[bytes, bytes]:
    """The headers in a block of HPACK that stands for itself."""
    return {bytes(name): bytes(value) for name, value in hpack.Decoder().decode(block, raw=True)}
