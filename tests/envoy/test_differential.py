"""Native and in-Envoy decisions agree on thousands of random requests, over HTTP/1.1 and HTTP/2.

A failure names its seed; `SEED=… make test-envoy` repeats it.
"""

import collections
import json
import random

import pytest
from envoy import Envoy, answer_200, bootstrap, listener
from http_client import Http1, Http2
from random_requests import random_batches, seeds
from table import expected

CONFIGURATIONS = 10
REQUESTS = 100
"""Of each configuration, over each protocol."""

SEEDS = seeds(20260726)


@pytest.fixture(scope="module", params=SEEDS, ids=[f"seed-{seed}" for seed in SEEDS])
def batches(request, plugin, version):
    batches = random_batches(random.Random(request.param), CONFIGURATIONS, REQUESTS)
    listeners = [listener(f"{number}", [plugin(config)], answer_200()) for number, (config, _) in enumerate(batches)]
    with Envoy(bootstrap(listeners), version=version) as proxy:
        yield [(proxy.ports[f"{number}"], config, requests) for number, (config, requests) in enumerate(batches)]
        assert "Function: proxy_on" not in proxy.log, proxy.log


@pytest.mark.parametrize("client", [Http1, Http2], ids=["http1", "http2"])
def test_native_and_in_envoy_decisions_agree(batches, client, capsys):
    seen, wrong = collections.Counter(), []
    for port, config, requests in batches:
        connection = client(port)
        for one in requests:
            answer = connection.request(one.method, one.path, one.headers, authority=one.authority)
            if answer.status in (400, "reset"):
                seen["Envoy"] += 1
                connection.close()
                connection = client(port)
                continue
            seen[one.expect.split(" ")[0]] += 1
            if (answer.status, answer.header("www-authenticate")) != expected(one):
                wrong.append(f"{one.line()}\n  is {answer}\n  natively {one.expect}\n  under {json.dumps(config)}")
        connection.close()
    assert not wrong, f"{len(wrong)} decisions differ:\n" + "\n".join(wrong[:5])
    assert min(seen["pass"], seen["refused"], seen["accepted"]) > 20, seen
    assert seen["Envoy"] < seen.total() / 3, seen
    with capsys.disabled():
        print(f"\ndifferential: {seen.total()} requests over {client.__name__}: {dict(seen)}")
