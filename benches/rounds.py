"""Rounds: each measures every variant, in an order of its own, so that whatever the machine does hits all alike."""

import random
import statistics
import sys

from envoy import Envoy, bootstrap
from load import PROTOCOLS
from processor import Worker
from variants import YARDSTICKS

YARDSTICK_TIMES = 3
"""How often a round measures what others are held against: no filter, and the modules that decide nothing."""

WARM = 4_000
"""Requests before the first round: the virtual machine compiles what is hot only after a while."""

RESAMPLES = 200
"""How often the rounds are drawn again to see how sure a ratio is."""

SLOW = 0.001
"""Seconds of processor time from which a request counts as slow; then one wave at a time has to do."""


class Rounds:
    """Microseconds of processor time a request, by variant and round."""

    def __init__(self, filters, variants, *, rounds, requests):
        self.variants = list(dict.fromkeys(variants))
        self.baselines = list(dict.fromkeys(variant.baseline for variant in self.variants))
        with Envoy(bootstrap(filters.listeners()), patience=300) as proxy:
            loads = {
                one: PROTOCOLS[one.protocol](proxy.ports[one.listener], one.request)
                for one in self.variants + self.baselines
            }
            sent = dict.fromkeys(loads, 0)
            # HTTP/1.1 learns from a first answer how long they are.
            for one in loads:
                sent[one] += one.protocol == "HTTP/1.1"
            worker = Worker(proxy.process.pid)
            batches = dict.fromkeys(loads, requests)
            for one, load in loads.items():
                before = worker.nanoseconds()
                count = load.send(1)
                sent[one] += count
                if worker.nanoseconds() - before > count * SLOW * 1e9:
                    print(f"{one.listener}, {one.case}: slow, so its batches are single waves")
                    batches[one] = 1
                else:
                    sent[one] += load.send(WARM if rounds > 3 else requests)
            # By variant and round, the batches of that round.
            self._taken = {one: [] for one in loads}
            yardsticks = self.baselines + [one for one in self.variants if one.filter in YARDSTICKS]
            order = self.variants + self.baselines + yardsticks * (YARDSTICK_TIMES - 1)
            dice = random.Random(7617)
            for number in range(rounds):
                dice.shuffle(order)
                taken = {one: [] for one in loads}
                for one in order:
                    before = worker.nanoseconds()
                    count = loads[one].send(batches[one])
                    taken[one].append((worker.nanoseconds() - before) / count / 1000)
                    sent[one] += count
                for one, times in taken.items():
                    self._taken[one].append(times)
                progress(f"round {number + 1} of {rounds}")
            progress("")
            _check(proxy, sent)

    def added(self, variant):
        """What a variant adds to a request without a filter.

        `quiet` is the figure to quote: whatever else runs on the machine only ever adds, so the quickest tenth of the
        batches is the least disturbed. The median and the quartiles of the differences round by round show how much
        the machine disturbs; on a quiet one the median is the same.
        """
        here, there = self.times(variant), self.times(variant.baseline)
        first, middle, third = _quartiles([one - other for one, other in zip(here, there, strict=True)])
        quiet = self._quiet([(1, variant), (-1, variant.baseline)])
        return {"quiet": round(quiet, 2), "median": round(middle, 2), "quartiles": [round(first, 2), round(third, 2)]}

    def times(self, variant):
        """The first batch of each round."""
        return [times[0] for times in self._taken[variant]]

    def ratio(self, numerator, denominator):
        """How many times one sum of quiet figures is another, and between what 95 in 100 such runs would find it.

        The sums are lists of a sign and a variant. The interval is that of a bootstrap over the rounds.
        """
        value = self._quiet(numerator) / self._quiet(denominator)
        dice = random.Random(7617)
        rounds = range(len(self._taken[self.variants[0]]))
        others = []
        for _ in range(RESAMPLES):
            picked = dice.choices(rounds, k=len(rounds))
            others.append(self._quiet(numerator, picked) / self._quiet(denominator, picked))
        others.sort()
        return [round(one, 2) for one in (value, others[RESAMPLES // 40], others[-1 - RESAMPLES // 40])]

    def _quiet(self, terms, picked=None):
        def figure(variant):
            taken = self._taken[variant]
            return _tenth(
                [time for times in (taken if picked is None else map(taken.__getitem__, picked)) for time in times]
            )

        return sum(sign * figure(variant) for sign, variant in terms)


def _check(proxy, sent):
    """Every request was answered, and in the way that its variant is about."""
    expected = {}
    for one, count in sent.items():
        name = f"http.{one.listener}.downstream_rq_{one.status}".replace(":", "_")
        expected[name] = expected.get(name, 0) + count
    counted = proxy.stats(r"downstream_rq_[0-9]xx$")
    wrong = {name: (count, counted.get(name, 0)) for name, count in expected.items() if counted.get(name, 0) != count}
    assert not wrong, f"sent and counted requests differ: {wrong}"


def progress(text):
    """Shows a person how far it is; a file is left alone."""
    if sys.stdout.isatty():
        print(f"\r{text:<60}", end="" if text else "\r", flush=True)


def _quartiles(values):
    return statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3


def _tenth(values):
    """The value that a tenth stay below."""
    return statistics.quantiles(values, n=10, method="inclusive")[0] if len(values) > 1 else values[0]
