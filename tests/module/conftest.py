"""What all tests in the counting host share: the module."""

import envoy
import pytest
from host import Module


@pytest.fixture(scope="session")
def module():
    """The finished module, compiled once."""
    assert envoy.MODULE.exists(), "target/basic_auth.wasm is missing; run `make build`"
    return Module(envoy.MODULE)
