"""The table of decisions under wasmtime: a second runtime, apart from Envoy and its V8."""

import collections

import pytest
from host import Refused
from table import all_tables, expected

LOOPBACK = {("source", "address"): b"127.0.0.1:50000"}
"""Where the tests through Envoy come from."""


def headers_of(case):
    """The headers of a case as a proxy shows them to the module."""
    pseudo = [(b":method", case.method), (b":path", case.path), (b":authority", case.authority)]
    return [pair for pair in pseudo if pair[1] is not None] + case.headers


def outcome_of(plugin, case):
    """What becomes of a case, after it has waited for its hash."""
    stream = plugin.open(headers_of(case))
    plugin.settle(stream)
    outcome = stream.outcome()
    stream.close()
    assert not outcome.paused, f"{case} waits for ever"
    return outcome


def answer(plugin, case):
    """Status and challenges of a case, in the form of `expected`; a request that goes on is answered 200."""
    outcome = outcome_of(plugin, case)
    assert not outcome.body, f"{case} was answered with a body"
    if outcome.status is None:
        return 200, []
    return outcome.status, [value.decode("latin-1") for name, value in outcome.headers if name == b"www-authenticate"]


def test_every_decision_of_the_table_under_wasmtime(module, capsys):
    sent, wrong = 0, []
    for table in all_tables():
        plugin = module.plugin(table.configuration, properties=LOOPBACK)
        for case in table.cases:
            sent += 1
            if (is_ := answer(plugin, case)) != expected(case):
                wrong.append(f"{table.name}: {case}\n  is {is_}, not {expected(case)}")
    assert not wrong, f"{len(wrong)} of {sent} decisions are wrong:\n" + "\n".join(wrong)
    assert sent > 100
    with capsys.disabled():
        print(f"\ndecisions: {sent} ran under wasmtime")


def test_refusals_differ_in_nothing(module):
    """apisix#6703: the refusal told an unknown user from a wrong password."""
    most = 0
    for table in all_tables():
        plugin = module.plugin(table.configuration, properties=LOOPBACK)
        answers, reasons = collections.defaultdict(set), collections.defaultdict(set)
        for case in table.cases:
            if case.expect.startswith("refused for "):
                reason, _, rule = case.expect.removeprefix("refused for ").partition(" by ")
                outcome = outcome_of(plugin, case)
                answers[rule].add((outcome.status, tuple(outcome.headers), outcome.body))
                reasons[rule].add(reason)
        assert all(len(alike) == 1 for alike in answers.values()), f"{table.name}: {answers}"
        most = max(most, *map(len, reasons.values()))
    assert most == 4, "one rule that refuses for missing, malformed, unknown_user and wrong_password"


def test_a_refused_configuration_is_refused_by_the_module(module):
    with pytest.raises(Refused):
        module.plugin({"basic_auth_rules": None})
