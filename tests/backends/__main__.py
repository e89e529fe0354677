"""Asks real backends under many spellings whether there is a way around the filter. README.md beside this says more.

make test-backends                    every backend, 1.4 million spellings
make test-backends SHORT=1            the backends that are installed soon, 100,000 spellings
make test-backends ONLY=nginx         the backends with that in their names
make test-backends SEED=7             the random spellings of an earlier run
make test-backends WITHOUT=step       as if the filter lacked that step of the readings: has to fail
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools"))

import problem  # noqa: E402  (the path has to be set first)
from packages import packages  # noqa: E402


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make test-backends", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--short", action="store_true", help="only backends that are installed soon, fewer spellings")
    parser.add_argument("--only", default="", help="only backends whose name contains this")
    parser.add_argument("--seed", type=int, help="of the random spellings")
    parser.add_argument("--without", metavar="STEP", help="a step of the readings that is never taken")
    parser.add_argument(
        "--ablation", action="store_true", help="only show which backend of the last run needs which step"
    )
    options = parser.parse_args(arguments)
    sys.path.insert(0, str(packages("backends")))
    import ablation
    import asking

    if options.ablation:
        return which_steps_are_needed(ablation, asking)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    began = time.monotonic()
    print(f"backends: seed {seed}", flush=True)
    plan = asking.SHORT if options.short else asking.FULL
    asked = asking.everyone(plan, options.only, seed, options.without)
    print(asking.table(asked))
    print(f"backends: {time.monotonic() - began:.0f} s, seed {seed}")
    return 1 if any(one.passed for one in asked) else 0


def which_steps_are_needed(ablation, asking) -> int:
    """Shows for each step who notices that it is gone; 1 if nobody does and no defect is named."""
    if not asking.CORPUS.exists():
        raise problem.Problem(f"{asking.CORPUS.relative_to(ROOT)} is missing; run `make test-backends` first.")
    found = ablation.noticed(ablation.read(asking.CORPUS))
    print(ablation.table(found))
    if unexplained := ablation.unexplained(found):
        print(f"either no backend needs it, or DEFECTS explains what needs no explanation: {', '.join(unexplained)}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    problem.run("backends", main, sys.argv[1:])
