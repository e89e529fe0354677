"""Refused configurations in a real Envoy: the load fails, the log names the place, and no secret is in it."""

import concurrent.futures
import json
import pathlib

import pytest
from envoy import Envoy, NotServing, answer_200, bootstrap, listener, wasm_filter

REFUSALS = json.loads((pathlib.Path(__file__).resolve().parents[2] / "testdata" / "refusals.json").read_text())[
    "refusals"
]


def log_of_refused_start(row, module, runtime, version):
    text = row.get("text") or json.dumps(row["configuration"])
    filters = [wasm_filter(text, module=module, runtime=runtime)]
    with (
        pytest.raises(NotServing) as refused,
        Envoy(bootstrap([listener("refused", filters, answer_200())]), version=version),
    ):
        pass
    return refused.value.log


def test_every_refused_configuration_fails_the_load(module, runtime, version):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        logs = list(pool.map(lambda row: log_of_refused_start(row, module, runtime, version), REFUSALS))
    for row, log in zip(REFUSALS, logs):
        errors = [line for line in log.splitlines() if "basic_auth: configuration refused: " in line]
        assert len(errors) == 1, f"{row}\n{log}"
        assert errors[0].endswith(row["error"]), f"{row}\n{log}"
        assert "SECRET" not in log, log
