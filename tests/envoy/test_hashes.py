"""Slow hashes in a real Envoy: requests wait, nobody else does, and whatever happens to them, nothing opens."""

import http.server
import socket
import threading
import time

import pytest
from envoy import Envoy, answer_200, bootstrap, cluster, listener
from hashes import CHEAP_SECRET3, SLOW_SECRET7
from http_client import Http2, basic, http1, http1_bytes, http1_raw, http1_statuses, together
from listeners import verifications, wait_until

DEAR = f"dear:{SLOW_SECRET7}"
CHEAP = f"cheap:{CHEAP_SECRET3}"
# Of `secret12`, at the highest cost without a warning; of `secret14`, at the highest cost; and of `secret656`, with the
# rounds that Ansible writes.
COST12 = "cost12:$2y$12$cWJG9E/vfWRBEmVzxV3uIeDpkIbuX5G5JpLdsLtoyeQaWI8IOihXS"
COSTLIEST = "costliest:$2y$14$NIjW.2bfV26LmNvSQU36JuQ9ZR08Qqxx9WQQwlTlY5iVFWEihLY8S"
ANSIBLE = (
    "ansible:$6$rounds=656000$zcKwJ9BzquWu4Hjj"
    "$8D1nw5yphrdO2S6OQiF2hEmAWO./Pgdaywmv9LDGKshhGtmzKdWcS5w0gGCAT8CNKafZHNKSUN79ibmfozUJN/"
)


def rules(text, **top):
    return {"basic_auth_rules": [{"prefix": "/slow", "htpasswd": text}], **top}


RIGHT, WRONG = basic("dear:secret7"), basic("dear:wrong")


@pytest.fixture(scope="module")
def proxy(plugin, version):
    environment = {"USERS": DEAR + "\n" + CHEAP, "EMPTY": ""}
    from_environment = {"basic_auth_rules": [{"prefix": "/slow", "htpasswd_env": "USERS"}]}
    strict = {"failures": 3, "window_seconds": 60, "lock_seconds": 2}
    two_lists = {
        "basic_auth_rules": [
            {"prefix": "/theirs", "htpasswd": CHEAP},
            {"prefix": "/mine", "credentials": ["cheap:my own"]},
        ],
        "lockout": {**strict, "lock_seconds": 60},
    }
    costly = {
        "basic_auth_rules": [
            {"prefix": "/costliest", "htpasswd": COSTLIEST},
            {"prefix": "/ansible", "htpasswd": ANSIBLE},
            {"prefix": "/slow", "htpasswd": DEAR},
            {"prefix": "/cost12", "htpasswd": COST12},
        ]
    }
    forwarded = {"use_remote_address": False, "xff_num_trusted_hops": 0}
    listeners = [
        listener("slow", [plugin(rules(DEAR))], answer_200()),
        listener("environment", [plugin(from_environment, environment=environment, vm_id="environment")], answer_200()),
        listener("small", [plugin(rules(DEAR, hash_budget_ms_per_second=25.0))], answer_200()),
        listener("lockout", [plugin(rules(CHEAP, lockout=strict))], answer_200(), manager={"use_remote_address": True}),
        listener("slow lockout", [plugin(rules(DEAR, lockout=strict))], answer_200()),
        listener("lists", [plugin(two_lists)], answer_200(), manager={"use_remote_address": True}),
        listener("forwarded", [plugin(rules(CHEAP, lockout=strict))], answer_200(), manager=forwarded),
        listener("costly", [plugin(costly)], answer_200(), manager=forwarded),
        listener("stop", [plugin(rules(DEAR), extra={"allow_on_headers_stop_iteration": True})], answer_200()),
        listener(
            "timeout",
            [plugin(rules(DEAR, hash_budget_ms_per_second=1))],
            answer_200(),
            manager={"request_timeout": "0.3s", "stream_idle_timeout": "0.3s"},
        ),
    ]
    with Envoy(bootstrap(listeners), version=version) as proxy:
        yield proxy
        assert http1(proxy.ports["slow"], b"GET", b"/slow").status == 401
        assert "Function: proxy_on" not in proxy.log, proxy.log


def log_in_when_told(port, headers):
    """The status of a login that comes again when it is told to, as on a slow machine it may be."""
    for _ in range(10):
        answer = http1(port, b"GET", b"/slow", headers)
        if answer.status != 429:
            break
        time.sleep(int(answer.header("retry-after")[0]) + 1)
    return answer.status


def test_a_login_waits_for_its_hash(proxy, send):
    port = proxy.ports["slow"]
    assert send(port, b"GET", b"/slow", [RIGHT]).status == 200
    assert send(port, b"GET", b"/slow", [WRONG]).status == 401
    assert send(port, b"GET", b"/slow", [basic("nobody:secret7")]).status == 401
    # Verified pairs are remembered; wrong ones never are.
    assert send(port, b"GET", b"/slow", [RIGHT]).status == 200
    assert send(port, b"GET", b"/slow", [WRONG]).status == 401


def test_users_from_the_environment(proxy, send):
    port = proxy.ports["environment"]
    assert send(port, b"GET", b"/slow", [basic("cheap:secret3")]).status == 200
    assert send(port, b"GET", b"/slow", [basic("cheap:secret4")]).status == 401
    assert "secret" not in proxy.log and "$2y$" not in proxy.log


def test_a_body_waits_with_its_request(proxy):
    port = proxy.ports["slow"]
    body = b"x" * 1_000_000
    assert http1(port, b"POST", b"/slow", [basic("dear:another wrong one")], body=body).status in (401, "reset")
    assert http1(port, b"POST", b"/slow", [RIGHT], body=body).status == 200


class Upstream(http.server.BaseHTTPRequestHandler):
    """Answers with the body that it was sent."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("option", [None, False, True])
def test_a_body_larger_than_the_buffer_waits_with_its_request(plugin, version, option):
    """With `allow_on_headers_stop_iteration` Envoy answered 413 while the login waited."""
    extra = {} if option is None else {"allow_on_headers_stop_iteration": option}
    body = bytes(range(256)) * 4_096
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}]
    behind = listener("main", [plugin(rules(DEAR), extra=extra)], routes)
    behind["per_connection_buffer_limit_bytes"] = len(body) // 64
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as upstream:
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        clusters = [cluster("upstream", upstream.server_address[1])]
        with Envoy(bootstrap([behind], clusters), version=version) as proxy:
            port = proxy.ports["main"]
            assert http1(port, b"POST", b"/slow", [WRONG], body=body).status in (401, "reset")
            # The first verification of this pair, and one that is remembered.
            for _ in range(2):
                answer = http1(port, b"POST", b"/slow", [RIGHT], body=body)
                assert answer.status == 200 and answer.body == body
            assert proxy.stats("main.downstream_rq_too_large") == {"http.main.downstream_rq_too_large": 0}
        upstream.shutdown()


def test_a_body_takes_no_waiting_request_along(proxy):
    # With `allow_on_headers_stop_iteration` Envoy goes on with the body, and asks about it.
    port = proxy.ports["stop"]
    assert http1(port, b"POST", b"/slow", [basic("dear:with a body")], body=b"x").status == 401
    chunked = [basic("dear:with trailers"), (b"transfer-encoding", b"chunked"), (b"connection", b"close")]
    for body in (b"0\r\nname: value\r\n\r\n", b"1\r\nx\r\n0\r\nname: value\r\n\r\n"):
        assert http1_raw(port, http1_bytes(b"POST", b"/slow", chunked) + body).status == 401
    assert http1(port, b"POST", b"/slow", [RIGHT], body=b"x" * 10_000).status == 200
    assert http1(port, b"POST", b"/slow", [RIGHT], body=b"x").status == 200
    assert http1(port, b"POST", b"/open", body=b"x").status == 200
    assert http1(port, b"POST", b"/slow", body=b"x").status == 401


@pytest.mark.parametrize(
    ("path", "pair", "number"), [(b"/slow", "dear:secret7", 60), (b"/cost12", "cost12:secret12", 8)]
)
def test_equal_logins_at_once_are_verified_once(plugin, version, path, pair, number):
    """A browser opens up to 16 connections, each with the same pair, before the first of them is answered."""
    lists = [{"prefix": "/slow", "htpasswd": DEAR}, {"prefix": "/cost12", "htpasswd": COST12}]
    listeners = [listener("cold", [plugin({"basic_auth_rules": lists})], answer_200())]
    with Envoy(bootstrap(listeners), version=version) as proxy:
        assert together(proxy.ports["cold"], [(path, basic(pair))] * number) == [200] * number
        # What was counted is told with a tick.
        wait_until(lambda: verifications(proxy))
        assert verifications(proxy) == 1


def test_equal_wrong_logins_at_once_are_one_failure(proxy):
    assert together(proxy.ports["slow lockout"], [(b"/slow", basic("dear:wrong"))] * 12) == [401] * 12
    attempts = [http1(proxy.ports["slow lockout"], b"GET", b"/slow", [basic(f"dear:{n}")]).status for n in range(3)]
    assert attempts == [401, 401, 429]


def test_a_remembered_pair_passes_beside_wrong_ones(proxy):
    port = proxy.ports["small"]
    assert log_in_when_told(port, [RIGHT]) == 200
    wrong = [(b"/slow", basic(f"dear:beside {number}")) for number in range(40)]
    right = [(b"/slow", RIGHT)] * 20
    statuses = together(port, wrong + right)
    assert statuses[40:] == [200] * 20
    assert set(statuses[:40]) <= {401, 429} and 429 in statuses[:40]


def test_requests_of_one_connection_are_answered_in_order(proxy):
    def request(path, *headers):
        return http1_bytes(b"GET", path, headers)

    requests = {
        request(b"/slow", WRONG): 401,
        request(b"/slow", RIGHT): 200,
        request(b"/open"): 200,
        request(b"/slow"): 401,
    }
    assert http1_statuses(proxy.ports["slow"], requests) == list(requests.values())
    # Two requests at once on one connection: the second is read when the first is answered.
    with socket.create_connection(("127.0.0.1", proxy.ports["slow"]), timeout=20) as connection:
        connection.sendall(request(b"/slow", basic("dear:pipelined")) + request(b"/slow", RIGHT))
        data = b""
        while data.count(b"HTTP/1.1 ") < 2:
            data += connection.recv(65536)
    assert data.startswith(b"HTTP/1.1 401") and b"HTTP/1.1 200" in data


def test_clients_that_are_gone_are_forgotten(proxy):
    port = proxy.ports["slow"]
    for number in range(12):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(http1_bytes(b"GET", b"/slow", [basic(f"dear:gone {number}")]))
            time.sleep(0.01)
    connection = Http2(port)
    streams = [connection.start(b"GET", b"/slow", [basic(f"dear:reset {number}")]) for number in range(6)]
    for stream in streams[:-1]:
        connection.reset(stream)
    # On a slow machine so many at once may be more than the budget allows.
    assert connection.finish(streams[-1]).status in (401, 429)
    connection.close()
    # The others are forgotten, and the queue is free for whoever comes when told to.
    assert log_in_when_told(port, [basic("dear:next")]) == 401


def test_a_request_that_times_out_while_it_waits_is_over(proxy):
    port = proxy.ports["timeout"]
    began = time.monotonic()
    assert http1(port, b"GET", b"/slow", [basic("dear:slow")]).status in (408, 504, "reset")
    assert time.monotonic() - began < 10
    assert http1(port, b"GET", b"/open").status == 200


def test_beyond_the_budget_a_login_is_told_to_come_again(proxy):
    """caddy#3462, haproxy#1298, traefik#4791: slow hashes stalled everybody else."""
    answers = []

    def login(number):
        answers.append(http1(proxy.ports["small"], b"GET", b"/slow", [basic(f"dear:flood {number}")]))

    threads = [threading.Thread(target=login, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    # Innocent requests are served all the while.
    for _ in range(20):
        assert http1(proxy.ports["small"], b"GET", b"/open").status == 200
    for thread in threads:
        thread.join()
    statuses = [answer.status for answer in answers]
    assert set(statuses) == {401, 429}, statuses
    for answer in answers:
        if answer.status == 429:
            assert int(answer.header("retry-after")[0]) >= 1
            assert (answer.body, answer.header("www-authenticate")) == (b"", [])


@pytest.mark.parametrize(("path", "pair"), [(b"/costliest", "costliest:secret14"), (b"/ansible", "ansible:secret656")])
def test_a_lone_login_of_the_highest_cost_is_verified(proxy, path, pair):
    began = time.monotonic()
    assert http1(proxy.ports["costly"], b"GET", path, [basic(pair)]).status == 200
    print(f"{pair}: {time.monotonic() - began:.2f} s")
    assert http1(proxy.ports["costly"], b"GET", path, [basic(pair)]).status == 200


def test_logins_of_the_highest_cost_starve_nobody(proxy):
    """One client guesses against bcrypt of cost 14 without a pause; another's login of cost 10 takes its turn."""
    port = proxy.ports["costly"]
    is_over = threading.Event()
    guesses = []

    def guess(number):
        headers = [basic(f"costliest:{number}"), (b"x-forwarded-for", b"10.0.0.1")]
        while not is_over.is_set():
            guesses.append(http1(port, b"GET", b"/costliest", headers).status)
            time.sleep(0.05)

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    statuses = [log_in_when_told(port, [login, (b"x-forwarded-for", b"10.0.0.2")]) for login in (WRONG, RIGHT)]
    is_over.set()
    for thread in threads:
        thread.join()
    assert statuses == [401, 200]
    assert set(guesses) == {401, 429}, guesses


def test_a_client_that_fails_too_often_is_locked_for_that_user(proxy, send):
    port = proxy.ports["lockout"]
    user = f"cheap-{send.__name__}"
    for attempt in range(3):
        assert send(port, b"GET", b"/slow", [basic(f"{user}:{attempt}")]).status == 401
    locked = send(port, b"GET", b"/slow", [basic(f"{user}:4")])
    assert locked.status == 429 and 1 <= int(locked.header("retry-after")[0]) <= 2
    # Another user of the same client is not locked, nor is a request without a login.
    assert send(port, b"GET", b"/slow", [basic("cheap:secret3")]).status == 200
    assert send(port, b"GET", b"/slow").status == 401
    time.sleep(2.1)
    assert send(port, b"GET", b"/slow", [basic(f"{user}:5")]).status == 401


def test_a_locked_user_is_not_let_in_with_the_right_password(proxy):
    port = proxy.ports["lockout"]
    for attempt in range(3):
        assert http1(port, b"GET", b"/slow", [basic(f"cheap:{attempt}")]).status == 401
    assert http1(port, b"GET", b"/slow", [basic("cheap:secret3")]).status == 429
    time.sleep(2.1)
    assert http1(port, b"GET", b"/slow", [basic("cheap:secret3")]).status == 200


def test_a_right_login_under_one_list_unlocks_nothing_under_another(proxy):
    """A guesser could reset the count with a login of the same name that another list knows."""

    def login(path, password):
        return http1(proxy.ports["lists"], b"GET", path, [basic(f"cheap:{password}")]).status

    for attempt in range(3):
        assert login(b"/mine", "my own") == 200
        assert login(b"/theirs", attempt) == 401
    assert login(b"/theirs", "fourth") == 429
    assert login(b"/mine", "my own") == 200
    assert login(b"/theirs", "fifth") == 429
    assert login(b"/theirs", "secret3") == 429


def test_where_the_forwarded_address_is_trusted_a_client_forges_it(proxy):
    def attempt(port, number, address):
        headers = [basic(f"forger:{number}"), (b"x-forwarded-for", address)]
        return http1(port, b"GET", b"/slow", headers).status

    # With use_remote_address the address is the connection's, whatever the client writes.
    statuses = [attempt(proxy.ports["lockout"], number, b"10.0.0.%d" % number) for number in range(6)]
    assert statuses == [401] * 3 + [429] * 3
    # Without it each forged address is another client, and nobody is ever locked.
    statuses = [attempt(proxy.ports["forwarded"], number, b"10.0.0.%d" % number) for number in range(6)]
    assert statuses == [401] * 6


def test_every_worker_verifies(plugin, version):
    with Envoy(
        bootstrap([listener("slow", [plugin(rules(CHEAP))], answer_200())]), version=version, concurrency=3
    ) as proxy:
        answers = []

        def login(pair):
            answers.append((pair, http1(proxy.ports["slow"], b"GET", b"/slow", [basic(pair)]).status))

        pairs = ["cheap:secret3", "cheap:wrong"] * 12
        threads = [threading.Thread(target=login, args=(pair,)) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(answers) <= {
            ("cheap:secret3", 200),
            ("cheap:wrong", 401),
            ("cheap:wrong", 429),
            ("cheap:secret3", 429),
        }
        assert ("cheap:secret3", 200) in answers and ("cheap:wrong", 401) in answers
