"""`make bench-stall`: what slow password hashes do to everybody else, in one real Envoy with one worker.

300 innocent requests a second on an open path, beside 10 wrong logins a second against a bcrypt hash of cost 10, with
the filter and without it; then a flood of 200 wrong logins a second.
"""

import argparse
import heapq
import statistics
import time

import problem
import processor
import workload
from envoy import Envoy, answer_200, bootstrap, listener, wasm_filter
from hashes import SLOW_SECRET7
from traffic import Traffic

HASH, PASSWORD = f"alice:{SLOW_SECRET7}", "secret7"

BUDGET = 250
"""The default of `hash_budget_ms_per_second`."""

INNOCENTS, LOGINS, FLOOD = 300, 10, 200
ANOTHER = "127.0.0.2"
"""Where the right login comes from. Wrong ones come from 127.0.0.1 or, in the flood, from many addresses."""


def get(path, credential=None):
    lines = [f"GET {path} HTTP/1.1", "host: shop.example.com"]
    if credential:
        lines.append(f"authorization: {workload.authorization(*credential.split(':', 1))}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def every(rate, seconds, kind, port, data, sources):
    """A schedule of requests at even distances; `data` and `sources` are made from their numbers."""
    for number in range(int(rate * seconds)):
        yield number / rate, kind, port, data(number), sources(number)


def innocents(port, seconds):
    return every(INNOCENTS, seconds, "innocent", port, lambda _: get("/open"), lambda _: None)


def wrong_logins(port, seconds, rate=LOGINS, sources=lambda _: "127.0.0.1"):
    """Each with a password of its own: nothing that is remembered helps."""
    return every(rate, seconds, "wrong login", port, lambda number: get("/login", f"alice:wrong{number:06}"), sources)


def play(*schedules, patience):
    return Traffic().run(heapq.merge(*schedules, key=lambda entry: entry[0]), patience=patience)


class Phase:
    """What came of a load: the requests, and the processor time of the worker meanwhile."""

    def __init__(self, worker, *schedules, patience=20):
        self.begun, before = time.perf_counter(), worker.nanoseconds()
        self.requests = play(*schedules, patience=patience)
        self.seconds, self.milliseconds = time.perf_counter() - self.begun, (worker.nanoseconds() - before) / 1e6

    def of(self, kind):
        return [request for request in self.requests if request.kind == kind]

    def statuses(self, kind):
        """How many requests of a kind were answered with what."""
        found = {}
        for request in self.of(kind):
            found[request.status or "lost"] = found.get(request.status or "lost", 0) + 1
        return found

    def times(self, kind):
        return sorted(request.milliseconds for request in self.of(kind) if request.status)


def percentiles(times):
    times = sorted(times)
    if len(times) < 2:
        return (
            {"p50": times[0], "p99": times[0], "max": times[0]}
            if times
            else dict.fromkeys(("p50", "p99", "max"), float("nan"))
        )
    return {
        "p50": statistics.median(times),
        "p99": statistics.quantiles(times, n=100, method="inclusive")[98],
        "max": times[-1],
    }


def show(label, times):
    print(f"  {label:<44}" + "  ".join(f"{name} {value:8.1f}" for name, value in percentiles(times).items()) + "  ms")


def stall(proxy, worker, seconds):
    """The same load without and with the filter; returns whether everything is as promised."""
    without, behind = proxy.ports["without"], proxy.ports["with"]
    # What one verification takes, with its ticks: nobody else is there.
    Phase(worker, innocents(behind, 1), wrong_logins(behind, 0.1))
    quiet = [Phase(worker, wrong_logins(behind, 0.1)) for _ in range(3)]
    one = statistics.median(phase.milliseconds for phase in quiet)
    print("\nlone wrong login")
    show("answer", [time for phase in quiet for time in phase.times("wrong login")])
    print(f"  processor time of the worker: {one:.0f} ms")

    print(f"\n{INNOCENTS} innocent requests and {LOGINS} wrong logins a second, for {seconds} s")
    before = Phase(worker, innocents(without, seconds), wrong_logins(without, seconds))
    right = [(seconds / 2, "right login", behind, get("/login", f"alice:{PASSWORD}"), ANOTHER)]
    after = Phase(worker, innocents(behind, seconds), wrong_logins(behind, seconds), right)
    show("innocent, no filter", before.times("innocent"))
    show("innocent, this module", after.times("innocent"))
    show("wrong logins", after.times("wrong login"))
    show(f"a right login from {ANOTHER} meanwhile", after.times("right login"))
    finished = after.statuses("wrong login").get(401, 0) + after.statuses("right login").get(200, 0)
    spent = after.milliseconds - before.milliseconds
    share = finished * one / spent
    print(f"  wrong logins: {after.statuses('wrong login')}; innocents: {after.statuses('innocent')}")
    took = spent / after.seconds
    print(f"  processor time that the filter took: {took:.0f} ms a second of {BUDGET} that hashes may have")
    print(f"  of that for {finished} verifications that finished: {share:.0%}")
    late = percentiles(after.times("innocent"))["p99"] - percentiles(before.times("innocent"))["p99"]
    return {
        f"innocent p99 at most 5 ms over the run without the filter ({late:+.1f} ms)": late <= 5,
        "no innocent request lost": after.statuses("innocent") == {200: len(after.of("innocent"))},
        "every wrong login answered 401 or 429": after.statuses("wrong login").keys() <= {401, 429},
        f"at least 80 % of the time spent on verifications that finished ({share:.0%})": share >= 0.8,
        "the right login accepted within 5 s": after.statuses("right login") == {200: 1}
        and after.times("right login")[0] <= 5000,
    }


def flood(proxy, worker, seconds):
    """Far more logins than can be verified, from many addresses."""
    behind = proxy.ports["with"]
    sources = lambda number: f"127.0.{1 + number % 8}.{1 + number // 8 % 32}"  # noqa: E731
    print(f"\n{INNOCENTS} innocent requests and {FLOOD} wrong logins a second from 256 addresses, for {seconds} s")
    # A short one before fills what is kept for good: connections, buffers, the queue.
    Phase(worker, innocents(behind, 2), wrong_logins(behind, 2, FLOOD, sources))
    before = processor.resident(proxy.process.pid)
    phase = Phase(worker, innocents(behind, seconds), wrong_logins(behind, seconds, FLOOD, sources))
    after = processor.resident(proxy.process.pid)
    show("innocent, this module", phase.times("innocent"))
    show("wrong logins", phase.times("wrong login"))
    print(f"  wrong logins: {phase.statuses('wrong login')}; innocents: {phase.statuses('innocent')}")
    print(f"  memory: {before / (1 << 20):.1f} MiB before, {after / (1 << 20):.1f} MiB after")
    return {
        "memory flat (at most 4 MiB more)": after - before <= 4 << 20,
        "no innocent request lost in the flood": phase.statuses("innocent") == {200: len(phase.of("innocent"))},
        "every login of the flood answered 401 or 429": phase.statuses("wrong login").keys() <= {401, 429},
    }


def main(arguments):
    processor.require_linux()
    configuration = {
        "basic_auth_rules": [{"prefix": "/login", "htpasswd": HASH}],
        "hash_budget_ms_per_second": BUDGET,
    }
    listeners = [
        listener("without", [], answer_200("")),
        listener("with", [wasm_filter(configuration)], answer_200("")),
    ]
    with Envoy(bootstrap(listeners)) as proxy:
        worker = processor.Worker(proxy.process.pid)
        results = {**stall(proxy, worker, arguments.seconds), **flood(proxy, worker, arguments.flood_seconds)}
    print()
    for promise, kept in results.items():
        print(f"  {'kept  ' if kept else 'BROKEN'} {promise}")
    # Times depend on the machine; what is counted does not.
    return 0 if all(results.values()) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--flood-seconds", type=int, default=20)
    problem.run("make bench-stall", main, parser.parse_args())
