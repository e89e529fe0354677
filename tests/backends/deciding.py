"""What the filter decides about a path, asked of the native crate without a proxy."""

from __future__ import annotations

import functools
import json
import pathlib
import subprocess
from collections.abc import Sequence

from packages import ROOT
from places import Rule
from problem import Problem


@functools.cache
def _program() -> pathlib.Path:
    """The example that decides about many requests, built once."""
    build = ["cargo", "build", "--quiet", "--locked", "--example", "decide_many"]
    if subprocess.run(build, cwd=ROOT).returncode != 0:
        raise Problem("the example decide_many does not build, see above")
    return ROOT / "target" / "debug" / "examples" / "decide_many"


def lets_pass(rule: Rule, paths: Sequence[bytes]) -> list[bool]:
    """Whether the filter lets a GET without a credential pass under a rule, for each path."""
    request = {"method": "GET", "authority": "test", "authorization": []}
    lines = [json.dumps(json.dumps(rule.configuration))]
    lines += [json.dumps({**request, "path": path.decode("latin-1")}) for path in paths]
    run = subprocess.run([_program()], input="\n".join(lines) + "\n", capture_output=True, text=True)
    decisions = run.stdout.splitlines()
    if run.returncode != 0 or decisions[:1] != ["configured"] or len(decisions) != len(lines):
        raise Problem(f"decide_many failed under {rule.configuration}: {run.stderr or decisions[:1]}")
    known = {"pass": True, "refused": False}
    return [known[decision.split(" ", 1)[0]] for decision in decisions[1:]]
