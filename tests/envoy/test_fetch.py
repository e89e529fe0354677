"""Users that are fetched while everything runs: what is in force when, and what comes of a server that misbehaves."""

import collections
import concurrent.futures
import http.server
import threading

import pytest
from envoy import Envoy, answer_200, bootstrap, cluster, listener
from hashes import CHEAP_SECRET3, DEARER_SECRET7
from http_client import Http1, basic, http1
from listeners import wait_until

ALICE, BOB = f"alice:{CHEAP_SECRET3}", f"bob:{CHEAP_SECRET3}"
NEW_ALICE = f"alice:{DEARER_SECRET7}"


class Users:
    """A server of one list. What it answers is what a test sets."""

    def __init__(self):
        self.text, self.status, self.etag, self.hangs = "", 200, None, threading.Event()
        self.hangs.set()
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append((self.path, self.headers["host"], self.headers["if-none-match"]))
                outer.hangs.wait(30)
                etag = outer.etag
                is_known = etag is not None and self.headers["if-none-match"] == etag
                body = b"" if is_known else outer.text.encode("latin-1")
                self.send_response(304 if is_known else outer.status)
                if etag is not None:
                    self.send_header("etag", etag)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # Envoy hangs up on what it does not want.
        self.server.handle_error = lambda *_: None
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def users():
    users = Users()
    yield users
    users.hangs.set()
    users.server.shutdown()


FETCH = {"cluster": "users", "path": "/list?of=all", "authority": "users.test", "refresh_seconds": 1}


def rules(**fetch):
    return {
        "basic_auth_rules": [
            {"prefix": "/fetched", "htpasswd_fetch": {**FETCH, **fetch}},
            {"prefix": "/other", "credentials": ["ok:test"]},
        ]
    }


def login(port, pair, path=b"/fetched"):
    return http1(port, b"GET", path, [basic(pair)])


def status(port, pair):
    return login(port, pair).status


@pytest.fixture
def run(plugin, version, users):
    def started(configuration, concurrency=1):
        listeners = [listener("main", [plugin(configuration)], answer_200())]
        return Envoy(bootstrap(listeners, [cluster("users", users.port)]), version=version, concurrency=concurrency)

    return started


def test_until_the_list_is_there_its_rules_refuse(run, users):
    users.status = 503
    with run(rules()) as proxy:
        port = proxy.ports["main"]
        wait_until(lambda: users.asked)
        answer = login(port, "alice:secret3")
        assert (answer.status, answer.header("retry-after")) == (503, ["1"])
        assert http1(port, b"GET", b"/fetched").status == 401
        assert login(port, "ok:test", b"/other").status == 200 and http1(port, b"GET", b"/open").status == 200
        users.status, users.text = 200, ALICE
        wait_until(lambda: status(port, "alice:secret3") == 200)
        assert status(port, "alice:wrong") == 401
        assert users.asked[0] == ("/list?of=all", "users.test", None)
        assert "basic_auth_rules[0].htpasswd_fetch: no users were fetched: the answer is 503 and not 200" in proxy.log
        assert "fetched 1 credentials" in proxy.log and "secret" not in proxy.log and "$2y$" not in proxy.log


def test_a_change_is_in_force_in_every_worker_and_loses_nobody(run, users):
    users.text, users.etag = f"{ALICE}\n{BOB}", '"1"'
    with run(rules(), concurrency=4) as proxy, concurrent.futures.ThreadPoolExecutor(4) as pool:
        port = proxy.ports["main"]
        connections = [Http1(port) for _ in range(16)]

        def open_connections(pair):
            return [connection.request(b"GET", b"/fetched", [basic(pair)]).status for connection in connections]

        # Each worker fetches for itself, and so does Envoy's main thread.
        wait_until(lambda: proxy.log.count("fetched 2 credentials") == 5)
        wait_until(lambda: status(port, "alice:secret3") == 200 and status(port, "bob:secret3") == 200)
        statuses, stop = collections.Counter(), threading.Event()

        def load():
            while not stop.is_set():
                statuses[status(port, "bob:secret3")] += 1

        loads = [pool.submit(load) for _ in range(3)]
        assert open_connections("alice:secret3") == [200] * 16
        users.text, users.etag = f"{NEW_ALICE}\n{BOB}", '"2"'
        wait_until(lambda: proxy.log.count("fetched 2 credentials") == 10)
        assert [status(port, "alice:secret3") for _ in range(16)] == [401] * 16
        wait_until(lambda: status(port, "alice:secret7") == 200)
        users.text, users.etag = BOB, '"3"'
        wait_until(lambda: proxy.log.count("fetched 1 credentials") == 5)
        assert [status(port, "alice:secret7") for _ in range(16)] == [401] * 16
        assert open_connections("alice:secret7") == [401] * 16
        stop.set()
        [load.result() for load in loads]
        assert set(statuses) == {200}, statuses
        assert '"1"' in [etag for _, _, etag in users.asked]


def test_what_was_good_stays(run, users):
    users.text = ALICE
    with run(rules(timeout_seconds=1)) as proxy:
        port = proxy.ports["main"]
        wait_until(lambda: status(port, "alice:secret3") == 200)

        def says(words):
            wait_until(lambda: words in proxy.log)
            assert status(port, "alice:secret3") == 200, words

        users.status = 500
        says("the answer is 500 and not 200; the users of before stay")
        users.status, users.text = 200, "<html>secret3</html>"
        says("the answer is refused: line 1: ")
        users.text = f"{BOB}\nsecret3"
        says("the answer is refused: line 2: ")
        users.text = "\xff"
        says("the answer is not UTF-8")
        users.text = "x" * (4 << 20) + "x"
        says("the answer has more than 4194304 bytes")
        users.hangs.clear()
        says("the answer is 504 and not 200; perhaps none came within `timeout_seconds`")
        users.hangs.set()
        users.text = BOB
        wait_until(lambda: status(port, "bob:secret3") == 200)
        assert status(port, "alice:secret3") == 401
        assert "secret3" not in proxy.log and 1 <= proxy.log.count("the answer is 500") <= 2


def test_a_cluster_that_is_not_there_is_said(run):
    with run(rules(cluster="elsewhere")) as proxy:
        wait_until(lambda: "the proxy has no such `cluster`" in proxy.log)
        assert status(proxy.ports["main"], "alice:secret3") == 503
