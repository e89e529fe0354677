"""What a worker gives to slow hashes: its budget when it is busy, and more when it has nothing else to do.

The clock is made up: it moves by the instructions of a tick, at about the speed of Envoy's V8, and between ticks by
what was asked for, or more.
"""

import workload
from hashes import DEARER_SECRET7

USERS = [f"user{number}" for number in range(200)]
LIST = "\n".join(f"{user}:{DEARER_SECRET7}" for user in USERS)

PACE = 1 / 3
"""Nanoseconds an instruction."""


def come_back(module, late, beside=0, **options):
    """All users log in at once, and again when they are told to; what came of it.

    Ticks come so many nanoseconds late, and `beside` is how many open requests come before each. Each user comes from
    an address of its own.
    """
    plugin = module.plugin({"basic_auth_rules": [{"prefix": "/users", "htpasswd": LIST}], **options})
    plugin.pace = PACE
    began, worked, longest = plugin.now, 0, 0
    outside, waiting, periods = dict.fromkeys(range(len(USERS)), plugin.now), {}, set()
    while outside or waiting:
        for number in [number for number, due in outside.items() if due <= plugin.now]:
            request = workload.request("/users", credential=(USERS[number], "secret7"))
            waiting[number] = plugin.open(request, properties={("source", "address"): f"10.0.0.{number}:4711".encode()})
            del outside[number]
        for _ in range(beside):
            plugin.request(workload.request(workload.OPEN))
        plugin.now += (plugin.tick_period or 1_000) * 1_000_000 + late
        periods.add(plugin.tick_period)
        before = plugin.now
        plugin.tick()
        worked, longest = worked + plugin.now - before, max(longest, plugin.now - before)
        for number, stream in list(waiting.items()):
            outcome = stream.outcome()
            if outcome.paused:
                continue
            if outcome.status is not None:
                assert outcome.status == 429
                outside[number] = plugin.now + int(dict(outcome.headers)[b"retry-after"]) * 1_000_000_000
            stream.close()
            del waiting[number]
    seconds = (plugin.now - began) / 1e9
    assert plugin.metrics["basic_auth.verifications"] == len(USERS)
    return {"seconds": seconds, "share": worked / 1e6 / seconds, "longest": longest / 1e6, "periods": periods}


def test_a_busy_worker_keeps_the_budget_and_an_idle_one_gives_twice_that(module):
    busy, idle = (come_back(module, late) for late in (1_000_000, 60_000))
    # The ticks themselves are in it, and what may be spent at once.
    assert busy["share"] <= 275 and 4 in busy["periods"] and 2 not in busy["periods"]
    assert 2 in idle["periods"] and busy["share"] * 1.5 <= idle["share"] <= 520
    assert idle["seconds"] < busy["seconds"]
    # Nobody else waits longer for a slice.
    assert idle["longest"] <= busy["longest"] * 1.05


def test_a_worker_with_many_other_requests_keeps_the_budget(module):
    busy = come_back(module, 60_000, beside=5)
    assert busy["share"] <= 275 and 2 not in busy["periods"]
    assert 2 in come_back(module, 60_000, beside=2)["periods"]


def test_a_small_budget_stays_small(module):
    idle = come_back(module, 60_000, hash_budget_ms_per_second=50)
    assert 75 <= idle["share"] <= 110 and 2 not in idle["periods"]
