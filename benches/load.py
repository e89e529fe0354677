"""Sends prebuilt requests over connections that stay open, a few at a time, and waits for their answers.

What is measured is Envoy's processor time, so this only has to be steady: each wave sends one request on every
connection (HTTP/1.1) or a handful of streams on one (HTTP/2), then takes the answers. Who answered what is checked
afterwards in Envoy's own counters, which costs nothing here.
"""

import socket

WAVE = 8
"""Requests under way at once. HTTP/1.1 has a connection for each: Envoy closes one with pipelined refusals."""


def _connect(port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class Http1:
    """Connections that speak HTTP/1.1; `headers` are those of a request as a filter sees them."""

    name = "HTTP/1.1"

    def __init__(self, port, headers):
        pseudo = {name: value for name, value in headers if name.startswith(":")}
        lines = [f"{pseudo[':method']} {pseudo[':path']} HTTP/1.1", f"host: {pseudo[':authority']}"]
        # Envoy sets this one itself.
        lines += [
            f"{name}: {value}" for name, value in headers if not name.startswith(":") and name != "x-forwarded-proto"
        ]
        self._request = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self._connections = [_connect(port) for _ in range(WAVE)]
        self._length = self._length_of_an_answer()

    def _length_of_an_answer(self):
        """Every answer to one request is as long as the other: only the date changes, and it has a fixed length."""
        self._connections[0].sendall(self._request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._received(self._connections[0])
        head, _, body = answer.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields.get(b"content-length", 0))
        while len(body) < length:
            body += self._received(self._connections[0])
        return len(head) + 4 + length

    @staticmethod
    def _received(connection):
        data = connection.recv(65536)
        if not data:
            raise ConnectionError("Envoy closed a connection")
        return data

    def send(self, count):
        """Sends so many requests, rounded up to whole waves, and returns how many."""
        request, length, connections = self._request, self._length, self._connections
        waves = -(-count // WAVE)
        for _ in range(waves):
            for connection in connections:
                connection.sendall(request)
            for connection in connections:
                missing = length
                while missing > 0:
                    missing -= len(self._received(connection))
                if missing < 0:
                    raise ConnectionError("an answer of another length")
        return waves * WAVE

    def close(self):
        for connection in self._connections:
            connection.close()


class Http2:
    """One connection that speaks HTTP/2. Header fields are sent as literals, so every request has the same bytes."""

    name = "HTTP/2"

    HEADERS, SETTINGS, RST_STREAM, GOAWAY = 1, 4, 3, 7
    END_STREAM, END_HEADERS, ACK = 1, 4, 1

    def __init__(self, port, headers):
        block = b"".join(
            _literal(name.encode(), value.encode()) for name, value in headers if name != "x-forwarded-proto"
        )
        # Length, type and flags; the stream's number and the block follow.
        self._head = _frame_head(len(block), self.HEADERS, self.END_STREAM | self.END_HEADERS)
        self._block = block
        self._next = 1
        self._left = b""
        self._connection = _connect(port)
        # Bodies are empty or a short refusal: a window of 1 GiB for the connection lasts for any run.
        settings = (4).to_bytes(2, "big") + (1 << 30).to_bytes(4, "big")
        wide = _frame_head(4, 8, 0) + bytes(4) + (1 << 30).to_bytes(4, "big")
        preface = (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            + _frame_head(len(settings), self.SETTINGS, 0)
            + bytes(4)
            + settings
            + wide
        )
        self._connection.sendall(preface)

    def send(self, count):
        """Sends so many requests, rounded up to whole waves, and returns how many."""
        waves = -(-count // WAVE)
        for _ in range(waves):
            streams = range(self._next, self._next + 2 * WAVE, 2)
            self._next += 2 * WAVE
            self._connection.sendall(
                b"".join(self._head + stream.to_bytes(4, "big") + self._block for stream in streams)
            )
            missing = WAVE
            while missing:
                missing -= self._answers()
        return waves * WAVE

    def _answers(self):
        """How many streams ended in what Envoy sent last."""
        data = self._left + Http1._received(self._connection)
        ended = start = 0
        while len(data) - start >= 9:
            end = start + 9 + int.from_bytes(data[start : start + 3], "big")
            if len(data) < end:
                break
            kind, flags = data[start + 3], data[start + 4]
            if kind in (0, self.HEADERS):
                ended += flags & self.END_STREAM
            elif kind == self.SETTINGS and not flags & self.ACK:
                self._connection.sendall(_frame_head(0, self.SETTINGS, self.ACK) + bytes(4))
            elif kind in (self.RST_STREAM, self.GOAWAY):
                raise ConnectionError("Envoy reset a stream or the connection")
            start = end
        self._left = data[start:]
        return ended

    def close(self):
        self._connection.close()


PROTOCOLS = {protocol.name: protocol for protocol in (Http1, Http2)}


def _frame_head(length, kind, flags):
    return length.to_bytes(3, "big") + bytes([kind, flags])


def _literal(name, value):
    """A header field without indexing (RFC 7541, section 6.2.2): it leaves no trace in either side's table."""
    return b"\x00" + _string(name) + _string(value)


def _string(text):
    """RFC 7541, section 5.2, without Huffman coding; the length is an integer with a prefix of 7 bits."""
    length = len(text)
    if length < 127:
        return bytes([length]) + text
    length -= 127
    digits = [127]
    while length >= 128:
        digits.append(length % 128 + 128)
        length //= 128
    return bytes([*digits, length]) + text
