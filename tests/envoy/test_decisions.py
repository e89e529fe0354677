"""The table of decisions through a real Envoy, over HTTP/1.1 and HTTP/2. `tests/decisions.rs` is its native twin.

What `basic-auth explain` says of each answer, header by header, is compared with what Envoy sends.
"""

import json
import os
import subprocess

import pytest
from envoy import Envoy, answer_200, bootstrap, listener
from packages import ROOT
from table import all_tables, expected

TABLES = all_tables()

# Envoy answers 400 to a fragment before any filter sees it. Operators can switch that off, so the filter is tried
# without.
FLAGS = {"envoy.reloadable_features.http_reject_path_with_fragment": False}

# Every answer to these requests is Envoy's own or the filter's, so each names its details.
DETAILS = "x-details"
NAMED = {
    "mappers": [
        {
            "filter": {
                "status_code_filter": {
                    "comparison": {"op": "GE", "value": {"default_value": 0, "runtime_key": "all.answers"}}
                }
            },
            "headers_to_add": [{"header": {"key": DETAILS, "value": "%RESPONSE_CODE_DETAILS%"}}],
        }
    ]
}
OF_ENVOY = {"connection", "content-length", "date", "server", "transfer-encoding", DETAILS}
"""Headers that Envoy adds to every answer."""


@pytest.fixture(scope="module")
def proxy(plugin, version):
    # So that `source.address` is the client's, and not what it says of itself.
    direct = {"use_remote_address": True, "local_reply_config": NAMED}
    listeners = [listener(table.name, [plugin(table.configuration)], answer_200(), manager=direct) for table in TABLES]
    with Envoy(bootstrap(listeners, runtime_flags=FLAGS), version=version) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def explanations(tmp_path_factory):
    """What `basic-auth explain --format json` says of each case, in the order of the table."""
    file = tmp_path_factory.mktemp("explain") / "explanations"
    command = ["cargo", "test", "--quiet", "--locked", "--package", "basic-auth", "explain_agrees_with_the_table"]
    environment = {**os.environ, "EXPLANATIONS": str(file)}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return [json.loads(line) for line in file.read_text().splitlines()]


def explained(explanation, case):
    """Status, details, headers and body of the answer as it is explained."""
    answer = explanation["answer"]
    if answer:
        headers = sorted((name, value) for name, value in answer["headers"])
        return answer["status"], answer["details"], headers, answer["body"]
    # Envoy itself answers `OPTIONS *`, before any filter.
    return (404, "absolute_path_rejected", [], "") if case.path == b"*" else (200, "direct_response", [], None)


def answered(answer):
    """The same of an answer of Envoy, whose own page has a body that is not the filter's concern."""
    headers = sorted((name.decode().lower(), value.decode("latin-1")) for name, value in answer.headers)
    others = [(name, value) for name, value in headers if name not in OF_ENVOY and not name.startswith(":")]
    (details,) = answer.header(DETAILS) or ["none"]
    if details == "direct_response":
        return answer.status, details, [pair for pair in others if pair[0] != "content-type"], None
    return answer.status, details, others, answer.body.decode()


def test_every_decision_of_the_table(proxy, explanations, send, capsys):
    sent, answered_by_envoy, wrong = 0, 0, []
    assert len(explanations) == sum(len(table.cases) for table in TABLES)
    explanation_of = iter(explanations)
    for table in TABLES:
        for case in table.cases:
            explanation = next(explanation_of)
            answer = send(proxy.ports[table.name], case.method, case.path, case.headers, authority=case.authority)
            sent += 1
            if case.envoy_may_refuse and answer.status in (400, "reset"):
                answered_by_envoy += 1
                continue
            status, challenge = expected(case)
            status = 404 if status == 200 and case.path == b"*" else status
            if (answer.status, answer.header("www-authenticate")) != (status, challenge):
                wrong.append(f"{table.name}: {case}\n  is {answer}, not {status} {challenge}")
            elif status == 401 and answer.body:
                wrong.append(f"{table.name}: {case}\n  the refusal has a body")
            elif explained(explanation, case) != answered(answer):
                wrong.append(
                    f"{table.name}: {case}\n  is {answered(answer)}, explained as {explained(explanation, case)}"
                )
    assert not wrong, f"{len(wrong)} of {sent} decisions are wrong:\n" + "\n".join(wrong)
    assert sent > 100
    with capsys.disabled():
        envoys = f"(Envoy itself answered {answered_by_envoy} of them)"
        print(f"\ndecisions: {sent} ran through Envoy over {send.__name__} {envoys}")
