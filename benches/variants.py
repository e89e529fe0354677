"""What is compared: filters, configurations, requests, protocols."""

import base64
import dataclasses
import hashlib
import pathlib

import workload
from envoy import answer_200, listener, wasm_filter
from packages import ROOT

OURS, IDLE, NATIVE, NONE = "basic_auth", "idle", "native", "none"

READING, REFUSING = "reading", "refusing"
"""Modules that decide nothing but have the proxy hand over all headers, as every decision has to, and then let every
request pass, or refuse it."""

YARDSTICKS = {IDLE: ["not covered"], READING: ["not covered", "accepted"], REFUSING: ["missing", "wrong password"]}
"""Modules that decide nothing, and the requests that each is sent, which take the same way through Envoy in ours."""


def yardstick(name):
    """The file of such a module. It has callbacks for all that ours has."""
    return ROOT / "target" / name / "wasm32-wasip1" / "release" / "idle.wasm"


IDLE_MODULE = yardstick(IDLE)
"""It looks at nothing."""

PAGE = "a page of 1 kB"
"""What answers a request that is let on: a small page, of 1 kB."""

ANSWERS = {PAGE: "0123456789abcdef" * 64, "eight bytes": "upstream", "nothing": ""}
"""Bodies by name. A refusal takes the place of the page, so what it adds depends on what a page costs. Without a filter
the others are measured as well; then everybody can see what refusals would add to those."""

CASES = ("not covered", "missing", "wrong password", "accepted")
"""What is measured of every module with one rule."""

MANY = ("not covered", "wrong password", "accepted")
"""What is measured of every module with many rules or users."""

REFUSED = ("missing", "wrong password", "unknown user")
"""The cases that a filter refuses."""

WITH_CREDENTIAL = ("wrong password", "accepted")
"""The cases whose request carries a credential; without a filter it is sent as well, for the difference's sake."""


@dataclasses.dataclass(frozen=True)
class Variant:
    """One thing that is measured: a request to a filter."""

    filter: str
    shape: str
    case: str
    headers: str
    protocol: str
    size: int = 1

    @property
    def listener(self):
        return f"{self.filter}, {self.shape}"

    @property
    def baseline(self):
        """The same request where there is no filter."""
        case = "accepted" if self.case in WITH_CREDENTIAL else "not covered"
        return Variant(NONE, PAGE, case, self.headers, self.protocol)

    @property
    def request(self):
        path, credential = workload.cases(self.size)[self.case]
        return workload.request(path, credential=credential, more=workload.HEADERS[self.headers])

    @property
    def status(self):
        """The class of the status that Envoy has to count."""
        refused = self.filter != NONE and self.case in REFUSED
        return "4xx" if refused else "2xx"


class Filters:
    """The listeners of one Envoy, each with one filter in one configuration."""

    def __init__(self, modules, shapes):
        """`modules` by name; `shapes` are pairs of a module's name and a name in `configurations()`."""
        self.modules = modules
        self._chains = {f"{NATIVE}, 1 rule": [native(workload.user(0))]}
        known = configurations()
        for name, shape in shapes:
            size, make = known[shape]
            # A virtual machine of its own for each: they do not share a heap or compiled code that one has warmed.
            key = f"{name}, {shape}"
            self._chains[key] = [wasm_filter(for_everyone(make(size)), module=modules[name], vm_id=key)]

    def listeners(self):
        # Without a random request id, a request has the same headers every time and all of them are counted.
        def one(name, filters, answer):
            return listener(name, filters, answer_200(answer), manager={"generate_request_id": False})

        without = [one(f"{NONE}, {name}", [], answer) for name, answer in ANSWERS.items()]
        return without + [one(name, filters, ANSWERS[PAGE]) for name, filters in self._chains.items()]


def configurations():
    """Size and maker of the configurations by name."""
    shapes = {"1 rule": (1, workload.rules)}
    for size in workload.SIZES[1:]:
        shapes[f"{size:,} rules"] = (size, workload.rules)
        shapes[f"{size:,} users"] = (size, workload.users)
    return shapes


def for_everyone(configuration):
    """The configuration with the methods named: some modules have no default for them."""
    return {"basic_auth_rules": [{**rule, "request_methods": ["GET"]} for rule in configuration["basic_auth_rules"]]}


def native(pair):
    """Envoy's own filter. It knows users, and SHA-1 as their only hash; no paths."""
    name, password = pair
    line = f"{name}:{{SHA}}{base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()}"
    kind = "type.googleapis.com/envoy.extensions.filters.http.basic_auth.v3.BasicAuth"
    return {"name": "envoy.filters.http.basic_auth", "typed_config": {"@type": kind, "users": {"inline_string": line}}}


def all_variants(names, shapes, protocols):
    """What one round measures, but the baselines. `names` are the modules that decide: ours and peers."""
    for protocol in protocols:
        for headers in workload.HEADERS:
            for answer in ANSWERS.keys() - {PAGE}:
                yield Variant(NONE, answer, "not covered", headers, protocol)
            for name, cases in YARDSTICKS.items():
                for case in cases:
                    yield Variant(name, "1 rule", case, headers, protocol)
            for case in CASES[1:]:
                yield Variant(NATIVE, "1 rule", case, headers, protocol)
            for name in names:
                for case in CASES:
                    yield Variant(name, "1 rule", case, headers, protocol)
    known = configurations()
    for name, shape in shapes:
        if shape != "1 rule":
            for case in MANY:
                yield Variant(name, shape, case, "five headers", protocols[0], known[shape][0])


def peers(files):
    """Other modules by a short name."""
    return {pathlib.Path(file).stem: pathlib.Path(file).resolve() for file in files}
