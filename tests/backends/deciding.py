"""What the filter decides about a path, asked of the native crate without a proxy."""

from __future__ import annotations

import atexit
import functools
import json
import pathlib
import shutil
import subprocess
import tempfile
from collections.abc import Sequence

from packages import ROOT
from places import Rule
from problem import Problem


@functools.cache
def _program(example: str, *features: str) -> pathlib.Path:
    """An example of the crate, built once."""
    build = ["cargo", "build", "--quiet", "--locked", *features, "--example", example]
    if subprocess.run(build, cwd=ROOT).returncode != 0:
        raise Problem(f"the example {example} does not build, see above")
    # A copy: a run takes long, and somebody may build again meanwhile.
    return pathlib.Path(shutil.copy(ROOT / "target" / "debug" / "examples" / example, _own_folder()))


@functools.cache
def _own_folder() -> str:
    """A folder that is gone with this process."""
    folder = tempfile.TemporaryDirectory(prefix="backends-")
    atexit.register(folder.cleanup)
    return folder.name


def _asked(program: pathlib.Path, rule: Rule, paths: Sequence[bytes]) -> list[str]:
    """What a program says of a configuration with that rule alone, and of a GET of each path without a credential."""
    request = {"method": "GET", "authority": "test", "authorization": []}
    lines = [json.dumps(json.dumps(rule.configuration))]
    lines += [json.dumps({**request, "path": path.decode("latin-1")}) for path in paths]
    run = subprocess.run([program], input="\n".join(lines) + "\n", capture_output=True, text=True)
    said = run.stdout.splitlines()
    if run.returncode != 0 or len(said) != len(lines):
        raise Problem(f"{program.name} failed under {rule.configuration}: {run.stderr}")
    return said


def lets_pass(rule: Rule, paths: Sequence[bytes], without: str | None = None) -> list[bool]:
    """Whether the filter lets a GET without a credential pass under a rule, for each path.

    `without` is a step of the readings that is never taken.
    """
    if without is not None:
        return [without in steps or None in steps for steps in passes_without(rule, paths)]
    configured, *decisions = _asked(_program("decide_many"), rule, paths)
    if configured != "configured":
        raise Problem(configured)
    known = {"pass": True, "refused": False}
    return [known[decision.split(" ", 1)[0]] for decision in decisions]


def step_names() -> list[str]:
    """The names of all steps of the readings."""
    rule = Rule("any", {"prefix": "/"}, frozenset())
    return json.loads(_asked(_program("decide_without", "--features", "ablation"), rule, [])[0])


def passes_without(rule: Rule, paths: Sequence[bytes]) -> list[list[str | None]]:
    """The steps without which a path would pass, each taken out by itself; None is among them if it passes with all."""
    _, *lists = _asked(_program("decide_without", "--features", "ablation"), rule, paths)
    return [json.loads(one) for one in lists]
