"""Configurations in a real Envoy: what is refused fails the load, the log names the path, and no secret is in it."""

import concurrent.futures

import pytest
from envoy import Envoy, NotServing, answer_200, bootstrap, listener
from table import refusals, warnings

REFUSED = "configuration refused: "


def log_of_refused_start(filters, version):
    with (
        pytest.raises(NotServing) as refused,
        Envoy(bootstrap([listener("refused", filters, answer_200())]), version=version),
    ):
        pass
    return refused.value.log


def filter_of(row, plugin):
    made = plugin(row["text"])
    if "protobuf" in row:
        # As an operator writes it; Envoy makes the bytes.
        message = {"@type": f"type.googleapis.com/{row['protobuf']}", "value": row["configuration"]}
        made["typed_config"]["config"]["configuration"] = message
    return made


def test_every_refused_configuration_fails_the_load(plugin, version):
    rows = refusals()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        logs = list(pool.map(lambda row: log_of_refused_start([filter_of(row, plugin)], version), rows))
    for row, log in zip(rows, logs, strict=True):
        lines = [line.partition(f"basic_auth: {REFUSED}")[2] for line in log.splitlines() if REFUSED in line]
        assert lines == row["errors"], f"{row}\n{log}"
        assert "SECRET" not in log, log


def test_each_line_names_the_plugin(plugin, version):
    text = '{"realm": null, "lockout": null}'
    log = log_of_refused_start([plugin(text, name="shop\n.admin", root_id="root")], version)
    lines = [line.partition("basic_auth: ")[2] for line in log.splitlines() if REFUSED in line]
    assert [line.partition(": expected")[0] for line in lines] == [
        rf"shop\n.admin: {REFUSED}realm",
        rf"shop\n.admin: {REFUSED}lockout",
    ]


def test_every_warning_is_logged(plugin, version):
    rows = warnings()
    listeners = [
        listener(f"row{number}", [plugin(row["text"], name=f"row{number}")], answer_200())
        for number, row in enumerate(rows)
    ]
    with Envoy(bootstrap(listeners), version=version) as proxy:
        log = proxy.log
    for number, row in enumerate(rows):
        lines = [line.partition(f"basic_auth: row{number}: ")[2] for line in log.splitlines() if "[warning]" in line]
        # Each worker has a virtual machine, and the main thread one for a look.
        assert dict.fromkeys(filter(None, lines)) == dict.fromkeys(row["warnings"]), f"{row}\n{log}"
    assert "SECRET" not in log, log
