"""`make bench-upload`: what the filter adds to an upload, of which Envoy shows every piece to a module.

Envoy calls a module for each piece of a body if the module has a callback for bodies. This one has to: where a plugin
has `allow_on_headers_stop_iteration`, a piece that nobody looks at takes along the request that waits for its password.
Each upload goes to a path that no rule covers; what counts is the processor time of Envoy's only worker.
"""

import argparse
import random
import statistics

import problem
import processor
import report
import upstream
import workload
from envoy import MODULE, Envoy, bootstrap, cluster, listener, wasm_filter
from http_client import Http1, Http2
from variants import IDLE, IDLE_MODULE, NONE, OURS, for_everyone

PROTOCOLS = {"HTTP/1.1": Http1, "HTTP/2": Http2}
BODY = bytes(10 * 1024 * 1024)

LENGTH = {"HTTP/1.1": [], "HTTP/2": [(b"content-length", b"%d" % len(BODY))]}
"""For the upstream, which reads no other framing. Over HTTP/1.1 the client adds it by itself."""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    processor.require_linux()
    rules = for_everyone(workload.rules(1))
    filters = {NONE: [], IDLE: [wasm_filter(rules, module=IDLE_MODULE)], OURS: [wasm_filter(rules, module=MODULE)]}
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}]
    listeners = [listener(name, chain, routes) for name, chain in filters.items()]
    with Envoy(bootstrap(listeners, [cluster("upstream", upstream.start())]), patience=60) as proxy:
        taken = measure(proxy, filters, rounds)
    print(f"10 MiB up, {rounds} times each: milliseconds of Envoy's worker, median of all, and what a filter adds\n")
    rows = [[name, *(cell(taken[name, protocol], taken[NONE, protocol]) for protocol in PROTOCOLS)] for name in filters]
    print(report.table(["", *PROTOCOLS], rows))


def measure(proxy, filters, rounds):
    """Milliseconds of the worker for each upload, by filter and protocol, without the one that opens the connection."""
    worker = processor.Worker(proxy.process.pid)
    clients = {(name, protocol): PROTOCOLS[protocol](proxy.ports[name]) for name in filters for protocol in PROTOCOLS}
    taken = {one: [] for one in clients}
    dice = random.Random(7617)
    for _ in range(rounds + 1):
        order = list(clients)
        dice.shuffle(order)
        for one in order:
            before = worker.nanoseconds()
            answer = clients[one].request(b"POST", workload.OPEN.encode(), LENGTH[one[1]], body=BODY)
            assert answer.status == 200, (one, answer)
            taken[one].append((worker.nanoseconds() - before) / 1e6)
    return {one: times[1:] for one, times in taken.items()}


def cell(here, without):
    added = statistics.median(one - other for one, other in zip(here, without, strict=True))
    return f"{statistics.median(here):.2f} ({100 * added / statistics.median(without):+.1f} %)"


if __name__ == "__main__":
    problem.run("make bench-upload", main)
