"""The places that every backend serves, how they are told apart, and the rules that protect them."""

from __future__ import annotations

import re
from dataclasses import dataclass

ADMIN, ADMIN_X, ADMIN_BELOW = "admin", "admin-x", "admin-below"
SECRET, PUBLIC, REPORT, ANY_PDF = "secret", "public", "report", "any-pdf"
BUERO, BUERO_BELOW, BLANK = "buero", "buero-below", "blank"

PLAIN = {
    ADMIN: "/admin",
    ADMIN_X: "/admin/x",
    ADMIN_BELOW: "/admin/below",
    SECRET: "/files/secret",
    PUBLIC: "/files/public/x",
    BLANK: "/files/a%20b",
    REPORT: "/report.pdf",
    ANY_PDF: "/any.pdf",
    BUERO: "/b%C3%BCro",
    BUERO_BELOW: "/b%C3%BCro/below",
}
"""The plain spelling of each place. Whatever else is below `/admin/` is ADMIN_BELOW, any one segment below `/büro/`
BUERO_BELOW, and whatever else ends in `.pdf` ANY_PDF, where a backend has such routes."""

_MARKER = re.compile(rb"marker<([a-z-]+)>")


def marker(place: str) -> str:
    """What a backend answers with to tell that it took a request for this place."""
    return f"marker<{place}>"


def served(body: bytes) -> str | None:
    """The place that an answer came from."""
    found = _MARKER.search(body)
    return found[1].decode() if found else None


@dataclass(frozen=True)
class Rule:
    """A rule of the filter, and the places that it protects: whatever serves one of them has to be refused."""

    name: str
    matcher: dict
    protects: frozenset[str]
    is_sound: bool = True
    """Whether it protects them under every spelling; otherwise it only shows who needs which step."""

    @property
    def covers_below(self) -> bool:
        """Whether whatever is below a protected place is protected as well."""
        return "prefix" in self.matcher and not any("suffix" in one for one in self.matcher.get("except", ()))

    @property
    def configuration(self) -> dict:
        """A configuration with this rule alone."""
        return {"basic_auth_rules": [{**self.matcher, "credentials": ["ok:test"]}]}


def rules(*, ignores_case: bool, path_info: bool) -> list[Rule]:
    """A rule of every kind, with and without an exception, but where a backend needs rules that cover what is below.

    A regex says by itself whether it ignores case, and its escapes stand for themselves.
    """
    flag = "(?i)" if ignores_case else ""
    below = {ADMIN, ADMIN_X, ADMIN_BELOW}
    everything = {ADMIN, ADMIN_X, SECRET, REPORT, BUERO, BLANK}
    table = [
        ("prefix", {"prefix": "/admin"}, below),
        ("prefix with a slash", {"prefix": "/admin/"}, below),
        ("exact", {"exact": "/admin"}, {ADMIN}),
        ("exact below", {"exact": "/admin/x"}, {ADMIN_X}),
        ("exact with an escape", {"exact": "/files/a%20b"}, {BLANK}),
        ("suffix", {"suffix": ".pdf"}, {REPORT, ANY_PDF}),
        ("suffix of a segment", {"suffix": "/secret"}, {SECRET}),
        ("regex", {"regex": f"{flag}/admin(/.*)?"}, below),
        ("regex of a suffix", {"regex": f"{flag}.*[.]pdf"}, {REPORT, ANY_PDF}),
        ("beyond ASCII", {"prefix": "/büro"}, {BUERO, BUERO_BELOW}),
        ("regex of a segment", {"regex": f"{flag}/büro/[^/]*"}, {BUERO_BELOW}),
        ("prefix except prefix", {"prefix": "/files/", "except": [{"prefix": "/files/public/"}]}, {SECRET, BLANK}),
        ("regex except regex", {"regex": f"{flag}/files/.*", "except": [{"regex": "/files/public/.*"}]}, {SECRET}),
        (
            "suffix except exact",
            {"suffix": ".pdf", "except": [{"exact": "/files/public/x.pdf"}]},
            {REPORT, ANY_PDF},
        ),
        ("suffix except prefix", {"suffix": "secret", "except": [{"prefix": "/files/public/"}]}, {SECRET}),
        ("exact except suffix", {"exact": "/files/secret", "except": [{"suffix": ".css"}]}, {SECRET}),
        ("everything except suffix", {"prefix": "/", "except": [{"suffix": ".css"}]}, everything),
        ("everything except exact", {"prefix": "/", "except": [{"exact": "/files/public/x"}]}, everything | below),
        ("everything except prefix", {"prefix": "/", "except": [{"prefix": "/files/public/"}]}, everything | below),
        ("everything except regex", {"prefix": "/", "except": [{"regex": "/files/public/[^/]*"}]}, everything | below),
    ]
    every_rule = [Rule("regex with an escape", {"regex": f"{flag}/files/a%20b"}, frozenset({BLANK}), is_sound=False)]
    every_rule += [Rule(name, matcher, frozenset(protects)) for name, matcher, protects in table]
    return [rule for rule in every_rule if rule.covers_below or not path_info]
