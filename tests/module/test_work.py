"""A long path costs no more than a small factor of one of letters, whatever is in it: counted in instructions.

`test_counts.py` holds what usual requests cost; here are the shapes by which a client would make the filter work.
"""

import counts
import pytest
import workload
from host import Module

LENGTH = 50_000

FACTOR = 25
"""Times the instructions of as many letters. Each step that makes another form is a pass over it, and the bytes of all forms are bounded."""


def filled(piece):
    return "/" + piece * (LENGTH // len(piece))


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
    "nested escapes": "/%" + "25" * (LENGTH // 2) + "61",
    "nested escapes before letters": "/%" + "25" * 58 + "61" + "a" * LENGTH,
    "fragments": filled("#"),
    "NUL": filled("%00"),
    "characters beyond ASCII": filled("%c3%a9"),
    "malformed at its end": filled("%61") + "%",
    "everything": filled("/a;b/%2e;c//%2f;d/../\\%2561%3f#"),
}


@pytest.fixture(scope="module")
def plugin():
    return Module(counts.MODULE).plugin(workload.rules(1))


def fuel(plugin, path):
    return plugin.request(workload.request(path)).fuel


@pytest.mark.parametrize("shape", SHAPES)
def test_a_long_path_costs_a_small_factor_of_letters(plugin, shape):
    path = SHAPES[shape]
    letters = fuel(plugin, "/" + "a" * len(path))
    assert fuel(plugin, path) <= FACTOR * letters, f"{fuel(plugin, path) / letters:.1f} times"
