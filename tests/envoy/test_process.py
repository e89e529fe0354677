"""What all workers of an Envoy know together, and what a later configuration still knows."""

import collections
import concurrent.futures
import contextlib
import json
import socket
import time

import pytest
from envoy import Envoy, answer_200, bootstrap, listener
from hashes import CHEAP_SECRET3, SLOW_SECRET7
from http_client import Http1, basic, http1, together
from listeners import Listeners, verifications, wait_until

USERS = [f"user{number}" for number in range(40)]
LIST = "\n".join(f"{user}:{CHEAP_SECRET3}" for user in USERS)
"""All of them have the password `secret3`."""
SLOW_LIST = "\n".join(f"{user}:{SLOW_SECRET7}" for user in USERS)
"""All of them have the password `secret7`."""

LOCKOUT = {"failures": 3, "window_seconds": 300, "lock_seconds": 300}


def login(port, pair):
    return http1(port, b"GET", b"/", [basic(pair)]).status


def log_in_when_told(port, pair):
    """The status of a login that comes again when it is told to."""
    while True:
        answer = http1(port, b"GET", b"/", [basic(pair)])
        if answer.status != 429:
            return answer.status
        time.sleep(int(answer.header("retry-after")[0]))


@contextlib.contextmanager
def full_queues(port):
    """Keeps so many wrong logins waiting that every worker turns away whatever it would have to hash."""
    with contextlib.ExitStack() as stack:
        for number in range(200):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            name, value = basic(f"filler:wrong{number}")
            connection.sendall(b"GET / HTTP/1.1\r\nhost: test\r\n%b: %b\r\n\r\n" % (name, value))
        # Each worker has had some of them by now.
        statuses = collections.Counter(login(port, f"nobody{number}:wrong") for number in range(40))
        assert set(statuses) == {429}, statuses
        yield


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_an_update_makes_nobody_log_in_anew(plugin, version, tmp_path, workers):
    rule = {"prefix": "/", "htpasswd": SLOW_LIST}
    other = {"prefix": "/other", "credentials": ["someone:else"]}
    listeners = Listeners(tmp_path, plugin)
    listeners.write({"basic_auth_rules": [rule]})
    with Envoy(listeners.bootstrap(), version=version, concurrency=workers) as proxy:
        assert [log_in_when_told(listeners.port, f"{user}:secret7") for user in USERS] == [200] * len(USERS)
        # New connections, which any worker may take; it hashes nothing that another one has.
        assert [login(listeners.port, f"{user}:secret7") for user in 3 * USERS] == [200] * 3 * len(USERS)
        wait_until(lambda: verifications(proxy) == len(USERS))
        # In one millisecond each second no hash ends while this test runs.
        listeners.write({"basic_auth_rules": [other, rule], "hash_budget_ms_per_second": 1})
        wait_until(lambda: http1(listeners.port, b"GET", b"/other", [basic(f"{USERS[0]}:secret7")]).status == 401)
        with full_queues(listeners.port):
            assert [login(listeners.port, f"{user}:secret7") for user in 2 * USERS] == [200] * 2 * len(USERS)
        assert verifications(proxy) == len(USERS)


@pytest.mark.parametrize("workers", [1, 4])
def test_who_comes_back_after_a_restart_is_let_in_and_hashed_once(plugin, version, workers):
    """More than can wait: who is told to come again does, and whatever the workers have to spare is used."""
    configuration = {"basic_auth_rules": [{"prefix": "/", "htpasswd": SLOW_LIST}]}
    # Each user at an address of its own, as the proxy before this one would write it.
    manager = {"use_remote_address": False, "xff_num_trusted_hops": 0}
    listeners = [listener("main", [plugin(configuration)], answer_200(), manager=manager)]
    with (
        Envoy(bootstrap(listeners), version=version, concurrency=workers) as proxy,
        concurrent.futures.ThreadPoolExecutor(len(USERS)) as pool,
    ):
        began, port = time.monotonic(), proxy.ports["main"]
        answered = collections.Counter()

        def come_back(number):
            headers = [basic(f"{USERS[number]}:secret7"), (b"x-forwarded-for", b"10.0.0.%d" % number)]
            while True:
                answer = http1(port, b"GET", b"/", headers)
                answered[answer.status] += 1
                if answer.status != 429:
                    return answer.status
                assert (answer.body, answer.header("www-authenticate")) == (b"", [])
                time.sleep(int(answer.header("retry-after")[0]))

        assert list(pool.map(come_back, range(len(USERS)))) == [200] * len(USERS)
        print(f"{len(USERS)} users, {workers} workers: {time.monotonic() - began:.1f} s, {dict(answered)}")
        wait_until(lambda: verifications(proxy) >= len(USERS))
        assert verifications(proxy) == len(USERS)


def test_a_line_that_is_gone_is_refused_by_every_worker(plugin, version, tmp_path):
    listeners = Listeners(tmp_path, plugin)
    listeners.write({"basic_auth_rules": [{"prefix": "/", "htpasswd": LIST}]})
    with Envoy(listeners.bootstrap(), version=version, concurrency=4):
        assert log_in_when_told(listeners.port, "user0:secret3") == 200
        assert log_in_when_told(listeners.port, "user1:secret3") == 200
        listeners.write({"basic_auth_rules": [{"prefix": "/", "htpasswd": LIST.split("\n", 1)[1]}]})
        wait_until(lambda: log_in_when_told(listeners.port, "user0:secret3") == 401)
        # The listener is new, and so are all of its workers' connections.
        assert [log_in_when_told(listeners.port, "user0:secret3") for _ in range(12)] == [401] * 12
        assert log_in_when_told(listeners.port, "user1:secret3") == 200


class Extension:
    """A file with a filter, as Istio's agent changes a plugin: open connections have it with their next request."""

    def __init__(self, folder, plugin):
        self._file, self._plugin, self._versions = folder / "ecds.json", plugin, 0

    def write(self, configuration):
        self._versions += 1
        resource = {
            "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
            **self._plugin(configuration),
        }
        other = self._file.with_suffix(".new")
        other.write_text(json.dumps({"version_info": str(self._versions), "resources": [resource]}))
        other.replace(self._file)

    def filter(self):
        return {
            "name": "basic_auth",
            "config_discovery": {
                "config_source": {"path_config_source": {"path": str(self._file)}},
                "type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"],
            },
        }


def test_open_connections_are_refused_with_a_line_that_is_gone(plugin, version, tmp_path):
    extension = Extension(tmp_path, plugin)
    extension.write({"basic_auth_rules": [{"prefix": "/", "htpasswd": LIST}]})
    listeners = [listener("main", [extension.filter()], answer_200())]
    node = {"node": {"id": "test", "cluster": "test"}}
    with Envoy({**bootstrap(listeners), **node}, version=version, concurrency=4) as proxy:
        port = proxy.ports["main"]
        assert [log_in_when_told(port, f"{user}:secret3") for user in USERS[:2]] == [200, 200]
        connections = [Http1(port) for _ in range(24)]

        def statuses(user):
            return [connection.request(b"GET", b"/", [basic(f"{user}:secret3")]).status for connection in connections]

        assert statuses("user0") == [200] * 24
        began = time.monotonic()
        extension.write({"basic_auth_rules": [{"prefix": "/", "htpasswd": LIST.split("\n", 1)[1]}]})
        # A worker whose queue is full may tell some to come again.
        wait_until(lambda: set(statuses("user0")) <= {401, 429})
        print(f"refused by all workers after {time.monotonic() - began:.2f} s")
        assert 200 not in statuses("user0") and statuses("user1") == [200] * 24
        assert {connection.opened for connection in connections} == {1}


def test_a_listener_that_is_replaced_keeps_its_users_until_it_is_drained(plugin, version, tmp_path):
    listeners = Listeners(tmp_path, plugin)
    listeners.write({"basic_auth_rules": [{"prefix": "/", "htpasswd": LIST}]})
    with Envoy(listeners.bootstrap(), version=version, concurrency=4, drain_seconds=3) as proxy:
        assert log_in_when_told(listeners.port, "user0:secret3") == 200
        connections = [Http1(listeners.port) for _ in range(12)]

        def statuses():
            pair = basic("user0:secret3")
            return {connection.request(b"GET", b"/", [pair]).status for connection in connections}

        assert statuses() == {200}
        listeners.write({"basic_auth_rules": [{"prefix": "/", "htpasswd": LIST.split("\n", 1)[1]}]})
        wait_until(lambda: log_in_when_told(listeners.port, "user0:secret3") == 401)
        wait_until(lambda: statuses() <= {401, 429})
        assert proxy.stats("listener_manager.total_listeners_active")["listener_manager.total_listeners_active"] == 1


@pytest.mark.parametrize("users", [{"credentials": ["user0:secret3"]}, {"htpasswd": LIST}], ids=["plain", "hashed"])
def test_a_lock_counts_for_all_workers(plugin, version, users):
    configuration = {"basic_auth_rules": [{"prefix": "/", **users}], "lockout": LOCKOUT}
    manager = {"use_remote_address": True}
    listeners = [listener("main", [plugin(configuration)], answer_200(), manager=manager)]
    with Envoy(bootstrap(listeners), version=version, concurrency=4) as proxy:
        port = proxy.ports["main"]
        statuses = [login(port, f"user0:wrong{number}") for number in range(24)]
        assert statuses == [401] * 3 + [429] * 21
        assert [login(port, "user0:secret3") for _ in range(12)] == [429] * 12
        # At once, so that workers count at the same time.
        statuses = together(port, [(b"/", basic(f"user1:wrong{number}")) for number in range(16)])
        assert collections.Counter(statuses) == {401: 3, 429: 13}


def test_a_right_login_counts_for_all_workers(plugin, version):
    configuration = {"basic_auth_rules": [{"prefix": "/", "credentials": ["user0:secret3"]}], "lockout": LOCKOUT}
    listeners = [listener("main", [plugin(configuration)], answer_200(), manager={"use_remote_address": True})]
    with (
        Envoy(bootstrap(listeners), version=version, concurrency=4) as proxy,
        concurrent.futures.ThreadPoolExecutor(8) as pool,
    ):
        port = proxy.ports["main"]
        assert login(port, "user0:wrong") == 401
        assert set(pool.map(lambda _: login(port, "user0:secret3"), range(64))) == {200}
        # Every worker has had one of those right logins by now, or knows of them from the others.
        assert [login(port, f"user0:wrong{number}") for number in range(4)] == [401, 401, 401, 429]
