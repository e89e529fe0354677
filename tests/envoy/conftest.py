"""What all tests through Envoy share: which Envoy, which runtime, which module."""

import os

import envoy
import pytest


@pytest.fixture(scope="session")
def runtime():
    """The wasm runtime of Envoy. Those that tools/packages.py fetches are built with V8 alone, and tests/module replays the
    table under wasmtime; an Envoy with another runtime is tried with RUNTIME=wasmtime or RUNTIME=wamr."""
    return envoy.RUNTIMES[os.environ.get("RUNTIME", "v8")]


@pytest.fixture(scope="session")
def version():
    """The version of Envoy; ENVOY=1.36.4 chooses another than the pinned one."""
    return os.environ.get("ENVOY")


@pytest.fixture(scope="session")
def module():
    """The finished module."""
    assert envoy.MODULE.exists(), "target/basic_auth.wasm is missing; run `make build`"
    return envoy.MODULE
