"""A new password in the environment, in the two ways of docs/passwords.md, and no request is lost on the way."""

import collections
import sys
import threading
import time

import pytest
from envoy import Envoy, answer_200, bootstrap, listener
from hashes import CHEAP_SECRET3, SLOW_NEXT
from http_client import basic, http1
from listeners import Listeners, wait_until
from packages import numbers
from ports import free_port

OLD = f"ok:{CHEAP_SECRET3}"
NEW = f"ok:{SLOW_NEXT}"
BOTH = f"{OLD}\n{NEW}\n"
RULES = {"basic_auth_rules": [{"prefix": "/", "htpasswd_env": "USERS"}]}


def login(port, pair):
    return http1(port, b"GET", b"/", [basic(pair)]).status


def statuses(port):
    return login(port, "ok:secret3"), login(port, "ok:next")


def wait_for(port, expected):
    wait_until(lambda: statuses(port) == expected)


class Load:
    """Logins with the old password, one after the other, for as long as the block lasts."""

    def __init__(self, port):
        self.port, self.statuses, self._stop = port, collections.Counter(), threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._stop.is_set():
            try:
                self.statuses[login(self.port, "ok:secret3")] += 1
            except OSError as error:
                self.statuses[repr(error)] += 1
            time.sleep(0.005)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stop.set()
        self._thread.join()


def test_a_variable_in_the_configuration(plugin, version, tmp_path):
    listeners = Listeners(tmp_path, plugin)
    listeners.write(RULES, OLD)
    with Envoy(listeners.bootstrap(), version=version) as proxy:
        wait_for(listeners.port, (200, 401))
        with Load(listeners.port) as load:
            # A vm_id of its own is a VM of its own, in every Envoy.
            listeners.write(RULES, BOTH, vm_id="2")
            wait_for(listeners.port, (200, 200))
        assert set(load.statuses) == {200}, load.statuses
        listeners.write(RULES, NEW, vm_id="3")
        wait_for(listeners.port, (401, 200))
        # Since Envoy 1.39 the changed variable does it alone.
        listeners.write(RULES, OLD, vm_id="3")
        if numbers(version) >= (1, 39):
            wait_for(listeners.port, (200, 401))
        else:
            time.sleep(2)
            assert statuses(listeners.port) == (401, 200)
        assert "refused" not in proxy.log


def test_whoever_waits_is_answered_by_the_configuration_that_was_in_force(plugin, version, tmp_path):
    """Envoy makes a new root context and lets the old one live, with its timer, until its last request is over."""
    # A hash of cost 10 takes two seconds of waiting, and the next one comes after it.
    slow = {**RULES, "hash_budget_ms_per_second": 25}
    more = {**slow, "basic_auth_rules": [*slow["basic_auth_rules"], {"prefix": "/more", "credentials": ["ok:test"]}]}
    listeners = Listeners(tmp_path, plugin)
    listeners.write(slow, NEW)
    with Envoy(listeners.bootstrap(), version=version, drain_seconds=60) as proxy:
        wait_until(lambda: "protecting with 1 rule and" in proxy.log)
        answers = {}

        def ask(name, pair):
            answers[name] = login(listeners.port, pair)

        def waiting(name, pair):
            thread = threading.Thread(target=ask, args=(name, pair))
            thread.start()
            return thread

        threads = [waiting("right", "ok:next"), waiting("wrong", "ok:wrong")]
        time.sleep(0.3)
        listeners.write(more, NEW)
        wait_until(lambda: "protecting with 2 rules" in proxy.log)
        assert answers == {}, "they still wait"
        threads.append(waiting("new", "ok:next"))
        for thread in threads:
            thread.join()
        assert answers == {"right": 200, "wrong": 401, "new": 200}


@pytest.mark.skipif(sys.platform != "linux", reason="Envoy's hot restart is for Linux")
def test_a_variable_of_envoy_itself_takes_a_restart(plugin, version):
    filter_ = plugin(RULES)
    filter_["typed_config"]["config"]["vm_config"]["environment_variables"] = {"host_env_keys": ["USERS"]}
    port = free_port()
    configuration = {
        **bootstrap([listener("main", [filter_], answer_200(), port=port)]),
        "node": {"id": "test", "cluster": "test"},
    }
    with Envoy(configuration, version=version, environment={"USERS": OLD}) as old:
        assert statuses(port) == (200, 401)
        load = Load(port)
        with load, Envoy(configuration, version=version, environment={"USERS": BOTH}, replaces=old) as new:
            # It takes over; the old one answers what it has, and ends.
            old.process.wait(timeout=30)
            wait_for(port, (200, 200))
            load.stop()
            assert set(load.statuses) == {200}, load.statuses
            assert "refused" not in new.log
