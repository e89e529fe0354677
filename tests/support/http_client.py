"""Clients that send a request byte for byte, HTTP/1.1 by hand and HTTP/2 with h2 told not to tidy up."""

import base64
import contextlib
import functools
import socket

import h2.config
import h2.connection
import h2.errors
import h2.events

TIMEOUT = 60


class Response:
    """Status (an int, or "reset" where the server closed without an answer), headers and body."""

    def __init__(self, status, headers=(), body=b""):
        self.status = status
        self.headers = list(headers)
        self.body = body

    def header(self, name):
        """The values of a header, in order."""
        return [value.decode("latin-1") for key, value in self.headers if key.decode("latin-1").lower() == name]

    def __repr__(self):
        return f"Response({self.status}, {self.headers}, {self.body[:80]!r})"


def basic(pair):
    """The header of a `Basic` credential; bytes are sent as they are."""
    return b"authorization", b"Basic " + base64.b64encode(pair if isinstance(pair, bytes) else pair.encode())


def http1_bytes(method, path, headers=(), *, authority=b"test", body=b"", version=b"HTTP/1.1"):
    """The bytes of a request. A `path` of None (CONNECT) makes the authority the target."""
    target = path if path is not None else (authority or b"test:443")
    lines = [method + b" " + target + b" " + version]
    if authority is not None:
        lines.append(b"host: " + authority)
    lines += [name + b": " + value for name, value in headers]
    if body:
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def http1(port, method, path, headers=(), *, version=b"HTTP/1.1", **more):
    """Sends one request over HTTP/1; `more` is what `http1_bytes` takes."""
    if version == b"HTTP/1.1":
        headers = [*headers, (b"connection", b"close")]
    request = http1_bytes(method, path, headers, version=version, **more)
    return http1_raw(port, request, head=method == b"HEAD", tunnel=method == b"CONNECT")


class Http1:
    """An HTTP/1.1 connection on which requests are sent one after the other; it opens anew where Envoy closed it."""

    def __init__(self, port):
        self._port = port
        self._socket = None
        self.opened = 0
        """How often it was opened."""

    def close(self):
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def request(self, method, path, headers=(), *, authority=b"test", body=b""):
        """Sends one request and reads its answer."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=TIMEOUT)
            self.opened += 1
        try:
            self._socket.sendall(http1_bytes(method, path, headers, authority=authority, body=body))
            answer = _read_http1(self._socket, method == b"HEAD", tunnel=False)
        except ConnectionError:
            answer = Response("reset")
        if answer.status == "reset" or "close" in answer.header("connection"):
            self.close()
        return answer


def http1_raw(port, request, *, head=False, tunnel=False):
    """Sends bytes and reads one answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as connection:
        try:
            connection.sendall(request)
            return _read_http1(connection, head, tunnel)
        except ConnectionError:
            return Response("reset")


def http1_statuses(port, requests):
    """Sends requests one after the other on one connection and reads the status of each answer."""
    statuses = []
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as connection:
        for request in requests:
            connection.sendall(request)
            statuses.append(_read_http1(connection, head=request.startswith(b"HEAD"), tunnel=False).status)
    return statuses


def together(port, requests):
    """The statuses of requests, given as path and header, that are sent at once, each on its own connection."""
    with contextlib.ExitStack() as stack:
        connect = functools.partial(socket.create_connection, ("127.0.0.1", port), timeout=TIMEOUT)
        connections = [stack.enter_context(connect()) for _ in requests]
        for connection, (path, (name, value)) in zip(connections, requests, strict=True):
            connection.sendall(b"GET %b HTTP/1.1\r\nhost: test\r\n%b: %b\r\n\r\n" % (path, name, value))
        return [int(connection.recv(65536).split()[1]) for connection in connections]


def _read_http1(connection, head, tunnel):
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return Response("reset")
        data += chunk
    top, body = data.split(b"\r\n\r\n", 1)
    status, *lines = top.split(b"\r\n")
    status = int(status.split(b" ")[1])
    headers = [tuple(part.strip() for part in line.split(b":", 1)) for line in lines]
    response = Response(status, headers)
    lengths = response.header("content-length")
    # A tunnel stays open, and an answer to HEAD names a length that does not follow.
    if not head and not (tunnel and status == 200):
        while not lengths or len(body) < int(lengths[0]):
            chunk = connection.recv(65536)
            if not chunk:
                break
            body += chunk
    response.body = body
    return response


class Http2:
    """An HTTP/2 connection on which requests are sent one after the other."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        # Nothing is checked or changed on the way out: hostile requests are the point.
        self._h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
                validate_inbound_headers=False,
                header_encoding=None,
            )
        )
        self._h2.initiate_connection()
        self._flush()

    def close(self):
        self._socket.close()

    def start(self, method, path, headers=(), *, authority=b"test", end=True):
        """Sends the headers of a request and returns its stream."""
        pseudo = [(b":method", method), (b":path", path), (b":scheme", b"http"), (b":authority", authority)]
        if method == b"CONNECT":
            pseudo = [(b":method", method), (b":path", path), (b":authority", authority)]
        stream = self._h2.get_next_available_stream_id()
        self._h2.send_headers(stream, [pair for pair in pseudo if pair[1] is not None] + list(headers), end_stream=end)
        self._flush()
        return stream

    def request(self, method, path, headers=(), *, authority=b"test", body=b""):
        """Sends one request and reads its answer."""
        try:
            # CONNECT opens a tunnel, so its stream is not ended.
            stream = self.start(method, path, headers, authority=authority, end=method != b"CONNECT" and not body)
            return self.finish(stream, method, body)
        except ConnectionError:
            return Response("reset")

    def reset(self, stream):
        """Takes a request back."""
        self._h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
        self._flush()

    def finish(self, stream, method=b"GET", body=b""):
        """Sends a body as fast as the windows let it, and reads the answer on a stream."""
        response, body = Response("reset"), memoryview(body)
        while True:
            body = self._send(stream, body)
            data = self._socket.recv(65536)
            if not data:
                return response
            ended = False
            for event in self._h2.receive_data(data):
                if isinstance(event, h2.events.ConnectionTerminated):
                    return response
                if getattr(event, "stream_id", None) != stream:
                    continue
                if isinstance(event, h2.events.ResponseReceived):
                    response.headers = [(bytes(name), bytes(value)) for name, value in event.headers]
                    response.status = int(response.header(":status")[0])
                    ended = ended or method == b"CONNECT"
                elif isinstance(event, h2.events.DataReceived):
                    response.body += event.data
                    self._h2.acknowledge_received_data(event.flow_controlled_length, stream)
                elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                    ended = True
            self._flush()
            if ended:
                return response

    def _send(self, stream, body):
        """Sends what the windows have room for, and returns the rest."""
        while body and (room := self._h2.local_flow_control_window(stream)) > 0:
            piece, body = body[: (size := min(room, self._h2.max_outbound_frame_size))], body[size:]
            self._h2.send_data(stream, bytes(piece), end_stream=not body)
        self._flush()
        return body

    def _flush(self):
        self._socket.sendall(self._h2.data_to_send())


def http2(port, method, path, headers=(), **more):
    """Sends one request over an HTTP/2 connection of its own; `more` is what `Http2.request` takes."""
    connection = Http2(port)
    try:
        return connection.request(method, path, headers, **more)
    finally:
        connection.close()
