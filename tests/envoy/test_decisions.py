"""The table of decisions through a real Envoy, over HTTP/1.1 and HTTP/2. `tests/decisions.rs` is its native twin."""

import pytest
from envoy import Envoy, answer_200, bootstrap, listener, wasm_filter
from http_client import http1, http2
from table import all_tables, expected

TABLES = all_tables()

# Envoy answers 400 to a fragment before any filter sees it. Operators can switch that off, so the filter is tried without.
FLAGS = {"envoy.reloadable_features.http_reject_path_with_fragment": False}

PROTOCOLS = {"http1": http1, "http2": http2}


@pytest.fixture(scope="module")
def proxy(module, runtime, version):
    listeners = [
        listener(table.name, [wasm_filter(table.configuration, module=module, runtime=runtime)], answer_200())
        for table in TABLES
    ]
    with Envoy(bootstrap(listeners, runtime_flags=FLAGS), version=version) as proxy:
        yield proxy


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_decision_of_the_table(proxy, protocol, capsys):
    sent, answered_by_envoy, wrong = 0, 0, []
    for table in TABLES:
        for case in table.cases:
            answer = PROTOCOLS[protocol](
                proxy.ports[table.name], case.method, case.path, case.headers, authority=case.authority
            )
            sent += 1
            if case.envoy_may_refuse and answer.status in (400, "reset"):
                answered_by_envoy += 1
                continue
            status, challenge = expected(case)
            # The router of Envoy has no route for `OPTIONS *`; that it was asked shows that the filter let it pass.
            status = 404 if status == 200 and case.path == b"*" else status
            if (answer.status, answer.header("www-authenticate")) != (status, challenge):
                wrong.append(f"{table.name}: {case}\n  is {answer}, not {status} {challenge}")
            elif status == 401 and answer.body:
                wrong.append(f"{table.name}: {case}\n  the refusal has a body")
    assert not wrong, f"{len(wrong)} of {sent} decisions are wrong:\n" + "\n".join(wrong)
    assert sent > 100
    with capsys.disabled():
        print(
            f"\ndecisions: {sent} ran through Envoy over {protocol} (Envoy itself answered {answered_by_envoy} of them)"
        )
