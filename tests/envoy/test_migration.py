"""docs/migration.md: the configuration of each section, and the requests of the table below it."""

import json
import re

import pytest
from envoy import Envoy, answer_200, bootstrap, listener
from http_client import basic, http1
from packages import ROOT

TEXT = (ROOT / "docs" / "migration.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
LINE = re.compile(r"^\| `(\S+) (\S*?)(/\S*)` \| (?:`(\S+)`)? ?\| (\d+) \|$", re.MULTILINE)


def configuration(title):
    (text,) = re.findall(r"^```json\n(.*?)^```", SECTIONS[title], re.MULTILINE | re.DOTALL)
    return json.loads(text)


@pytest.fixture(scope="module")
def proxy(plugin, version):
    listeners = [listener(title, [plugin(configuration(title))], answer_200()) for title in SECTIONS]
    with Envoy(bootstrap(listeners), version=version) as proxy:
        yield proxy


def test_there_are_nine():
    assert len(SECTIONS) == 9


@pytest.mark.parametrize("title", SECTIONS)
def test_each_request_is_answered_as_the_table_says(proxy, title):
    rows = LINE.findall(SECTIONS[title])
    table = [line for line in SECTIONS[title].splitlines() if line.startswith("| `")]
    assert len(rows) == len(table) >= 3, "a line of the table is not understood"
    assert {status for *_, status in rows} == {"200", "401"}
    for method, host, path, pair, status in rows:
        headers = [basic(pair)] if pair else []
        authority = (host or "test").encode()
        answer = http1(proxy.ports[title], method.encode(), path.encode(), headers, authority=authority)
        assert answer.status == int(status), f"{method} {host}{path} {pair}"
