"""Which backend needs which step of the readings: what each served is decided again with that step taken out."""

from __future__ import annotations

import collections
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import catalogue
from deciding import passes_without, step_names
from places import Rule, rules

DEFECTS: Mapping[str, str] = {
    "cut_authority": "CVE-2026-26205, a path taken for an authority; "
    "cut_authority_behind_slashes does the same and more",
    "trim_dots_of_segments": "CVE-2011-4963, nginx on Windows, whose files are found by names with a dot behind them",
}
"""Steps that no backend here needs, and the published defect that each is there for."""

Records = Mapping[str, Mapping[str, set[bytes]]]
"""For each backend and place the paths, as a filter sees them, under which it was served."""


def read(corpus: Path) -> Records:
    """What an earlier run wrote."""
    records = collections.defaultdict(lambda: collections.defaultdict(set))
    with corpus.open() as lines:
        for record in map(json.loads, lines):
            records[record["backend"]][record["place"]].add(record["path"].encode("latin-1"))
    return records


def noticed(records: Records) -> dict[str, dict[str, bytes]]:
    """For each step the backends that serve a protected place by a path that passes without it, by the shortest."""
    found: dict[str, dict[str, bytes]] = {name: {} for name in step_names()}
    known = {backend.name: backend for backend in catalogue.BACKENDS}
    for name, places in records.items():
        backend = known[name]
        for rule in rules(ignores_case=backend.ignores_case, path_info=backend.path_info):
            _note(found, name, rule, sorted({path for place in rule.protects for path in places.get(place, ())}))
    return found


def _note(found: dict[str, dict[str, bytes]], backend: str, rule: Rule, paths: Sequence[bytes]) -> None:
    for path, steps in zip(paths, passes_without(rule, paths), strict=True):
        if None in steps:
            continue
        for step in steps:
            shortest = found[step].get(backend)
            if shortest is None or len(path) < len(shortest):
                found[step][backend] = path


def table(found: Mapping[str, Mapping[str, bytes]]) -> str:
    """A line for each step: how many backends notice that it is gone, and by what."""
    lines = []
    for step, backends in found.items():
        examples = sorted(backends.items(), key=lambda one: len(one[1]))
        told = ", ".join(f"{backend} {path!r}" for backend, path in examples[:3])
        if len(examples) > 3:
            told += f" and {len(examples) - 3} more"
        lines.append(f"  {step}: {told or DEFECTS.get(step, 'NO BACKEND NEEDS IT, and no defect is named')}")
    return "without one step of the readings, a protected place is served by\n" + "\n".join(lines)


def unexplained(found: Mapping[str, Mapping[str, bytes]]) -> list[str]:
    """The steps that no backend needs and no published defect is named for, and those that are named for nothing."""
    lacking = {step for step, backends in found.items() if not backends}
    return sorted(lacking ^ set(DEFECTS))
