"""What all tests through Envoy share: which Envoy, which runtime, which module."""

import functools
import os

import packages
import pytest
from envoy import MODULE, RUNTIMES, wasm_filter
from http_client import http1, http2


@pytest.fixture(scope="session")
def runtime():
    """The wasm runtime of Envoy: RUNTIME=wasmtime or RUNTIME=wamr tries an Envoy that has another than V8.

    Those of tools/requirements/ have V8 alone; tests/module replays the table under wasmtime.
    """
    return RUNTIMES[os.environ.get("RUNTIME", "v8")]


@pytest.fixture(scope="session")
def version():
    """The version of Envoy; ENVOY=1.36.4 chooses another than the newest that tools/requirements/ knows."""
    return os.environ.get("ENVOY", packages.ENVOY)


@pytest.fixture(scope="session")
def module():
    """The finished module."""
    assert MODULE.exists(), "target/basic_auth.wasm is missing; run `make build`"
    return MODULE


@pytest.fixture(scope="session")
def plugin(module, runtime):
    """Makes a filter of the module from a configuration; the options are those of `wasm_filter`."""
    return functools.partial(wasm_filter, module=module, runtime=runtime)


@pytest.fixture(params=[http1, http2], ids=["http1", "http2"])
def send(request):
    """Sends one request over a connection of its own."""
    return request.param
