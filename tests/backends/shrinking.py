"""Makes a spelling that passed as short as it can be while it still passes, so that its cause is seen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from deciding import lets_pass
from places import Rule
from ways import Served, Way

MOST = 40
"""How many spellings are shrunk for each way and rule: the shortest ones."""

_UNIT = re.compile(rb"%u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2}|.", re.DOTALL)


def shortest(way: Way, rule: Rule, passed: Sequence[Served]) -> Iterator[tuple[Served, bytes]]:
    """The shortest of what passed, with what is left of each when whatever can go has gone."""
    chosen = sorted(passed, key=lambda one: len(one.spelling))[:MOST]
    left = {one.spelling: one.spelling for one in chosen}
    growing = set(left)
    while growing:
        shorter = {spelling: list(_without_a_unit(left[spelling])) for spelling in growing}
        passing = _passing(way, rule, sorted({one for several in shorter.values() for one in several}))
        growing = set()
        for spelling, several in shorter.items():
            if better := next((one for one in several if one in passing), None):
                left[spelling] = better
                growing.add(spelling)
    for one in chosen:
        yield one, left[one.spelling]


def _without_a_unit(spelling: bytes) -> Iterator[bytes]:
    for unit in _UNIT.finditer(spelling):
        yield spelling[: unit.start()] + spelling[unit.end() :]


def _passing(way: Way, rule: Rule, spellings: Sequence[bytes]) -> set[bytes]:
    """Those that serve a protected place by the path that the filter lets through."""
    found = way.ask([one for one in spellings if way.can_be_asked(one)])
    found = [one for one in found if one.place in rule.protects]
    passes = lets_pass(rule, [one.path for one in found], way.without)
    return {one.spelling for one, passing in zip(found, passes, strict=True) if passing}
