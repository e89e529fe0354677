"""What a client can throw at the filter gets an answer, and the virtual machine lives on."""

import pytest
import upstream
from envoy import Envoy, answer_200, bootstrap, cluster, listener
from http_client import basic, http1, http1_bytes, http1_raw, http1_statuses, http2

RULES = {
    "basic_auth_rules": [
        {"prefix": "/productpage", "credentials": ["ok:test"]},
        {"prefix": "/host", "hosts": ["foo.com"], "credentials": ["ok:test"]},
    ]
}
OTHER_RULES = {"realm": "other", "basic_auth_rules": [{"prefix": "/other", "credentials": ["other:other"]}]}
SWITCHED_OFF = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}
OPEN_ROUTE = [
    {
        "match": {"prefix": "/productpage/open"},
        "direct_response": {"status": 200},
        "typed_per_filter_config": {"basic_auth": SWITCHED_OFF},
    },
    *answer_200(),
]
RIGHT, OTHER = basic("ok:test"), basic("other:other")


@pytest.fixture(scope="module")
def proxy(plugin, version):
    listeners = [
        listener("rules", [plugin(RULES)], answer_200()),
        # The same module, environment and vm_id: one virtual machine for these and the ones above.
        listener("other", [plugin(OTHER_RULES)], answer_200()),
        listener(
            "both", [plugin(RULES, name="first"), plugin(OTHER_RULES, name="second", root_id="second")], answer_200()
        ),
        listener("named", [plugin(RULES, root_id="some_plugin_name")], answer_200()),
        listener("empty", [plugin("")], answer_200()),
        listener("braces", [plugin("{}")], answer_200()),
        listener("switched_off", [plugin(RULES)], OPEN_ROUTE),
        listener("switched_off_and_normalised", [plugin(RULES)], OPEN_ROUTE, manager={"normalize_path": True}),
        listener("shown", [plugin(RULES)], [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}]),
    ]
    with Envoy(bootstrap(listeners, [cluster("upstream", upstream.start())]), version=version) as proxy:
        yield proxy
        # Whatever the tests above sent: the filter still answers, so nothing trapped.
        assert http1(proxy.ports["rules"], b"GET", b"/productpage").status == 401
        assert http1(proxy.ports["rules"], b"GET", b"/productpage", [RIGHT]).status == 200
        assert "Function: proxy_on" not in proxy.log, proxy.log


BYTES = bytes(range(0x80, 0x100))


def test_bytes_that_are_not_utf8_in_every_place(proxy, send):
    """proxy-wasm-rust-sdk#25, #217, #263: a byte that is not UTF-8 stopped the virtual machine."""
    port = proxy.ports["rules"]
    # What Envoy itself does with such a path, host or method, and whether the filter sees it, depends on the protocol.
    path, host, method = {http1: (400, 400, 400), http2: (401, "reset", "reset")}[send]
    for value in (BYTES, b"\xc3\x28", b"Basic " + BYTES, b"Basic \xff", b"\xed\xa0\x80"):
        assert send(port, b"GET", b"/productpage", [(b"authorization", value)]).status == 401
        assert send(port, b"GET", b"/productpage", [(b"x-any", value), RIGHT]).status == 200
        token = value.replace(b" ", b"")
        assert send(port, b"GET", b"/productpage" + token).status == path
        assert send(port, b"GET", b"/host", authority=token).status == host
        assert send(port, token, b"/productpage").status == method


def test_headers_of_50_kilobytes(proxy, send):
    port = proxy.ports["rules"]
    large = b"a" * 50_000
    assert send(port, b"GET", b"/open?" + large).status == 200
    assert send(port, b"GET", b"/open", [(b"x-large", large)]).status == 200
    assert send(port, b"GET", b"/productpage", [(b"x-large", large)]).status == 401
    assert send(port, b"GET", b"/productpage/" + large).status == 401
    assert send(port, b"GET", b"/productpage", [(b"authorization", b"Basic " + large)]).status == 401
    assert send(port, b"GET", b"/productpage", [(b"authorization", large)]).status == 401
    # A host that can be read, however long, and is not the rule's.
    assert send(port, b"GET", b"/host", authority=large).status == 200
    assert send(port, b"GET", b"/productpage", [(b"x-large", large), RIGHT]).status == 200


def test_90_headers(proxy, send):
    many = [(b"x-%d" % number, b"value") for number in range(90)]
    assert send(proxy.ports["rules"], b"GET", b"/productpage", many).status == 401
    assert send(proxy.ports["rules"], b"GET", b"/productpage", [*many, RIGHT]).status == 200
    assert send(proxy.ports["rules"], b"GET", b"/productpage", [RIGHT] * 90).status == 401


def test_options_star_and_connect(proxy, send):
    # `*` is no path that a prefix covers: it passes the filter, and Envoy's router has no route for it.
    assert send(proxy.ports["rules"], b"OPTIONS", b"*").status == 404
    # CONNECT has no path, so every path rule covers it.
    assert send(proxy.ports["rules"], b"CONNECT", None, authority=b"test:443").status == 401


def test_http_1_0_and_no_host(proxy):
    port = proxy.ports["rules"]
    assert http1(port, b"GET", b"/productpage", version=b"HTTP/1.0").status == 401
    assert http1(port, b"GET", b"/productpage", [RIGHT], version=b"HTTP/1.0").status == 200
    # Envoy gives a request of HTTP/1.0 without a host the one that it is configured with.
    assert http1(port, b"GET", b"/host", authority=None, version=b"HTTP/1.0").status == 200
    assert http1(port, b"GET", b"/productpage", authority=None, version=b"HTTP/1.0").status == 401
    assert http1(port, b"GET", b"/open", authority=None, version=b"HTTP/1.0").status == 200
    assert http1(port, b"GET", b"/host", authority=b"", version=b"HTTP/1.1").status == 401


def test_an_absolute_target_is_its_path(proxy):
    request = b"GET http://foo.com/productpage HTTP/1.1\r\nhost: foo.com\r\nconnection: close\r\n\r\n"
    assert http1_raw(proxy.ports["rules"], request).status == 401


def test_an_empty_line_beside_the_credential_is_gone_for_everybody(proxy, send):
    """CVE-2021-32777: Envoy joins the lines of this header and leaves empty ones out, before any filter.

    So two lines of which one is empty are one to the filter; what counts is that the upstream sees the same one, and
    nothing else.
    """
    empty = (b"authorization", b"")
    for lines in ([RIGHT, empty], [empty, RIGHT], [empty, RIGHT, empty]):
        answer = send(proxy.ports["shown"], b"GET", b"/productpage", lines)
        seen = [line.strip() for line in answer.body.decode().splitlines() if "authorization" in line.lower()]
        assert (answer.status, seen) == (200, ["authorization: Basic b2s6dGVzdA=="])
    for lines in ([OTHER, empty], [empty, OTHER], [empty, empty]):
        assert send(proxy.ports["shown"], b"GET", b"/productpage", lines).status == 401


def test_grpc_sees_its_own_status(proxy):
    headers = [(b"content-type", b"application/grpc"), (b"te", b"trailers")]
    answer = http2(proxy.ports["rules"], b"POST", b"/productpage", headers)
    assert (answer.status, answer.header("grpc-status")) == (200, ["16"])
    assert http2(proxy.ports["rules"], b"POST", b"/productpage", [*headers, RIGHT]).header("grpc-status") != ["16"]


def test_a_refusal_of_head_has_no_body(proxy, send):
    answer = send(proxy.ports["rules"], b"HEAD", b"/productpage")
    assert (answer.status, answer.body) == (401, b"")


def test_each_request_of_a_connection_gets_one_answer(proxy):
    """envoy#28826: a second answer to one request hung the client."""

    requests = {
        http1_bytes(b"GET", b"/open"): 200,
        http1_bytes(b"GET", b"/productpage"): 401,
        http1_bytes(b"GET", b"/productpage", [RIGHT]): 200,
        http1_bytes(b"HEAD", b"/productpage"): 401,
        # The last one: Envoy closes a connection whose request it refused before the body was read.
        http1_bytes(b"POST", b"/productpage", body=b"hello"): 401,
    }
    assert http1_statuses(proxy.ports["rules"], requests) == list(requests.values())


def test_two_plugins_of_one_module_keep_their_rules_apart(proxy, send):
    rules, other, both = (proxy.ports[name] for name in ("rules", "other", "both"))
    assert send(rules, b"GET", b"/productpage", [OTHER]).status == 401
    assert send(rules, b"GET", b"/other").status == 200
    assert send(other, b"GET", b"/other", [RIGHT]).status == 401
    assert send(other, b"GET", b"/other", [OTHER]).status == 200
    assert send(other, b"GET", b"/productpage").status == 200
    assert send(other, b"GET", b"/other").header("www-authenticate") == ['Basic realm="other", charset="UTF-8"']
    assert send(both, b"GET", b"/productpage", [RIGHT]).status == 200
    assert send(both, b"GET", b"/other", [OTHER]).status == 200
    assert send(both, b"GET", b"/other", [RIGHT]).status == 401


def test_any_root_id_protects(proxy, send):
    """The C++ module under Istio's `pluginName`: every request passed."""
    assert send(proxy.ports["named"], b"GET", b"/productpage").status == 401
    assert send(proxy.ports["named"], b"GET", b"/productpage", [RIGHT]).status == 200


def test_a_route_that_switches_the_filter_off_is_chosen_by_the_path_as_it_came(proxy, send):
    """What docs/matching.md says that no rule can see, and that `normalize_path` mends it."""
    for name, status in (("switched_off", 200), ("switched_off_and_normalised", 401)):
        port = proxy.ports[name]
        assert send(port, b"GET", b"/productpage/open/../secret").status == status
        assert send(port, b"GET", b"/productpage/secret").status == 401
        assert send(port, b"GET", b"/productpage/open/x").status == 200


def test_an_empty_configuration_passes_everything_and_warns(proxy, send):
    for name in ("empty", "braces"):
        assert send(proxy.ports[name], b"GET", b"/productpage").status == 200
    assert proxy.log.count("nothing is protected, every request passes") >= 2


def test_the_log_tells_numbers_and_no_secret(proxy):
    """CVE-2025-62232: credentials stood in the log. What the tests above sent counts as well."""
    http1(proxy.ports["rules"], b"GET", b"/productpage", [basic("secret:hidden")])
    assert ": protecting with 2 rules and 1 credential\n" in proxy.log
    for secret in ("ok:test", "b2s6dGVzdA", "secret", "hidden", "c2VjcmV0OmhpZGRlbg"):
        assert secret not in proxy.log
