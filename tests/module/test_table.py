"""The table of decisions under wasmtime: a second runtime, apart from Envoy and its V8."""

import json

from host import Vm, request_headers
from table import all_tables, expected


def test_every_decision_of_the_table_under_wasmtime(module, capsys):
    vm, sent, wrong = Vm(module), 0, []
    for table in all_tables():
        # All tables in one virtual machine, as several plugins of one module are in Envoy.
        plugin = vm.configure(json.dumps(table.configuration).encode())
        assert plugin.accepted, vm.log
        for case in table.cases:
            answer = plugin.request(request_headers(case.method, case.path, case.authority, case.headers))
            sent += 1
            status, challenge = expected(case)
            if (answer.status or 200, answer.header("www-authenticate"), answer.body) != (status, challenge, b""):
                wrong.append(f"{table.name}: {case}\n  is {answer}, not {status} {challenge}")
    assert not wrong, f"{len(wrong)} of {sent} decisions are wrong:\n" + "\n".join(wrong)
    assert sent > 100
    with capsys.disabled():
        print(f"\ndecisions: {sent} ran under wasmtime")


def test_without_a_valid_configuration_nothing_passes(module):
    vm = Vm(module)
    refused = vm.configure(b'{"basic_auth_rules": null}')
    assert not refused.accepted
    assert refused.request(request_headers(b"GET", b"/open", b"test")).status == 503
    # A plugin that had a valid one does not go on with it.
    plugin = vm.configure(b'{"basic_auth_rules": [{"prefix": "/a", "credentials": ["ok:test"]}]}')
    assert plugin.request(request_headers(b"GET", b"/open", b"test")).status is None
    vm.configure(b"[]", context=plugin.context)
    assert plugin.request(request_headers(b"GET", b"/open", b"test")).status == 503
