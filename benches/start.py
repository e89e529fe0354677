"""What starting costs: time and processor time until the first answer, and the memory of a worker."""

import statistics
import time

import workload
from envoy import Envoy, answer_200, bootstrap, listener, wasm_filter
from load import Http1
from processor import all_threads, resident
from rounds import progress
from variants import for_everyone

TIMES = 3


def starts(modules):
    """What is started: a chain of filters by name. The idle module ignores its configuration: with 100,000 rules it
    shows what Envoy itself does with so much text."""
    many = workload.SIZES[-1]
    texts = {
        "1 rule": workload.rules(1),
        f"{many:,} rules": workload.rules(many),
        f"{many:,} users": workload.users(many),
    }
    yield "none", []
    for shape, configuration in texts.items():
        for name, module in modules.items():
            yield f"{name}, {shape}", [wasm_filter(for_everyone(configuration), module=module)]


def start(filters, workers):
    """One start and one request: seconds, seconds of processor time, bytes of memory."""
    begun = time.monotonic()
    with Envoy(bootstrap([listener("one", filters, answer_200(""))]), concurrency=workers, patience=300) as proxy:
        Http1(proxy.ports["one"], workload.request(workload.OPEN)).close()
        return time.monotonic() - begun, all_threads(proxy.process.pid), resident(proxy.process.pid)


def measure(modules, times=TIMES):
    """Medians of several starts, taken in turns."""
    chains = dict(starts(modules))
    taken = {name: [] for name in chains}
    for number in range(times):
        for name, filters in chains.items():
            seconds, processor, one = start(filters, 1)
            # The main thread has virtual machines of its own; a second worker shows what one costs.
            _, _, two = start(filters, 2)
            taken[name].append((seconds, processor, two - one))
            progress(f"start {number + 1} of {times}: {name}")
    progress("")
    names = ("seconds", "processor_seconds", "worker_bytes")
    return {
        name: dict(zip(names, map(statistics.median, zip(*rows, strict=True)), strict=True))
        for name, rows in taken.items()
    }
