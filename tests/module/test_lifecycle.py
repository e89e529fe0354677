"""The life of a root context and of the requests that wait under it, in the module itself.

`tests/session.rs` is the same natively, call by call; what Envoy does is in `tests/envoy/test_rotation.py`.
"""

import pytest
import workload
from hashes import DEARER_SECRET7

RULES = {"basic_auth_rules": [{"prefix": "/slow", "htpasswd": f"dear:{DEARER_SECRET7}"}]}
RIGHT, WRONG = ("dear", "secret7"), ("dear", "wrong")


def statuses(streams):
    return [(stream.outcome().status, stream.outcome().paused) for stream in streams]


def test_the_timer_runs_while_somebody_waits_and_no_longer(module):
    plugin = module.plugin(RULES)
    # In the first tick the proxy learns what is in force.
    assert plugin.tick_period == 1_000
    plugin.tick()
    plugin.request(workload.request("/open"))
    assert plugin.tick_period == 0
    first, second = (plugin.open(workload.request("/slow", credential=pair)) for pair in (RIGHT, WRONG))
    assert plugin.tick_period > 0
    plugin.settle(first)
    plugin.settle(second)
    assert statuses([first, second]) == [(None, False), (401, False)]
    assert plugin.tick_period == 0
    # A client that is gone leaves nothing to do.
    plugin.open(workload.request("/slow", credential=WRONG)).close()
    assert plugin.tick_period > 0
    plugin.tick()
    assert plugin.tick_period == 0


def test_a_body_goes_no_further_than_its_request(module):
    """Envoy asks about it where `allow_on_headers_stop_iteration` is set, and other hosts may always do."""
    plugin = module.plugin(RULES)
    # Of these answers 0 lets it pass, 1 fills Envoy's buffer and then refuses, and 2 lets it wait.
    right, wrong = (plugin.open(workload.request("/slow", credential=pair)) for pair in (RIGHT, WRONG))
    assert [stream.chunk(65_536) for stream in (right, wrong)] == [2, 2]
    plugin.settle(right)
    assert right.chunk(65_536) == 0
    plugin.settle(wrong)
    assert wrong.chunk(65_536) == 2
    assert plugin.open(workload.request("/open")).chunk(65_536) == 0


@pytest.mark.parametrize(
    "then", [RULES, {"basic_auth_rules": [{"prefix": "/slow", "wrong": 1}]}], ids=["good", "refused"]
)
def test_whoever_waits_under_a_replaced_configuration_is_answered(module, then):
    plugin = module.plugin(RULES)
    streams = [plugin.open(workload.request("/slow", credential=pair)) for pair in (RIGHT, WRONG)]
    assert statuses(streams) == [(None, True)] * 2
    took = plugin.reconfigure(then)
    assert statuses(streams) == [(429, False)] * 2
    assert all((b"retry-after", b"1") in stream.outcome().headers for stream in streams)
    # A configuration that is in force tells the proxy so in a tick.
    assert plugin.tick_period == (1_000 if took else 0)
    assert plugin.request(workload.request("/slow")).status == (401 if took else 503)
    assert took == (then is RULES)


@pytest.mark.parametrize("handed_over", [None, RULES], ids=["nothing", "a part"])
def test_a_configuration_that_is_not_handed_over_whole_is_refused(module, handed_over):
    plugin = module.plugin(RULES)
    assert not plugin.reconfigure(handed_over, announced=1_000)
    assert "the proxy announced 1000 bytes and handed over" in plugin.log[-1]
    assert plugin.request(workload.request("/open")).status == 503


def test_no_configuration_at_all_protects_nothing(module):
    plugin = module.plugin(RULES)
    assert plugin.reconfigure(None)
    assert plugin.request(workload.request("/slow")).status is None
    assert any("nothing is protected" in line for line in plugin.log)
