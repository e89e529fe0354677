"""Requests by the clock: so many a second, whether or not the ones before have been answered."""

import dataclasses
import selectors
import socket
import time


@dataclasses.dataclass
class Request:
    """One request. `status` stays None if it is never answered."""

    kind: str
    sent: float
    status: int = None
    answered: float = None

    @property
    def milliseconds(self):
        return (self.answered - self.sent) * 1000


class Traffic:
    """Clients on one thread. Requests without a source of their own share connections, others have one each."""

    def __init__(self):
        self.requests = []
        self._selector = selectors.DefaultSelector()
        self._idle = {}
        self._waiting = 0

    def run(self, schedule, *, patience):
        """Sends a schedule: (seconds from now, kind, port, bytes, source address or None), sorted by time.

        Then waits for what is not answered, no longer than `patience` seconds.
        """
        begun = time.perf_counter()
        for due, kind, port, data, source in schedule:
            while (left := begun + due - time.perf_counter()) > 0:
                self._take(left)
            self._send(kind, port, data, source)
        last = time.perf_counter() + patience
        while self._waiting and (left := last - time.perf_counter()) > 0:
            self._take(left)
        return self.requests

    def _send(self, kind, port, data, source):
        idle = self._idle.setdefault(port, [])
        if source is None and idle:
            connection = idle.pop()
        else:
            connection = socket.create_connection(
                ("127.0.0.1", port), timeout=10, source_address=source and (source, 0)
            )
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = Request(kind, time.perf_counter())
        self.requests.append(request)
        connection.sendall(data)
        self._waiting += 1
        self._selector.register(connection, selectors.EVENT_READ, (request, bytearray(), None if source else idle))

    def _take(self, seconds):
        for key, _ in self._selector.select(seconds):
            connection, (request, answer, idle) = key.fileobj, key.data
            try:
                data = connection.recv(65536)
            except OSError:
                data = b""
            answer += data
            whole = b"\r\n\r\n" in answer
            if data and not whole:
                continue
            self._selector.unregister(connection)
            self._waiting -= 1
            if whole:
                request.status, request.answered = int(answer[9:12]), time.perf_counter()
            # Bodies are empty here, so a head is all; a refused connection may be closed by the proxy at any time.
            if whole and idle is not None and b"connection: close" not in answer:
                idle.append(connection)
            else:
                connection.close()
