"""Options whose effect is in what the upstream sees, in the answer or in the access log."""

import base64
import time

import pytest
from envoy import Envoy, answer_200, bootstrap, listener

RULE = {"prefix": "/", "credentials": ["ok:test", "Yv86dGVzdA=="], "except": [{"prefix": "/open"}]}
"""The second pair is `b\\xff:test`, whose user is no text."""

FORMAT = (
    "%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% user=%REQ(X-USER)% alias=%REQ(X_USER)% credential=%REQ(AUTHORIZATION)%\n"
)

UNAUTHORIZED = {
    "body": '{"error": "who are you?"}',
    "content_type": "application/json",
    "headers": {"access-control-allow-origin": "https://foo.com"},
}

CONFIGURATIONS = {
    "plain": {"basic_auth_rules": [RULE]},
    "forward": {"basic_auth_rules": [RULE], "forward_username_header": "X-User", "hide_credentials": True},
    "proxy": {"basic_auth_rules": [RULE], "authentication_header": "proxy-authorization"},
    "look": {"basic_auth_rules": [RULE], "unauthorized": UNAUTHORIZED},
    "preflight": {"basic_auth_rules": [RULE], "cors_preflight": "allow"},
}


def basic(pair, name=b"authorization"):
    return name, b"Basic " + base64.b64encode(pair)


def access_log(file):
    return {
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": str(file),
            "log_format": {"text_format_source": {"inline_string": FORMAT}},
        },
    }


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs")
    return {name: folder / name for name in CONFIGURATIONS}


@pytest.fixture(scope="module")
def proxy(plugin, version, logs):
    # An underscore in a header's name is left alone, as Envoy does unless it is told otherwise.
    listeners = [
        listener(name, [plugin(configuration)], answer_200(), manager={"access_log": [access_log(logs[name])]})
        for name, configuration in CONFIGURATIONS.items()
    ]
    with Envoy(bootstrap(listeners), version=version) as proxy:
        yield proxy


@pytest.fixture
def ask(proxy, logs, send):
    def asked(name, path, headers=(), method=b"GET", **more):
        """The answer, and the line of the access log."""
        before = logs[name].read_text().count("\n") if logs[name].exists() else 0
        answer = send(proxy.ports[name], method, path, list(headers), **more)
        deadline = time.monotonic() + 10
        while not logs[name].exists() or logs[name].read_text().count("\n") <= before:
            assert time.monotonic() < deadline, "no line in the access log"
            time.sleep(0.02)
        return answer, logs[name].read_text().splitlines()[before]

    return asked


def test_a_refusal_is_told_from_a_backends_own_by_its_details(ask):
    for headers, reason in [
        ([], "missing"),
        ([basic(b"ok:wrong")], "wrong_password"),
        ([basic(b"who:test")], "unknown_user"),
        ([(b"authorization", b"Basic !")], "malformed"),
    ]:
        answer, line = ask("plain", b"/", headers)
        assert answer.status == 401 and line.startswith(f"401 basic_auth_{reason} "), line
    answer, line = ask("plain", b"/open")
    assert answer.status == 200 and "basic_auth" not in line, line


def test_the_upstream_learns_the_user_and_not_the_password(ask):
    answer, line = ask("forward", b"/", [basic(b"ok:test")])
    assert answer.status == 200 and line.endswith("user=ok alias=- credential=-"), line
    # Without the option the request is passed on untouched.
    answer, line = ask("plain", b"/", [basic(b"ok:test"), (b"x-user", b"mallory")])
    assert "user=mallory" in line and "credential=Basic" in line, line


@pytest.mark.parametrize("path", [b"/", b"/open"])
def test_nobody_claims_to_be_a_user(ask, path):
    """GHSA-qr99-7898-vr7c, CVE-2025-64484: a client sent the identity header itself, or an alias with `_`."""
    claims = [(b"x-user", b"admin"), (b"x_user", b"admin"), (b"x-user", b"root")]
    answer, line = ask("forward", path, [basic(b"ok:test"), *claims])
    assert answer.status == 200 and "admin" not in line and "root" not in line, line
    assert ("user=ok" in line) == (path == b"/"), line


def test_a_user_that_is_no_text_is_not_forwarded(ask):
    answer, line = ask("forward", b"/", [basic(b"b\xff:test"), (b"x-user", b"admin")])
    assert answer.status == 200 and "user=- alias=-" in line, line


def test_a_proxy_is_asked_for_by_its_own_status_and_headers(ask):
    answer, line = ask("proxy", b"/", [basic(b"ok:test")])
    assert answer.status == 407 and line.startswith("407 basic_auth_missing "), line
    assert answer.header("proxy-authenticate") == ['Basic realm="istio", charset="UTF-8"']
    assert not answer.header("www-authenticate")
    answer, _ = ask("proxy", b"/", [basic(b"ok:test", b"proxy-authorization")])
    assert answer.status == 200


def test_a_preflight_has_no_body(ask):
    headers = [(b"origin", b"https://foo.com"), (b"access-control-request-method", b"PUT")]
    answer, _ = ask("preflight", b"/", headers, method=b"OPTIONS")
    assert answer.status == 200
    answer, line = ask("preflight", b"/", headers, method=b"OPTIONS", body=b"x")
    assert answer.status == 401 and line.startswith("401 basic_auth_missing "), line


def test_a_refusal_looks_as_configured_and_has_no_body_for_head(ask):
    answer, _ = ask("look", b"/")
    assert answer.status == 401 and answer.body == UNAUTHORIZED["body"].encode()
    assert answer.header("content-type") == ["application/json"]
    assert answer.header("access-control-allow-origin") == ["https://foo.com"]
    answer, _ = ask("look", b"/", method=b"HEAD")
    assert answer.status == 401 and not answer.body
