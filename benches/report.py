"""Tables of what was measured, in Markdown: for the terminal and for the documents."""

import workload
from variants import ANSWERS, CASES, IDLE, MANY, NATIVE, NONE, OURS, PAGE, READING, REFUSING, YARDSTICKS

TITLES = {
    "not covered": "not covered",
    "missing": "refused: no credential",
    "wrong password": "refused: wrong password",
    "accepted": "accepted",
}
DOES = {IDLE: "does nothing", READING: "reads all headers", REFUSING: "reads all headers and refuses"}
"""What the modules do that decide nothing."""

WANTED = {"not covered": 1.6, "accepted": 1.9, "missing": 1.6, "wrong password": 1.6}
"""At most so many times what the idle module adds, at five headers and HTTP/1.1."""


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join(["---"] + ["---:"] * (len(head) - 1)) + " |"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


class Costs:
    """Figures by what they are of."""

    def __init__(self, entries):
        self._by = {(e["filter"], e["shape"], e["case"], e["headers"], e["protocol"]): e["adds"] for e in entries}

    def get(self, filter_, case, *, shape="1 rule", headers="five headers", protocol="HTTP/1.1"):
        return self._by.get((filter_, shape, case, headers, protocol))


def requests(costs, names, protocols):
    """What each filter adds to a request, for each kind of it."""
    kinds = [(headers, protocol) for protocol in protocols for headers in workload.HEADERS]
    rows = [
        *(
            [f"no filter, with {answer} in the page's place", *_row(costs, NONE, "not covered", kinds, shape=answer)]
            for answer in ANSWERS
            if answer != PAGE
        ),
        *(
            [f"a module that {does} (`{name}`)", *_row(costs, name, YARDSTICKS[name][0], kinds)]
            for name, does in DOES.items()
        ),
    ]
    for case in CASES[1:]:
        rows.append([f"Envoy's own filter, {TITLES[case]}", *_row(costs, NATIVE, case, kinds)])
    for name in names:
        for case in CASES:
            label = "**this module**" if name == OURS else f"`{name}`"
            rows.append([f"{label}, {TITLES[case]}", *_row(costs, name, case, kinds)])
    return table(["adds, µs", *(f"{headers}, {protocol}" for headers, protocol in kinds)], rows)


def _row(costs, filter_, case, kinds, shape="1 rule"):
    return [
        _figure(costs.get(filter_, case, shape=shape, headers=headers, protocol=protocol))
        for headers, protocol in kinds
    ]


def _figure(adds):
    if adds is None:
        return "–"
    low, high = adds["quartiles"]
    return f"{adds['quiet']:.1f} ({adds['median']:.1f}; {low:.1f} … {high:.1f})"


def sizes(costs, shapes):
    """The same with many rules, or many users in one rule."""
    rows = []
    for name in dict.fromkeys(name for name, _ in shapes):
        for shape in (shape for other, shape in shapes if other == name):
            rows.append([f"`{name}`, {shape}", *(_figure(costs.get(name, case, shape=shape)) for case in MANY)])
    return table(["adds, µs", "not covered", "refused: wrong password", "accepted"], rows)


def ratios(entries):
    """This module against the idle one, and many rules against one."""
    rows = [[one["what"], f"≤ {one['wanted']}" if one["wanted"] else "", _ratio(one["measured"])] for one in entries]
    return table(["times", "wanted", "measured"], rows)


def against(peer, ratios_by_case, starts):
    """This module against another: requests with few and with many headers, and the start."""
    rows = [[TITLES[case], *map(_ratio, by_headers.values())] for case, by_headers in ratios_by_case.items()]
    none, ours, others = (starts[name]["processor_seconds"] for name in ("none", f"{OURS}, 1 rule", f"{peer}, 1 rule"))
    rows.append(["the start", f"{(ours - none) / (others - none):.2f}", ""])
    return table([f"this module, times `{peer}`", *workload.HEADERS], rows)


def _ratio(measured):
    value, low, high = measured
    return f"{value:.2f} ({low:.2f} … {high:.2f})"


def starts(figures):
    """Starting and memory."""
    rows = [
        [name, f"{one['seconds']:.2f}", f"{one['processor_seconds']:.2f}", f"{one['worker_bytes'] / (1 << 20):.1f}"]
        for name, one in figures.items()
    ]
    return table(
        ["an Envoy with", "first answer after, s", "processor time until then, s", "a further worker, MiB"], rows
    )


def loading(figures):
    """What the largest configuration costs this module, beside the same text in a module that ignores it."""
    most = workload.SIZES[-1]
    rows = []
    for what in ("rules", "users"):
        ours, idle, one = (
            figures.get(name) for name in (f"{OURS}, {most:,} {what}", f"{IDLE}, {most:,} {what}", f"{OURS}, 1 rule")
        )
        if ours and idle and one:
            memory = (ours["worker_bytes"] - one["worker_bytes"]) / (1 << 20)
            seconds, processor = (ours[key] - idle[key] for key in ("seconds", "processor_seconds"))
            # Envoy loads twice on its main thread, to see whether the configuration is good, and once for the worker.
            rows.append([f"{most:,} {what}: first answer later by, s", "", f"{seconds:.2f}"])
            rows.append([f"{most:,} {what}: processor time of one load, s", "< 1", f"{processor / 3:.2f}"])
            rows.append([f"{most:,} {what}: a worker's memory over one rule, MiB", "≤ 64", f"{memory:.1f}"])
    return table(["", "wanted", "measured"], rows)
