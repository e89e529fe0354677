"""Reads testdata/decisions/*.json and testdata/refusals.json; testdata/README.md describes the form."""

import base64
import dataclasses
import itertools
import json

from packages import ROOT

TESTDATA = ROOT / "testdata"


@dataclasses.dataclass
class Case:
    """One request and what becomes of it."""

    why: str
    method: bytes
    path: bytes | None
    authority: bytes | None
    headers: list
    """The `authorization` headers and the further ones, by name and value."""
    expect: str
    envoy_may_refuse: bool


@dataclasses.dataclass
class Table:
    """One configuration and the requests that are decided under it."""

    name: str
    configuration: dict
    cases: list


def all_tables():
    return [_read(file) for file in sorted((TESTDATA / "decisions").glob("*.json"))]


def refusals():
    """The refused configurations: rows of a text and the error lines."""
    return [{**row, "errors": row.get("errors") or [row["error"]]} for row in _rows("refusals")]


def warnings():
    """The configurations that are accepted and deserve a look: rows of a text and the warnings."""
    return _rows("warnings")


def _rows(name):
    rows = json.loads((TESTDATA / f"{name}.json").read_text())[name]
    return [{**row, "text": row.get("text") or json.dumps(row["configuration"])} for row in rows]


def _read(file):
    document = json.loads(file.read_text())
    return Table(file.stem, document["configuration"], [case for row in document["decisions"] for case in _cases(row)])


def _cases(row):
    assert row.get("source", "").strip(), f"a row names no source: {row}"
    credentials = [[(b"authorization", b"Basic " + base64.b64encode(_bytes(user)))] for user in row.get("users", [])]
    for value in row.get("authorizations", []):
        credentials.append([(b"authorization", _bytes(one)) for one in _one_or_several(value)])
    further = [
        [tuple(_bytes(line).split(b": ", 1)) for line in _one_or_several(lines)] for lines in row.get("headers", [])
    ]
    hosts = [host if host is None else _bytes(host) for host in row.get("hosts", ["test"])]
    for request, authority, *headers in itertools.product(row["requests"], hosts, credentials or [[]], further or [[]]):
        method, _, path = request.partition(" ")
        path += "a" * row.get("letters", 0)
        yield Case(
            why=row["why"],
            method=_bytes(method),
            path=_bytes(path) if path else None,
            authority=authority,
            headers=[header for some in headers for header in some],
            expect=row["expect"],
            envoy_may_refuse=row.get("envoy_may_refuse", False),
        )


def _one_or_several(value):
    return [value] if isinstance(value, str) else value


def _bytes(text):
    return text.encode("latin-1")


def expected(case):
    """The status that the client sees where the upstream answers 200, and the challenges."""
    first = case.expect.partition(" by ")[0]
    statuses = {
        "refused for plain_http": 403,
        "refused for ambiguous_path": 400,
        "redirected for plain_http": 308,
    }
    if first in statuses:
        return statuses[first], []
    if first.startswith(("pass", "accepted")):
        return 200, []
    realm = case.expect.partition(" with realm ")[2].replace("\\", "\\\\").replace('"', '\\"')
    return 401, [f'Basic realm="{realm}", charset="UTF-8"']
