"""`make bench-upload`: what the filter adds to an upload, of which Envoy shows every piece to a module.

Envoy calls a module for each piece of a body if the module has a callback for bodies. This one has to: where a plugin
has `allow_on_headers_stop_iteration`, a piece that nobody looks at takes along the request that waits for its password.
Each upload goes to a path that no rule covers; what counts is the processor time of Envoy's only worker.
"""

import argparse
import random
import socket
import statistics

import h2.config
import h2.connection
import h2.events
import upstream
import workload
from envoy import MODULE, Envoy, bootstrap, listener, wasm_filter
from http_client import http1_bytes
from packages import ROOT
from processor import Worker, require_linux
from variants import for_everyone

IDLE_MODULE = ROOT / "target" / "idle" / "wasm32-wasip1" / "release" / "idle.wasm"
"""It has the same callbacks and looks at nothing."""

SIZE = 10 * 1024 * 1024
BODY = bytes(SIZE)


class Http1:
    """Uploads over one connection."""

    name = "HTTP/1.1"

    def __init__(self, port):
        self._connection = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._request = http1_bytes(b"POST", workload.OPEN.encode(), body=BODY)

    def upload(self):
        self._connection.sendall(self._request)
        answer = self._connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 "), answer[:80]
        # The upstream's page is small and comes at once or in two parts.
        head, _, page = answer.partition(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length"))
        while len(page) < length:
            page += self._connection.recv(65536)


class Http2:
    """Uploads over one connection, as fast as Envoy's windows let them."""

    name = "HTTP/2"

    def __init__(self, port):
        self._connection = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self._h2.initiate_connection()

    def upload(self):
        stream = self._h2.get_next_available_stream_id()
        head = {":method": "POST", ":path": workload.OPEN, ":authority": "test", ":scheme": "http"}
        self._h2.send_headers(stream, [*head.items(), ("content-length", str(SIZE))])
        sent, status, is_over = 0, None, False
        while not is_over:
            while sent < SIZE and (room := self._h2.local_flow_control_window(stream)) > 0:
                piece = BODY[sent : sent + min(room, self._h2.max_outbound_frame_size)]
                sent += len(piece)
                self._h2.send_data(stream, piece, end_stream=sent == SIZE)
            self._connection.sendall(self._h2.data_to_send())
            for event in self._h2.receive_data(self._connection.recv(65536)):
                if isinstance(event, h2.events.ResponseReceived):
                    status = dict(event.headers)[b":status"]
                elif isinstance(event, h2.events.DataReceived):
                    self._h2.acknowledge_received_data(event.flow_controlled_length, stream)
                is_over |= isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset))
        assert status == b"200", status


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    require_linux()
    rules = for_everyone(workload.rules(1))
    filters = {
        "none": [],
        "idle": [wasm_filter(rules, module=IDLE_MODULE)],
        "basic_auth": [wasm_filter(rules, module=MODULE)],
    }
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}]
    address = {"socket_address": {"address": "127.0.0.1", "port_value": upstream.start()}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    cluster = {"name": "upstream", "load_assignment": {"cluster_name": "upstream", "endpoints": endpoints}}
    listeners = [listener(name, chain, routes) for name, chain in filters.items()]
    with Envoy(bootstrap(listeners, [cluster]), patience=60) as proxy:
        worker = Worker(proxy.process.pid)
        clients = {
            (name, protocol.name): protocol(proxy.ports[name]) for name in filters for protocol in (Http1, Http2)
        }
        taken = {one: [] for one in clients}
        dice = random.Random(7617)
        for _ in range(rounds + 1):
            order = list(clients)
            dice.shuffle(order)
            for one in order:
                before = worker.nanoseconds()
                clients[one].upload()
                taken[one].append((worker.nanoseconds() - before) / 1e6)
    print(f"10 MiB up, {rounds} times each: milliseconds of Envoy's worker, median of all, and what a filter adds\n")
    print("| | " + " | ".join(protocol.name for protocol in (Http1, Http2)) + " |")
    print("| --- | ---: | ---: |")
    for name in filters:
        cells = []
        for protocol in (Http1, Http2):
            # The first one opens the connection.
            here, none = taken[name, protocol.name][1:], taken["none", protocol.name][1:]
            middle = statistics.median(none)
            added = statistics.median(one - other for one, other in zip(here, none, strict=True))
            cells.append(f"{statistics.median(here):.2f} ({100 * added / middle:+.1f} %)")
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
