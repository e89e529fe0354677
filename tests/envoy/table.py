"""Reads testdata/decisions/*.json; testdata/README.md describes the form."""

import base64
import dataclasses
import itertools
import json
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "testdata" / "decisions"


@dataclasses.dataclass
class Case:
    """One request and what becomes of it."""

    why: str
    method: bytes
    path: bytes | None
    authority: bytes | None
    authorization: list
    expect: str
    envoy_may_refuse: bool

    @property
    def headers(self):
        return [(b"authorization", value) for value in self.authorization]


@dataclasses.dataclass
class Table:
    """One configuration and the requests that are decided under it."""

    name: str
    configuration: dict
    cases: list


def all_tables():
    return [_read(file) for file in sorted(FOLDER.glob("*.json"))]


def _read(file):
    document = json.loads(file.read_text())
    return Table(file.stem, document["configuration"], [case for row in document["decisions"] for case in _cases(row)])


def _cases(row):
    credentials = [[b"Basic " + base64.b64encode(_bytes(user))] for user in row.get("users", [])]
    for value in row.get("authorizations", []):
        credentials.append([_bytes(one) for one in ([value] if isinstance(value, str) else value)])
    hosts = [host if host is None else _bytes(host) for host in row.get("hosts", ["test"])]
    for request, authority, authorization in itertools.product(row["requests"], hosts, credentials or [[]]):
        method, _, path = request.partition(" ")
        yield Case(
            why=row["why"],
            method=_bytes(method),
            path=_bytes(path) if path else None,
            authority=authority,
            authorization=authorization,
            expect=row["expect"],
            envoy_may_refuse=row.get("envoy_may_refuse", False),
        )


def _bytes(text):
    return text.encode("latin-1")


def expected(case):
    """The status that the client sees where the upstream answers 200, and the challenges."""
    if case.expect == "pass" or case.expect.startswith("accepted"):
        return 200, []
    realm = case.expect.partition(" with realm ")[2].replace("\\", "\\\\").replace('"', '\\"')
    return 401, [f'Basic realm="{realm}", charset="UTF-8"']
