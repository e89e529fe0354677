"""The functions that requests run, as hot_functions.txt lists them, and their place in the module.

The order in which rustc leaves functions has nothing to do with what is called when, so a request runs through a few
lines of code in each of fifty pages of memory. V8 lays out what it compiles in the order of the functions, so those
that requests run are put first here, in the order in which a request calls them.

A function that is missing in the list, or has another name now, costs a little time and nothing else. `make
hot-functions` writes the list, and a test says when that is due.
"""

import pathlib
import re

LIST = pathlib.Path(__file__).parent / "hot_functions.txt"

HEAD = "# Functions that requests run, in the order of their first calls. `make hot-functions` writes this."


def stable(name):
    """A function's name without the fingerprints of crates, which differ from one compiler to the next."""
    return re.sub(r"Cs[0-9A-Za-z]+_(?=\d)", "C_", name)


def hot_names():
    """The names in the list."""
    lines = (line.strip() for line in LIST.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def put_first(module, names):
    """Puts the functions of these names first, in this order, and returns their numbers."""
    first = len(module.imports)
    ranks = {name: rank for rank, name in enumerate(names)}
    numbers = range(first, first + len(module.functions))
    rank_of = {of: ranks[name] for of in numbers if (name := stable(module.names.get(of, ""))) in ranks}
    module.reorder(sorted(numbers, key=lambda of: (rank_of.get(of, len(names)), of)))
    return range(first, first + len(rank_of))
