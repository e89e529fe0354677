"""Thousands of random configurations and requests in the finished module itself: no trap, no endless loop, no second
answer, and the decisions of the native crate.

A failure names its seed; `SEED=… make test-module` repeats it.
"""

import collections
import json
import random

import pytest
import wasmtime
from host import Refused
from random_requests import Request, random_batches, random_configuration, random_request, seeds
from table import expected
from test_table import answer

CONFIGURATIONS, REQUESTS = 100, 30

RUNAWAY = 100_000_000
"""Instructions after which a call is given up. The longest here takes a hundredth of that."""

SEEDS = seeds(20260727)


@pytest.mark.parametrize("seed", SEEDS)
def test_native_and_in_module_decisions_agree(module, seed, capsys):
    seen, wrong = collections.Counter(), []
    for config, requests in random_batches(random.Random(seed), CONFIGURATIONS, REQUESTS):
        plugin = module.plugin(config, fuel=RUNAWAY)
        for one in requests:
            seen[one.expect.split(" ")[0]] += 1
            if (is_ := answer(plugin, one)) != expected(one):
                wrong.append(f"{one.line()}\n  is {is_}\n  natively {one.expect}\n  under {json.dumps(config)}")
    assert not wrong, f"{len(wrong)} decisions differ:\n" + "\n".join(wrong[:5])
    assert min(seen["pass"], seen["refused"], seen["accepted"]) > 20, seen
    with capsys.disabled():
        print(f"\ndifferential: {seen.total()} requests in the module: {dict(seen)}")


def mangled(draw, data):
    """Bytes with some of them changed, taken out, doubled or put in."""
    data = bytearray(data)
    for _ in range(draw.randrange(4)):
        place = draw.randrange(len(data) + 1)
        end = min(len(data), place + draw.randrange(6))
        data[place:end] = draw.choice(
            [b"", data[place:end] * 2, bytes([draw.randrange(256)]), b'"', b"\\u0000", b"{", b"1e999", b"null"]
        )
    return bytes(data)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_configuration_and_no_request_traps(module, seed, capsys):
    draw, seen = random.Random(seed), collections.Counter()
    plugin = module.plugin(
        {"basic_auth_rules": [{"prefix": "/", "hosts": ["a"], "credentials": ["ok:test"]}]}, fuel=RUNAWAY
    )
    for _ in range(400):
        text = mangled(draw, json.dumps(random_configuration(draw)).encode())
        try:
            plugin = module.plugin(text, fuel=RUNAWAY)
            seen["accepted"] += 1
        except Refused as refused:
            errors = [line for line in refused.log if line.startswith("error: ")]
            # Ten at most, and how many more.
            assert 1 <= len(errors) <= 11 and "\n" not in "".join(errors), f"{text}\n{refused.log}"
            seen["refused"] += 1
        except wasmtime.Trap as trap:
            pytest.fail(f"{text} traps: {trap}")
        for _ in range(10):
            one = random_request(draw)
            parts = [
                mangled(draw, part)
                for part in (one.method, one.path, one.authority, b"Basic " + draw.randbytes(draw.randrange(8)))
            ]
            hostile = Request(parts[0], parts[1], parts[2], [parts[3]] * draw.randrange(3))
            try:
                answer(plugin, hostile)
            except wasmtime.Trap as trap:
                pytest.fail(f"{hostile} traps under {plugin._configuration}: {trap}")
    assert min(seen["accepted"], seen["refused"]) > 20, seen
    with capsys.disabled():
        print(f"\nno trap: {seen.total()} configurations ({dict(seen)}) and {10 * seen.total()} requests in the module")
