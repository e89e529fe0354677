"""Whoever is refused was refused at the same price: counted in instructions, waiting included.

CVE-2026-27480: an unknown user was answered faster. CVE-2026-41263: a user with a cheap hash was answered faster than
one with a dear hash.
"""

import pytest
import workload
from hashes import CHEAP_SECRET3, DEARER_SECRET7, SHA_SECRET1

SHA = f"fast:{SHA_SECRET1}"
CHEAP = f"cheap:{CHEAP_SECRET3}"
DEAR = f"dear:{DEARER_SECRET7}"
"""Costs of bcrypt that are low enough for a test."""

MARGIN = 2_000
"""Instructions, half a microsecond or so: what the lengths of names and a look into a table may differ by."""

ALL = "\n".join([SHA, CHEAP, DEAR])

RULES = {
    "fast": {"htpasswd": SHA},
    "cheap": {"htpasswd": CHEAP},
    "dear": {"htpasswd": DEAR},
    "all": {"htpasswd": ALL},
    "beside a plain password": {"htpasswd": ALL, "credentials": ["plain:secret9"]},
    "two passwords of one user": {"htpasswd": f"{ALL}\n{DEAR.replace('dear', 'cheap')}"},
    "from the environment as well": {"htpasswd": CHEAP, "htpasswd_env": "USERS", "credentials": ["plain:secret9"]},
}

ENVIRONMENT = {"USERS": f"{SHA}\n{DEAR}"}

NAMES = ["fast", "cheap", "dear", "plain", "nobody"]
"""Of users that a rule knows, and of those that it does not."""


def login(plugin, name, password="wrong12"):
    """Status and instructions of one login."""
    stream = plugin.open(workload.request("/", credential=(name, password)))
    fuel = plugin.settle(stream)
    outcome = stream.outcome()
    stream.close()
    return outcome, fuel + stream.fuel


@pytest.mark.parametrize("users", RULES)
def test_every_refused_login_costs_the_same(module, users):
    costs = {}
    for name in NAMES:
        plugin = module.plugin({"basic_auth_rules": [{"prefix": "/", **RULES[users]}]}, environment=ENVIRONMENT)
        # The first request of a machine makes room for all that follow.
        plugin.request(workload.request("/", credential=("somebody", "else")))
        outcome, costs[name] = login(plugin, name)
        assert outcome.status == 401
    assert max(costs.values()) <= 1.01 * min(costs.values()) + MARGIN, costs


def test_an_accepted_pair_is_remembered(module):
    plugin = module.plugin({"basic_auth_rules": [{"prefix": "/", "htpasswd": DEAR}]})
    first, dear = login(plugin, "dear", "secret7")
    again, cheap = login(plugin, "dear", "secret7")
    assert (first.status, first.paused, again.status, again.paused) == (None, False, None, False)
    assert cheap * 100 < dear
    # And it asks the proxy for no more than a plain password does, but for the client's address;
    # once a second somebody has to ask for the tick that tells what was counted.
    assert dict(again.calls) == dict.fromkeys(
        ["proxy_get_header_map_pairs", "proxy_get_property", "proxy_set_tick_period_milliseconds"], 1
    )
