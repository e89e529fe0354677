"""What a request costs is part of the module's interface: counts that do not depend on the machine.

testdata/counts.json holds them; `make counts` writes it. A count that grows fails here until that file, and with it
the reason in the commit, says so. The other tests hold the counts against what the README promises.
"""

import json
import statistics
import warnings

import counts
import pytest
import workload

GROWTH = 1.01
"""How much more than in the file is the same: a rebuilt module may differ by a few instructions."""

FALL = 0.9
"""How much less than in the file is worth a new file."""

SAMPLES, WARM = 128, 8
"""How many logins a mean is taken of, and how many before them make room in the module's memory."""

USUAL = [f"{case}, {headers}" for case in workload.cases(1) for headers in workload.HEADERS]
MANY = [f"{size:,} {what}" for size in counts.MANY for what in ("rules", "users")]


@pytest.fixture(scope="session")
def counted(module):
    """The counts of the module in target/."""
    return counts.measure(module)


def flat(tree, place=()):
    """The numbers of a tree by their places in it."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, (*place, name))
        elif isinstance(value, int):
            yield (*place, name), value


def test_no_count_grows_unseen(counted):
    written = dict(flat(json.loads(counts.FILE.read_text())))
    now = dict(flat(counted))
    grown = [
        f"{' / '.join(place)}: {written.get(place, 0):,} → {value:,}"
        for place, value in now.items()
        if value > written.get(place, 0) * GROWTH
    ]
    fallen = [place for place, value in now.items() if value < written.get(place, 0) * FALL]
    if fallen or written.keys() - now.keys():
        warnings.warn(
            f"{len(fallen)} counts fell by more than a tenth; `make counts` writes the new ones down.", stacklevel=1
        )
    assert not grown, "these counts grew; if they have to, `make counts` writes it down:\n" + "\n".join(grown)


STEP = 120
"""Instructions for a step from one node of a tree to the next."""

HEAP = 32
"""Instructions by which the allocator differs from one heap to another, in a few blocks."""


def assert_grows_by_steps_alone(one, many, *, walks, digits):
    """A walk among many patterns takes one step more for each digit that tells them apart, and one before."""
    steps = walks * (digits + 1)
    more = many["fuel"] - one["fuel"]
    assert more <= steps * STEP + HEAP, f"{more:,} more for {steps} steps"


@pytest.mark.parametrize("case", USUAL)
@pytest.mark.parametrize("many", MANY)
def test_many_rules_and_users_cost_what_one_does(counted, many, case):
    one, here = (counted[shape]["requests"][case] for shape in ("1 rule", many))
    assert_grows_by_steps_alone(one, here, walks=1, digits=5)


@pytest.mark.parametrize("case", ["not covered", "accepted", "accepted, a name below"])
def test_many_hosts_cost_what_one_does(counted, case):
    one, here = (counted[shape]["requests"][case] for shape in ("1 host", "10,000 hosts"))
    # From either end.
    assert_grows_by_steps_alone(one, here, walks=2, digits=4)


@pytest.mark.parametrize("case", ["not covered", "accepted by its end", "accepted by its beginning"])
def test_many_hosts_with_a_star_cost_what_one_does(counted, case):
    one, here = (
        counted[shape]["requests"][case]
        for shape in ("1 rule for hosts with a star", "100,000 rules for hosts with a star")
    )
    assert_grows_by_steps_alone(one, here, walks=1, digits=5)


@pytest.mark.parametrize(("case", "readings"), [("excepted", 1), ("excepted, two readings", 2), ("accepted", 0)])
def test_many_exceptions_cost_what_one_does(counted, case, readings):
    one, here = (counted[shape]["requests"][case] for shape in ("1 exception", "10,000 exceptions"))
    assert_grows_by_steps_alone(one, here, walks=readings, digits=4)


@pytest.mark.parametrize("case", ["excepted by a prefix", "excepted by a prefix, two readings"])
def test_no_regex_is_asked_where_a_text_is_enough(counted, case):
    one, here = (
        counted[shape]["requests"][case]["fuel"] for shape in ("1 exception by regex", "100 exceptions by regex")
    )
    assert here <= 1.1 * one, f"{here / one:,.2f} times the instructions of one regex"


@pytest.mark.parametrize("case", USUAL)
@pytest.mark.parametrize("shape", ["1 rule", *MANY])
def test_host_calls_are_few(counted, shape, case):
    """One for what the path decides, one more for the credential, and the answer."""
    request = counted[shape]["requests"][case]
    answers = request["calls"].get("proxy_send_local_response", 0)
    reads = sum(request["calls"].values()) - answers
    assert answers == (0 if case.startswith(("not covered", "accepted")) else 1)
    assert reads <= (1 if case.startswith("not covered") else 2), request["calls"]


def test_a_piece_of_a_body_costs_few_instructions_and_no_host_call(module):
    """A request that waits must not be let through by its body, so the module is asked about each piece."""
    plugin = module.plugin(workload.rules(1))
    stream = plugin.open(workload.request(workload.OPEN))
    fuel, calls = stream.fuel, sum(stream.calls.values())
    assert stream.chunk(65_536) == 0
    assert stream.fuel - fuel <= 200
    assert sum(stream.calls.values()) == calls


@pytest.mark.parametrize("what", ["rules", "users"])
@pytest.mark.parametrize("size", workload.SIZES)
def test_an_unknown_user_costs_what_a_wrong_password_costs(module, what, size):
    """CVE-2026-27480: to the client both are the same, in time too.

    A search in a hash table takes a step more for one name than for the next, so it is the mean of many that counts.
    """
    plugin = module.plugin({"rules": workload.rules, "users": workload.users}[what](size))
    fuel = {"known": [], "unknown": []}
    for number in range(SAMPLES):
        place = number * size // SAMPLES
        path = workload.protected(place + 1 if what == "rules" else size)
        known, password = workload.user(place)
        unknown, wrong = f"{number:06}resu", f"{number:06}terces"
        assert (len(unknown), len(wrong)) == (len(known), len(password))
        # What one request leaves in the allocator, the next one finds: so each comes first as often as the other.
        for which, name in (("known", known), ("unknown", unknown))[:: -1 if number % 2 else 1]:
            outcome = plugin.request(workload.request(path, credential=(name, wrong)))
            assert outcome.status == 401
            fuel[which].append(outcome.fuel)
    known, unknown = (statistics.mean(figures[WARM:]) for figures in fuel.values())
    assert abs(unknown - known) <= 0.01 * known, f"{unknown:,.0f} and {known:,.0f}"


WORST = [name for name, _, _ in counts.shapes() if name.startswith("worst")]


@pytest.mark.parametrize("path", workload.PATHS)
@pytest.mark.parametrize("shape", WORST)
def test_the_worst_stays_linear_in_the_request(counted, shape, path):
    half, whole = (
        counted[shape]["requests"][f"{length:,} bytes of {path}"] for length in (counts.LONG // 2, counts.LONG)
    )
    assert "trap" not in whole, whole["trap"]
    assert whole["fuel"] <= 2.1 * half["fuel"], f"{whole['fuel'] / half['fuel']:.2f} times for twice the length"


@pytest.mark.parametrize("path", workload.PATHS)
def test_a_long_path_costs_little_a_byte(counted, path):
    """A request that nobody has to sign must not keep a worker busy: 50 kB in well under 50 million instructions."""
    fuel = counted["worst: 1 rule"]["requests"][f"{counts.LONG:,} bytes of {path}"]["fuel"]
    assert fuel <= 1_000 * counts.LONG, f"{fuel / counts.LONG:,.0f} instructions a byte"


@pytest.mark.parametrize("what", ["rules", "users", "times one user"])
def test_loading_is_linear(counted, what):
    some, all_ = (counted[f"{size:,} {what}"]["load"] for size in workload.SIZES[-2:])
    assert all_["fuel"] <= 11 * some["fuel"], f"{all_['fuel'] / some['fuel']:.1f} times for ten times the size"


@pytest.mark.parametrize("what", ["rules", "users"])
def test_a_hundred_thousand_fit_into_64_mib(counted, what):
    grown = counted[f"{workload.SIZES[-1]:,} {what}"]["load"]["memory"] - counted["1 rule"]["load"]["memory"]
    assert grown <= 64 << 20, f"{grown / (1 << 20):.1f} MiB"


def test_a_right_password_that_may_not_pass_costs_what_a_wrong_one_costs(module):
    """CVE-2026-27480: how soon the refusal comes must not tell whether the password is right."""
    users = [f"user{number:03}:secret{number:03}" for number in range(100)]
    rule = {"prefix": "/", "credentials": [*users, "boss:secret"], "allow_users": ["boss"]}
    plugin = module.plugin({"basic_auth_rules": [rule]})
    fuel = {"right": [], "wrong": []}
    for number in range(100):
        for which, password in (("right", f"secret{number:03}"), ("wrong", f"terces{number:03}")):
            outcome = plugin.request(workload.request("/", credential=(f"user{number:03}", password)))
            assert outcome.status == 401
            fuel[which].append(outcome.fuel)
    right, wrong = (statistics.mean(figures[WARM:]) for figures in fuel.values())
    assert abs(right - wrong) <= 0.01 * wrong, f"{right:,.0f} and {wrong:,.0f}"
