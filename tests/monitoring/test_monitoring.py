"""examples/monitoring, by promtool and against what a real Envoy with examples/envoy/envoy.yaml serves."""

import json
import re
import subprocess
import time
import urllib.request

import demo
import pytest
import upstream
import yaml
from envoy import Envoy
from http_client import basic, http1
from packages import ROOT

PROMTOOL = ROOT / "target" / "tools" / "promtool"
FOLDER = ROOT / "examples" / "monitoring"


def promtool(*arguments, text=None):
    run = subprocess.run([PROMTOOL, *map(str, arguments)], input=text, text=True, capture_output=True)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.fixture(scope="module")
def scrape():
    """What Prometheus gets after a right login, a wrong one and a request without one."""
    with Envoy(demo.configuration(0, upstream.start())) as proxy:
        for pairs in ([], ["ok:test"], ["ok:wrong"]):
            http1(proxy.ports["demo"], b"GET", b"/productpage", [basic(pair) for pair in pairs])
        deadline = time.monotonic() + 20
        text = ""
        while "basic_auth_rule_refused" not in text or "basic_auth_config_threads" not in text:
            assert time.monotonic() < deadline, text
            time.sleep(0.2)
            with urllib.request.urlopen(f"{proxy.admin}/stats/prometheus", timeout=5) as answer:
                text = answer.read().decode()
        return text


def expressions():
    """Every query of the alert rules and of the dashboard, by where it stands."""
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    for panel in json.loads((FOLDER / "dashboard.json").read_text())["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


QUERIES = list(expressions())


def test_prometheus_can_read_the_scrape(scrape):
    # Envoy's own names end in no `_total`, so only the form is checked, not the style.
    promtool("check", "metrics", "--extended", "--lint=none", text=scrape)


def test_the_labels_are_there(scrape):
    assert 'basic_auth_refused{reason="missing"} 1' in scrape
    assert 'basic_auth_rule_refused{rule="productpage",reason="wrong_password"} 1' in scrape
    assert re.search(r'^basic_auth_config_rules\{digest="[0-9a-f]{8}"\} 1$', scrape, re.MULTILINE)


@pytest.mark.parametrize("where,query", QUERIES, ids=[where for where, _ in QUERIES])
def test_each_query_asks_for_what_the_filter_serves(scrape, where, query, tmp_path):
    # Grafana fills its variables in before it asks.
    plain = query.replace("$__rate_interval", "5m").replace("$instance", "a")
    file = tmp_path / "query.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "one", "rules": [{"record": "x", "expr": plain}]}]}))
    promtool("check", "rules", file)
    names = set(re.findall(r"\bbasic_auth_\w+", plain))
    assert names, query
    for name in names:
        assert re.search(rf"^{name}\{{", scrape, re.MULTILINE), name
    reasons = set(re.findall(r'reason=~?"([^"]+)"', plain))
    for reason in "|".join(reasons).split("|") if reasons else ():
        assert f'basic_auth_refused{{reason="{reason}"}}' in scrape, reason


def test_the_alerts_fire_when_they_should():
    promtool("check", "rules", FOLDER / "alerts.yaml")
    promtool("test", "rules", FOLDER / "alerts.test.yaml")
