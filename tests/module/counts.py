"""What requests cost, counted: host calls and instructions, the same on every machine.

`make counts` writes them to testdata/counts.json.
"""

import json

import wasmtime
import workload
from envoy import MODULE
from host import Module
from packages import ROOT

FILE = ROOT / "testdata" / "counts.json"

LONG = 50_000
"""Bytes of a long path; Envoy's own limit for all headers is 60 KiB unless it is raised."""

RUNAWAY = 3_000_000_000
"""Instructions after which a request is given up: a proxy's worker would stand still for seconds."""


MANY = [size for size in workload.SIZES if size > 1]


def shapes():
    """The configurations by name, each with its requests by name."""
    yield "1 rule", workload.rules(1), dict(usual(1))
    for size in MANY:
        yield f"{size:,} rules", workload.rules(size), dict(usual(size))
        yield f"{size:,} users", workload.users(size), dict(usual(size))
    for size in (1, 10_000):
        last = f"tenant{size - 1:06}.example.com"
        covered = {"authority": last, "credential": workload.user(size - 1)}
        yield (
            f"{size:,} host{'s' if size > 1 else ''}",
            workload.hosts(size),
            {
                "not covered": workload.request("/page"),
                "accepted": workload.request("/page", **covered),
                "accepted, a name below": workload.request("/page", **{**covered, "authority": f"a.b.{last}"}),
            },
        )
    for size in (1, 100_000):
        credential = {"credential": workload.user(size - 1)}
        yield (
            f"{size:,} rule{'s' if size > 1 else ''} for hosts with a star",
            workload.wildcard_hosts(size),
            {
                "not covered": workload.request("/page", authority="shop-x.example.com"),
                "accepted by its end": workload.request(
                    "/page", authority=f"web-t{size - 1:06}.example.com", **credential
                ),
                "accepted by its beginning": workload.request(
                    "/page", authority=f"t{size - 1:06}-web.example.com", **credential
                ),
            },
        )
    for size in (1, 10_000):
        yield (
            f"{size:,} exception{'s' if size > 1 else ''}",
            workload.exceptions(size),
            {
                "excepted": workload.request(f"/open{size - 1:06}/page"),
                "excepted, two readings": workload.request(f"/open{size - 1:06}//page"),
                "accepted": workload.request("/page", credential=workload.user(0)),
            },
        )
    for size in (1, 100):
        yield (
            f"{size} exception{'s' if size > 1 else ''} by regex",
            workload.regex_exceptions(size),
            {
                "excepted by a prefix": workload.request("/public/logo.png"),
                "excepted by a prefix, two readings": workload.request("/public//logo.png"),
            },
        )
    for size in (10_000, 100_000):
        yield (
            f"{size:,} times one user",
            workload.copies(size),
            {"accepted": workload.request("/", credential=workload.user(0))},
        )
    worst = {
        "1 rule": workload.rules(1),
        "2,000 nested prefixes": workload.nested_prefixes(2_000),
        "2,000 nested suffixes": workload.nested_suffixes(2_000),
        "100,000 prefixes alike": workload.alike("prefix", 100_000),
        "100,000 suffixes alike": workload.alike("suffix", 100_000),
        "1,000 regexes": workload.regexes(1_000),
        "1,000 regexes without a text": workload.bare_regexes(1_000),
    }
    for name, configuration in worst.items():
        yield f"worst: {name}", configuration, dict(_long())


def usual(size):
    """The requests that `rules(size)` and `users(size)` are for."""
    for case, (path, credential) in workload.cases(size).items():
        for headers, more in workload.HEADERS.items():
            yield f"{case}, {headers}", workload.request(path, credential=credential, more=more)


def _long():
    for name, path in workload.PATHS.items():
        for length in (LONG // 2, LONG):
            yield f"{length:,} bytes of {name}", workload.request(path(length), credential=workload.user(0))


def count(plugin, headers):
    """A request's usual cost: the mean of several, after others that have made room in the module's memory."""
    long = max(len(value) for _, value in headers) > 10_000
    warm, runs = (1, 2) if long else (4, 16)
    try:
        # What earlier requests did is told, and long ago: many wrong logins within a minute cost more.
        for _ in range(2):
            plugin.now += 60_000_000_000
            plugin.tick()
        for _ in range(warm):
            plugin.request(headers)
        outcomes = [plugin.request(headers) for _ in range(runs)]
    except wasmtime.Trap as trap:
        return {"answer": "trap", "calls": {}, "fuel": RUNAWAY, "trap": str(trap).strip().splitlines()[-1].strip()}
    calls = outcomes[-1].calls
    assert all(outcome.calls == calls for outcome in outcomes), "one request is not like the other"
    return {
        "answer": outcomes[-1].status or "passed on",
        "calls": dict(sorted(calls.items())),
        "fuel": round(sum(outcome.fuel for outcome in outcomes) / runs),
    }


def measure(module):
    """All counts: by configuration the cost of loading it and of each request."""
    counts = {}
    for name, configuration, requests in shapes():
        text = json.dumps(configuration)
        plugin = module.plugin(text)
        plugin.limit = RUNAWAY
        counts[name] = {"load": {"bytes": len(text), "fuel": plugin.load_fuel, "memory": plugin.memory}, "requests": {}}
        for which, headers in requests.items():
            counts[name]["requests"][which] = counted = count(plugin, headers)
            if counted["answer"] == "trap":
                # What a trap leaves behind is no state to count in.
                plugin = module.plugin(text)
                plugin.limit = RUNAWAY
    return counts


def main():
    counts = measure(Module(MODULE))
    lines = json.dumps(counts, indent=1)
    FILE.write_text(lines + "\n")
    print(f"{FILE.relative_to(ROOT)}: {sum(len(shape['requests']) for shape in counts.values())} requests counted")


if __name__ == "__main__":
    main()
