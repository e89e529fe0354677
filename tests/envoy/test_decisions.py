"""The table of decisions through a real Envoy, over HTTP/1.1 and HTTP/2. `tests/decisions.rs` is its native twin."""

import pytest
from envoy import Envoy, answer_200, bootstrap, listener
from table import all_tables, expected

TABLES = all_tables()

# Envoy answers 400 to a fragment before any filter sees it. Operators can switch that off, so the filter is tried
# without.
FLAGS = {"envoy.reloadable_features.http_reject_path_with_fragment": False}


@pytest.fixture(scope="module")
def proxy(plugin, version):
    # So that `source.address` is the client's, and not what it says of itself.
    direct = {"use_remote_address": True}
    listeners = [listener(table.name, [plugin(table.configuration)], answer_200(), manager=direct) for table in TABLES]
    with Envoy(bootstrap(listeners, runtime_flags=FLAGS), version=version) as proxy:
        yield proxy


def test_every_decision_of_the_table(proxy, send, capsys):
    sent, answered_by_envoy, wrong = 0, 0, []
    for table in TABLES:
        for case in table.cases:
            answer = send(proxy.ports[table.name], case.method, case.path, case.headers, authority=case.authority)
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
        envoys = f"(Envoy itself answered {answered_by_envoy} of them)"
        print(f"\ndecisions: {sent} ran through Envoy over {send.__name__} {envoys}")
