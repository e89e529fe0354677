"""A path costs no more than a small multiple of its length, whatever is in it: counted in instructions.

`test_counts.py` holds what usual requests cost; here are the shapes by which a client would make the filter work.
"""

import pytest
import workload

LENGTHS = [250, 500, 1_000, 2_000, 8_000, 50_000]

FOR_EACH_BYTE = 480
"""Instructions for a byte of a path; a letter takes 10 to 18. Each step that makes another form is a pass over it, and
the bytes of all forms are bounded by three times the path's. The dearest takes 447: escaped slashes and blanks, which
are decoded in three ways, merged, and trimmed in each of these forms."""

SHORT = 7_000_000
"""Instructions for the forms of a short path, about a millisecond: these are bounded by 16 KiB together."""


def filled(piece):
    return lambda length: "/" + piece * (length // len(piece))


def ending(piece, end):
    return lambda length: "/" + piece * ((length - len(end)) // len(piece)) + end


TAIL = ";x//%2500////%23%2f%2e%2e%2f//"
"""A few characters of which much can be made."""

SHAPES = {
    "dot segments": filled("../"),
    "escaped dot segments": filled("%2e%2e%2f"),
    "single dots": filled("./"),
    "up and down": filled("a/../"),
    "slashes": filled("/"),
    "backslashes": filled("\\"),
    "escaped slashes": filled("%2f"),
    "parameters": filled(";"),
    "parameters in every segment": filled("a;b/"),
    "empty segments with parameters": filled(";/"),
    "escapes": filled("%61"),
    "escaped escapes": filled("%2561"),
    "nested escapes": lambda length: "/%" + "25" * (length // 2) + "61",
    "nested escapes before letters": lambda length: "/%" + "25" * 58 + "61" + "a" * (length - 120),
    "fragments": filled("#"),
    "NUL": filled("%00"),
    "characters beyond ASCII": filled("%c3%a9"),
    "malformed at its end": ending("%61", "%"),
    "letters, and much at the end": ending("a", TAIL),
    "escapes, and much at the end": ending("%61", TAIL),
    "characters beyond ASCII, and much at the end": ending("%c4%b0", TAIL),
    "letters, and slashes at the end": ending("a", "/" * 60),
    "an escape, and slashes at the end": ending("a", "%61" + "/" * 60),
    "much, and slashes at the end": ending("a", "\\.a;/./a//a/%c4%b0%2e" + "/" * 58),
    "slashes that are backslashes at the end": ending("a", "%61" + "\\" * 60),
    "line feeds": filled("%0a"),
    "escaped slashes and spaces": filled("%2f%20"),
    "everything": filled("/a;b/%2e;c//%2f;d/../\\%2561%3f#"),
}


@pytest.fixture(scope="module")
def plugin(module):
    return module.plugin(workload.rules(1))


def fuel(plugin, path):
    return plugin.request(workload.request(path)).fuel


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_path_costs_a_small_multiple_of_its_length(plugin, shape, length):
    path = SHAPES[shape](length)
    taken = fuel(plugin, path)
    assert taken <= max(FOR_EACH_BYTE * len(path), SHORT), f"{taken:,}, {taken / len(path):.0f} for each byte"


MATCHING = 36_000_000
"""Instructions for a request, whatever the rules and their regexes: about 5 ms."""

REGEXES = {
    "one large": ["/(.*a){130}[yz]"],
    "many large": ["/(.*a){130}[yz]"] * 30,
    "counted optional letters": ["/.*(a?b?c?){60}[z]"] * 30,
    "middling": ["/(.*a){30}[yz]"] * 300,
    "without case": ["(?i)/.*(a|b|c){1,20}[z]"] * 20,
    "without case, beyond ASCII": ["(?i)/.*(\u00e4|b|c){1,20}[z]"] * 20,
    "a thousand small": ["/[a-z]+/[x]"] * 1_000,
    "nine thousand with a text": [f"/.*x{number}" for number in range(9_000)],
    "long texts": [f"/.*{number:03}{'a' * 600}" for number in range(300)],
    "boundaries of words": [r"/((\b|\B|a)*a)*[z]"] * 3_000,
}


@pytest.mark.parametrize("place", ["rules", "exceptions"])
@pytest.mark.parametrize("shape", REGEXES)
def test_regexes_do_not_hold_a_worker(module, shape, place):
    user = ":".join(workload.user(0))
    if place == "rules":
        rules = [{"regex": regex, "credentials": [user]} for regex in REGEXES[shape]]
    else:
        rules = [{"prefix": "/", "except": [{"regex": regex} for regex in REGEXES[shape]], "credentials": [user]}]
    plugin = module.plugin({"basic_auth_rules": rules})
    dearest = 0
    for length in (5, 20, 50, 100, 150, 190, 250, 400, 700, 1_000, 4_000):
        for piece in ("a", "/a", "%61", "\u00e4"):
            dearest = max(dearest, fuel(plugin, "/" + piece * (length // len(piece))))
    assert dearest <= MATCHING, f"{dearest:,}"


def test_a_long_path_of_many_readings_leaves_matching_less(module):
    """50,000 slashes under 100,000 rules took 39 million, most of it to ask each rule what the first had said."""
    rules = {
        **{f"100,000 of one {field}": workload.alike(field, 100_000) for field in ("prefix", "suffix")},
        "1,000 regexes": workload.regexes(1_000),
        "nested prefixes": workload.nested_prefixes(2_000),
    }
    for name, configuration in rules.items():
        plugin = module.plugin(configuration)
        for shape in ("slashes", "escaped slashes and spaces", "parameters in every segment", "dot segments"):
            # What has a malformed escape at its end is read as far as it goes, and then covered by every rule.
            for end in ("", "%"):
                path = SHAPES[shape](50_000 - len(end)) + end
                taken = plugin.request(workload.request(path, credential=workload.user(0))).fuel
                assert taken <= MATCHING, f"{name}, {shape}, {end}: {taken:,}"


@pytest.mark.parametrize("length", [1_000, 2_000, 3_800])
def test_a_path_with_escapes_leaves_matching_enough(module, length):
    """An exception holds, and regexes are tried, on as long a path as they are tried on at all."""
    user = ":".join(workload.user(0))
    excepted = {"prefix": "/", "except": [{"prefix": "/open/"}, {"suffix": ".css"}], "credentials": [user]}
    rules = [excepted] * 5 + [{"regex": "/.*private.*[0-9]", "credentials": [user]}] * 10
    plugin = module.plugin({"basic_auth_rules": rules})
    paths = ["/open/%61" + "a" * length, "/open/%61private", "/open/%61private7" + "a" * length]
    statuses = [plugin.request(workload.request(path)).status for path in paths]
    assert statuses == [None, None, 401]


MANY = "/%" + "25" * 58 + "61"
"""A path of as many readings as there may be."""

SHAPES_OF_RULES = {
    "rules that cover everything": [{"prefix": "/"}] * 10_000,
    "exceptions by suffix": [{"prefix": "/", "except": [{"suffix": ".css"}, {"suffix": ".js"}]}] * 1_000,
    "long exceptions": [{"prefix": "/", "except": [{"suffix": "a" * 60}]}] * 5_000,
    "nested prefixes": [{"prefix": "/" + "a" * length} for length in range(2_000)],
    "nested prefixes of segments": [{"prefix": "/" + "a/" * number} for number in range(2_000)],
    "one rule with exceptions alike": [{"prefix": "/", "except": [{"suffix": "a"}] * 9_000}],
}


@pytest.mark.parametrize("first_match", [False, True], ids=["", "first match"])
@pytest.mark.parametrize("shape", SHAPES_OF_RULES)
def test_rules_do_not_hold_a_worker(module, shape, first_match):
    user = ":".join(workload.user(0))
    rules = [{**rule, "credentials": [user]} for rule in SHAPES_OF_RULES[shape]]
    plugin = module.plugin({"basic_auth_rules": rules, "first_match": first_match})
    paths = ["/", "/a", "/x.css", "/" * 62, MANY + "/x.css", MANY + "a" * 60, MANY + "a" * 300, "/a/" + "/" * 60 + "a"]
    paths += ["/" + "a" * 2_000, "/" + "a" * 1_000 + "/%61;x//%2e", "/" + "a" * 200 + MANY, "/" + "a/" * 2_000 + "%61"]
    dearest = max(fuel(plugin, path) for path in paths)
    assert dearest <= MATCHING, f"{dearest:,}"
