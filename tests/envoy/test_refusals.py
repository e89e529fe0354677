"""Refused configurations in a real Envoy: the load fails, the log names the place, and no secret is in it."""

import concurrent.futures

import pytest
from envoy import Envoy, NotServing, answer_200, bootstrap, listener
from table import refusals


def log_of_refused_start(filters, version):
    with (
        pytest.raises(NotServing) as refused,
        Envoy(bootstrap([listener("refused", filters, answer_200())]), version=version),
    ):
        pass
    return refused.value.log


def test_every_refused_configuration_fails_the_load(plugin, version):
    rows = refusals()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        logs = list(pool.map(lambda row: log_of_refused_start([plugin(row["text"])], version), rows))
    for row, log in zip(rows, logs, strict=True):
        errors = [line for line in log.splitlines() if "basic_auth: configuration refused: " in line]
        assert len(errors) == 1, f"{row}\n{log}"
        assert errors[0].endswith(row["error"]), f"{row}\n{log}"
        assert "SECRET" not in log, log
