"""Where the tests find the project's own tools."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Behind the folder of these tests: the table of decisions and the random requests, which the tests through Envoy use, too.
sys.path[:0] = [str(ROOT / "tools"), str(pathlib.Path(__file__).parent), str(ROOT / "tests" / "envoy")]
