"""The table of decisions under wasmtime: a second runtime, apart from Envoy and its V8."""

import pytest
from host import Refused
from table import all_tables, expected


def headers_of(case):
    pseudo = [(b":method", case.method), (b":path", case.path), (b":authority", case.authority)]
    return [pair for pair in pseudo if pair[1] is not None] + case.headers


def decide(plugin, case):
    """Sends a request and lets the module work until it is decided; returns the answer."""
    stream = plugin.open(headers_of(case))
    for _ in range(10_000):
        if not stream.outcome().paused:
            break
        plugin.now += 4_000_000
        plugin.tick()
    outcome = stream.outcome()
    stream.close()
    return outcome


def test_every_decision_of_the_table_under_wasmtime(module, capsys):
    sent, wrong = 0, []
    for table in all_tables():
        plugin = module.plugin(table.configuration)
        for case in table.cases:
            outcome = decide(plugin, case)
            sent += 1
            status, challenge = expected(case)
            challenges = [value.decode("latin-1") for name, value in outcome.headers if outcome.status and name == b"www-authenticate"]
            if (outcome.status or 200, challenges, outcome.body, outcome.paused) != (status, challenge, b"", False):
                wrong.append(f"{table.name}: {case}\n  is {outcome}, not {status} {challenge}")
    assert not wrong, f"{len(wrong)} of {sent} decisions are wrong:\n" + "\n".join(wrong)
    assert sent > 100
    with capsys.disabled():
        print(f"\ndecisions: {sent} ran under wasmtime")


def test_a_refused_configuration_is_refused_by_the_module(module):
    with pytest.raises(Refused):
        module.plugin({"basic_auth_rules": None})
