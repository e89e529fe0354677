"""Where the tests find the project's own tools, and the module in the counting host."""

import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Behind the folder of these tests: the table of decisions and the random requests, which the tests through Envoy use, too.
sys.path[:0] = [str(ROOT / "tools"), str(pathlib.Path(__file__).parent), str(ROOT / "tests" / "envoy")]

import envoy  # noqa: E402  (the path has to be set first)
from host import Module  # noqa: E402


@pytest.fixture(scope="session")
def module():
    """The finished module, compiled once."""
    assert envoy.MODULE.exists(), "target/basic_auth.wasm is missing; run `make build`"
    return Module(envoy.MODULE)
