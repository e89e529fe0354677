"""The one kind of error that a person is told in a sentence, without a traceback."""

import sys


class Problem(Exception):
    """What is missing or wrong, and what to do about it."""


def run(name, main, *arguments):
    """Ends the program with what `main` returns, or with the problem in its way."""
    try:
        sys.exit(main(*arguments))
    except Problem as problem:
        sys.exit(f"{name}: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)
