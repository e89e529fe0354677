"""`make bench`: what a request costs in a real Envoy with one worker, beside Envoy's own filter and an idle module.

make bench                          everything; writes docs/cost.md and docs/cost.svg
make bench ROUNDS=3 REQUESTS=100    a short look; the documents stay as they are
make bench PEER="a.wasm b.wasm"     other modules that take the same configuration, too
"""

import argparse
import json
import os
import platform
import re
import time

import plot
import problem
import processor
import report
import start
import workload
from envoy import MODULE, Envoy, NotServing, bootstrap
from load import PROTOCOLS
from packages import ENVOY, ROOT
from rounds import Rounds
from variants import (
    ANSWERS,
    CASES,
    IDLE,
    MANY,
    NONE,
    OURS,
    PAGE,
    READING,
    REFUSED,
    REFUSING,
    WITH_CREDENTIAL,
    YARDSTICKS,
    Filters,
    Variant,
    all_variants,
    configurations,
    peers,
    yardstick,
)

DATA = ROOT / "target" / "bench"
DOCUMENT = ROOT / "docs" / "cost.md"
PICTURE = ROOT / "docs" / "cost.svg"
MARKS = re.compile(r"(<!-- bench -->\n).*?(<!-- /bench -->)", re.DOTALL)

CREDENTIAL = {case: ("with" if case in WITH_CREDENTIAL else "without") + " a credential" for case in CASES}
"""What tells the requests to a module that decides nothing."""

ROUNDS, REQUESTS = 300, 104
"""Batches are short, a few milliseconds, so that most of them run without a disturbance."""


def shapes_that_load(modules):
    """Pairs of a module and a configuration; a peer that cannot load one is measured without it."""
    shapes = [(name, "1 rule") for name in YARDSTICKS] + [(OURS, shape) for shape in configurations()]
    for name in modules.keys() - {OURS, *YARDSTICKS}:
        for shape in configurations():
            try:
                with Envoy(bootstrap(Filters(modules, [(name, shape)]).listeners()), patience=60):
                    shapes.append((name, shape))
            except NotServing:
                print(f"{name} does not load {shape}")
    return shapes


def measure(modules, rounds, requests):
    """Everything, as one value that is written as JSON."""
    shapes = shapes_that_load(modules)
    deciders = [name for name in modules if name not in YARDSTICKS]
    variants = all_variants(deciders, [shape for shape in shapes if shape[0] in deciders], list(PROTOCOLS))
    # A peer that does not load even one rule is not measured at all.
    variants = [one for one in variants if one.filter not in modules or (one.filter, one.shape) in shapes]
    run = Rounds(Filters(modules, shapes), variants, rounds=rounds, requests=requests)
    entries = []
    for one in run.variants:
        place = {
            "filter": one.filter,
            "shape": one.shape,
            "case": one.case,
            "headers": one.headers,
            "protocol": one.protocol,
        }
        entries.append({**place, "adds": run.added(one), "rounds": [round(value, 2) for value in run.times(one)]})
    without = Variant(NONE, PAGE, "not covered", "five headers", "HTTP/1.1")
    return {
        "envoy": ENVOY,
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, {platform.system()}",
        "load": os.getloadavg()[1],
        "rounds": rounds,
        "requests": requests,
        "shapes": shapes,
        "modules": {name: file.stat().st_size for name, file in modules.items()},
        "without": [round(value, 2) for value in run.times(without)],
        "costs": entries,
        "ratios": [{"what": what, "wanted": wanted, "measured": run.ratio(*parts)} for what, wanted, parts in ratios()],
        "peers": {name: against(run, name) for name in deciders if name != OURS and (name, "1 rule") in shapes},
    }


def adds(variant):
    """What a variant adds, as a sum that [`Rounds.ratio`] takes."""
    return [(1, variant), (-1, variant.baseline)]


def against(run, peer):
    """This module against another, by case and headers."""

    def one(filter_, case, headers):
        return adds(Variant(filter_, "1 rule", case, headers, "HTTP/1.1"))

    return {
        case: {headers: run.ratio(one(OURS, case, headers), one(peer, case, headers)) for headers in workload.HEADERS}
        for case in CASES
    }


def ratios():
    """What is held against what: a name, the most that is wanted, and the two sums that [`Rounds.ratio`] takes."""

    def usual(filter_, case, shape="1 rule", size=1):
        return Variant(filter_, shape, case, "five headers", "HTTP/1.1", size)

    idle = adds(usual(IDLE, "not covered"))
    for case, wanted in report.WANTED.items():
        name = f"{report.TITLES[case]}, against the idle module"
        if case not in REFUSED:
            yield name, wanted, (adds(usual(OURS, case)), idle)
            continue
        # A refusal adds more where it takes the place of less.
        for answer in ANSWERS:
            less = (
                [(1, usual(NONE, "not covered", PAGE)), (-1, usual(NONE, "not covered", answer))]
                if answer != PAGE
                else []
            )
            yield f"{name}, in the place of {answer}", wanted, (adds(usual(OURS, case)) + less, idle)
    # Of the figures above, what is not the decision's.
    for other in (READING, REFUSING):
        for case in YARDSTICKS[other]:
            undecided = adds(usual(other, case))
            yield f"`{other}`, {CREDENTIAL[case]}, against the idle module", None, (undecided, idle)
            yield f"{report.TITLES[case]}, against `{other}`", None, (adds(usual(OURS, case)), undecided)
    for shape, (size, _) in configurations().items():
        if size == workload.SIZES[-1]:
            for case in MANY:
                parts = adds(usual(OURS, case, shape, size)), adds(usual(OURS, case))
                yield f"{report.TITLES[case]}, {shape} against one", 1.1, parts


def text_of(figures):
    """The tables of a run."""
    costs = report.Costs(figures["costs"])
    deciders = [name for name in figures["modules"] if name not in YARDSTICKS]
    shapes = [tuple(shape) for shape in figures["shapes"] if shape[0] in deciders]
    sizes = ", ".join(f"`{name}` {size:,}" for name, size in figures["modules"].items())
    return "\n\n".join(
        [
            f"Envoy {figures['envoy']}, one worker, V8; {figures['rounds']} rounds of {figures['requests']} requests; "
            f"{figures['machine']}, load average {figures['load']:.1f}.",
            report.requests(costs, deciders, list(PROTOCOLS)),
            report.sizes(costs, shapes),
            report.ratios(figures["ratios"]),
            *(report.against(name, ratios, figures["starts"]) for name, ratios in figures["peers"].items()),
            report.starts(figures["starts"]),
            report.loading(figures["starts"]),
            f"Bytes of the modules: {sizes}.",
        ]
    )


def picture_of(figures):
    """Cost against the number of rules."""
    costs = report.Costs(figures["costs"])
    lines = {}
    for name in (name for name in figures["modules"] if name not in YARDSTICKS):
        for case in MANY:
            line = [
                (size, adds["quiet"])
                for shape, (size, _) in configurations().items()
                if "rule" in shape and (adds := costs.get(name, case, shape=shape))
            ]
            if line:
                title = report.TITLES[case]
                lines[title if name == OURS else f"{name}, {title}"] = line
    idle = costs.get(IDLE, "not covered")["quiet"]
    lines["idle module (at one size)"] = [(size, idle) for size in workload.SIZES]
    return plot.draw("What the filter adds to a request", lines, across="rules", up="µs of Envoy's processor time")


def main(arguments):
    processor.require_linux()
    begun = time.monotonic()
    yardsticks = {name: yardstick(name) for name in YARDSTICKS}
    modules = {OURS: MODULE, **yardsticks, **peers(arguments.peers)}
    figures = measure(modules, arguments.rounds, arguments.requests)
    started = {name: file for name, file in modules.items() if name == IDLE or name not in YARDSTICKS}
    figures["starts"] = start.measure(started, times=3 if arguments.rounds > 10 else 1)
    DATA.mkdir(parents=True, exist_ok=True)
    (DATA / "cost.json").write_text(json.dumps(figures, indent=1) + "\n")
    (DATA / "cost.svg").write_text(picture_of(figures))
    text = text_of(figures)
    print(f"\n{text}\n\n{time.monotonic() - begun:.0f} s; all figures: {(DATA / 'cost.json').relative_to(ROOT)}")
    if (arguments.rounds, arguments.requests, arguments.peers) != (ROUNDS, REQUESTS, []):
        print("Not a full run of the usual modules: docs/ stays as it is.")
        return
    DOCUMENT.write_text(MARKS.sub(lambda marks: f"{marks[1]}\n{text}\n\n{marks[2]}", DOCUMENT.read_text()))
    PICTURE.write_text((DATA / "cost.svg").read_text())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--requests", type=int, default=REQUESTS, help="of each variant in each round")
    parser.add_argument("peers", nargs="*", help="other modules to measure")
    problem.run("make bench", main, parser.parse_args())
