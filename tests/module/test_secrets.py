"""CVE-2025-62232 and its kin: no password, token or hash is logged, counted, answered or told the access log.

The host takes every line that the module logs, at any level, and what it writes to its standard output.
"""

import base64

import pytest
import workload
from hashes import CHEAP_SECRET3 as HASH
from hashes import SHA_SECRET1 as SHA
from host import Refused
from table import refusals, warnings

RULES = {
    "basic_auth_rules": [
        # An empty password and what looks like a hash draw warnings.
        {"prefix": "/plain", "credentials": ["alice:opensesame", "bob:", f"carol:{HASH}", "ZGF2ZTpvcGVuc2VzYW1l"]},
        {"prefix": "/hashed", "htpasswd": f"erin:{HASH}\nfrank:{SHA}", "htpasswd_env": "USERS"},
    ],
    "lockout": {"failures": 2, "window_seconds": 60, "lock_seconds": 60},
}
ENVIRONMENT = {"USERS": f"grace:{HASH}"}

LOGINS = {
    "/plain": [
        "alice:opensesame",
        "alice:guess",
        "alice:guess",
        "alice:guess",
        "bob:",
        "dave:opensesame",
        "mallory:guess",
        "mallory",
        "mallory:gu\x07ess",
    ],
    "/hashed": [
        "erin:secret3",
        "erin:secret3",
        "erin:guess",
        "frank:secret1",
        "frank:guess",
        "grace:secret3",
        "grace:guess",
        "mallory:guess",
    ],
    "/open": ["alice:opensesame", "mallory:guess"],
}

SECRETS = ["opensesame", "ZGF2ZTpv", "secret", "guess", HASH, HASH[7:], SHA, SHA[5:], "$2y$"]
NAMES = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "mallory"]


def test_no_login_leaves_a_secret(module):
    plugin = module.plugin(RULES, environment=ENVIRONMENT)
    loaded = list(plugin.log)
    assert (
        any("protecting with 2 rules" in line for line in loaded)
        and sum(line.startswith("warn: ") for line in loaded) >= 2
    ), loaded
    answered, secrets = set(), list(SECRETS)
    for path, pairs in LOGINS.items():
        for pair in pairs:
            token = base64.b64encode(pair.encode()).decode()
            secrets += [token, token.rstrip("=")]
            for values in (
                [f"Basic {token}"],
                [f"Basic {token}"] * 2,
                [f"Basic {token}, Basic {token}"],
                [f"Bearer {token}"],
                [f"Basic !{token}"],
            ):
                stream = plugin.open(workload.request(path, more=[("authorization", value) for value in values]))
                plugin.settle(stream)
                outcome = stream.outcome()
                stream.close()
                answered.add(outcome.status)
                # A request that goes on carries its credential; what else the module did to it is in the properties.
                told = repr((stream.properties, outcome.status is not None and (outcome.headers, outcome.body)))
                assert not [secret for secret in secrets if secret in told], (pair, told)
    assert answered == {None, 401, 429}
    assert plugin.log == loaded, "a request writes nothing to the log"
    written = "\n".join([*plugin.log, *plugin.metrics])
    assert not [secret for secret in [*secrets, *NAMES] if secret in written], written


def test_no_refused_configuration_leaves_a_secret(module):
    """The C++ module logged the configuration that it refused."""
    for row in refusals():
        with pytest.raises(Refused) as refused:
            module.plugin(row["text"])
        assert refused.value.log == [f"error: basic_auth: configuration refused: {error}" for error in row["errors"]]
        assert not [line for line in refused.value.log if "SECRET" in line], refused.value.log


def test_no_warning_leaves_a_secret(module):
    for row in warnings():
        lines = [line for line in module.plugin(row["text"]).log if not line.startswith("info: ")]
        assert lines == [f"warn: basic_auth: {warning}" for warning in row["warnings"]]
        assert not [line for line in lines if "SECRET" in line], lines
