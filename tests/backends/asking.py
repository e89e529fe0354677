"""Asks each backend by each of its ways, and whether the filter refuses what serves a protected place."""

from __future__ import annotations

import itertools
import json
import os
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import catalogue
import shrinking
import ways
from deciding import step_names
from install import TARGET
from places import PLAIN, PUBLIC, Rule, rules
from problem import Problem
from running import Running
from spellings import FIXED, exhaustive, plain_paths, random_spelling


@dataclass(frozen=True)
class Plan:
    """How much is asked: of how many pieces the exhaustive spellings are, and how many random ones there are."""

    everything: bool
    """Whether every backend is asked, or those alone that are installed soon."""
    pairs: int
    """Around how many of the plain paths every pair of pieces is put; around all of them every single piece is."""
    random_direct: int
    random_proxied: int


FULL = Plan(everything=True, pairs=1, random_direct=6000, random_proxied=1200)
SHORT = Plan(everything=False, pairs=0, random_direct=500, random_proxied=150)

CORPUS = TARGET / "served.jsonl"
"""What was served under another spelling than the plain one, by the last run."""


@dataclass(frozen=True)
class Passed:
    """A protected place that was served although the filter stood in front."""

    backend: str
    way: str
    rule: str
    place: str
    spelling: bytes
    path: bytes
    shortest: bytes


@dataclass
class Asked:
    """What became of a backend's spellings."""

    name: str
    version: str
    ways: list[str] = field(default_factory=list)
    spellings: int = 0
    served: int = 0
    passed: list[Passed] = field(default_factory=list)
    passed_count: int = 0


def everyone(plan: Plan, only: str, seed: int, without: str | None) -> list[Asked]:
    """Asks every backend of a plan whose name contains `only`. `without` is a step of the readings that is left out."""
    if without is not None and without not in (names := step_names()):
        raise Problem(f"no step is called {without!r}; there are {', '.join(names)}.")
    chosen = [one for one in catalogue.BACKENDS if (plan.everything or one.quick) and only in one.name]
    lacks = [f"{one.name}: {lack}" for one in chosen for lack in one.missing()]
    if lacks:
        raise Problem("this machine lacks what some backends need.\n" + "\n".join(sorted(set(lacks))))
    if not chosen:
        raise Problem(f"no backend has {only!r} in its name.")
    ways.check_what_reaches_a_filter()
    TARGET.mkdir(parents=True, exist_ok=True)
    # Beside others that run meanwhile; only a run that comes to its end replaces what an earlier one left.
    unfinished = TARGET / f"served-{os.getpid()}.jsonl"
    with unfinished.open("w") as corpus:
        asked = []
        for backend in chosen:
            one = _ask(backend, plan, f"{seed} {backend.name}", without, corpus)
            print(f"backends: {_line(one)}", file=sys.stderr, flush=True)
            print("".join(_report(one.passed)), end="", flush=True)
            asked.append(one)
    unfinished.replace(CORPUS)
    return asked


def _ask(backend: catalogue.Backend, plan: Plan, seed: str, without: str | None, corpus) -> Asked:
    every_rule = rules(ignores_case=backend.ignores_case, path_info=backend.path_info)
    every_rule = [rule for rule in every_rule if rule.is_sound]
    asked = Asked(backend.name, backend.version())
    with Running(backend) as running:
        for way in ways.direct_ways(running, without):
            pieces = (exhaustive(plain_paths(), 1), exhaustive(plain_paths()[: plan.pairs], 2))
            spellings = _spellings(f"{seed} {way.name}", plan.random_direct, *pieces)
            _ask_by(way, spellings, every_rule, asked, corpus)
        with ways.proxy_for(running, [] if without else every_rule) as proxy:
            ways.check_filters(proxy, [] if without else every_rule)
            for way in ways.proxied_ways(proxy, without):
                spellings = _spellings(f"{seed} {way.name}", plan.random_proxied)
                _ask_by(way, spellings, every_rule, asked, corpus)
    return asked


def _spellings(seed: str, number_of_random: int, *more: Iterable[bytes]) -> list[bytes]:
    """The plain ones, those of known attacks, these, and random ones."""
    draw = random.Random(seed)
    drawn = (random_spelling(draw) for _ in range(number_of_random))
    return list(dict.fromkeys(itertools.chain(plain_paths(), FIXED, *more, drawn)))


def _ask_by(way: ways.Way, spellings: Sequence[bytes], every_rule: Sequence[Rule], asked: Asked, corpus) -> None:
    spellings = [one for one in spellings if way.can_be_asked(one)]
    found = [one for one in way.ask(spellings) if one.place != PUBLIC]
    if not found:
        raise Problem(f"{asked.name} served nothing at all; {way.name}")
    asked.ways.append(way.name)
    asked.spellings += len(spellings)
    asked.served += len(found)
    plain = {path.encode() for path in PLAIN.values()}
    for one in found:
        if one.spelling not in plain:
            record = {
                "backend": asked.name,
                "version": asked.version,
                "way": way.name,
                "place": one.place,
                "path": one.path.decode("latin-1"),
            }
            corpus.write(json.dumps(record) + "\n")
    for rule in every_rule:
        concerned = [one for one in found if one.place in rule.protects]
        passed = [one for one, passes in zip(concerned, way.passes(rule, concerned), strict=True) if passes]
        # Once more, one at a time: an answer that was taken for another's would be no way around.
        passed = [one for one in passed if way.ask([one.spelling]) and way.passes(rule, [one]) == [True]]
        asked.passed_count += len(passed)
        for one, shortest in shrinking.shortest(way, rule, passed):
            asked.passed.append(Passed(asked.name, way.name, rule.name, one.place, one.spelling, one.path, shortest))


MOST_REPORTED = 20


def _report(passed: Sequence[Passed]) -> Iterator[str]:
    """What passed, by the shortest spelling that still does: a line for each, the shortest first."""
    groups: dict[bytes, list[Passed]] = {}
    for one in sorted(passed, key=lambda one: (len(one.shortest), one.shortest)):
        groups.setdefault(one.shortest, []).append(one)
    for shortest, several in itertools.islice(groups.items(), MOST_REPORTED):
        names = ", ".join(sorted({one.rule for one in several}))
        by = sorted({one.way for one in several})
        more = f" and {len(by) - 1} ways more" if len(by) > 1 else ""
        example = min(several, key=lambda one: len(one.spelling))
        yield f"  PASSED {shortest!r}, first as {example.spelling!r} (the filter saw {example.path!r}):\n"
        yield f"    served {example.place!r} under {names}; {by[0]}{more}\n"
    if len(groups) > MOST_REPORTED:
        yield f"  … and {len(groups) - MOST_REPORTED} more\n"


def _line(one: Asked) -> str:
    counts = f"{one.spellings} spellings, {one.served} served a protected place, {one.passed_count} passed"
    return f"{one.name} {one.version}: {len(one.ways)} ways, {counts}"


def table(asked: Sequence[Asked]) -> str:
    """What each backend was asked and served, and what passed."""
    rows = [("backend", "version", "ways", "spellings", "served", "passed")]
    rows += [(one.name, one.version, len(one.ways), one.spellings, one.served, one.passed_count) for one in asked]
    total = [sum(row[column] for row in rows[1:]) for column in (3, 4, 5)]
    rows.append((f"{len(asked)} backends", "", "", *total))
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = []
    for row in rows:
        texts = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
        numbers = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
        lines.append("  ".join([*texts, *numbers]))
    return "\n".join(lines)
