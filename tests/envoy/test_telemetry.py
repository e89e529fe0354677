"""What an operator sees of the filter: counters and gauges, the access log, the log."""

import base64
import json
import time
import urllib.request

import pytest
import yaml
from envoy import Envoy, answer_200, bootstrap, listener
from hashes import SLOW_NEXT
from http_client import basic, http1
from listeners import Listeners, wait_until
from packages import ROOT

SHOP = {"basic_auth_rules": [{"name": "shop", "prefix": "/shop", "credentials": ["ok:test", "Yv86dGVzdA=="]}]}
"""The second pair is `b\\xff:test`, whose user is no text."""

LOGGED = {
    "filter_state": True,
    "basic_auth_rules": [
        *SHOP["basic_auth_rules"],
        {"prefix": "/trial", "dry_run": True, "credentials": ["ok:test"]},
        {"prefix": "/slow", "htpasswd": f"slow:{SLOW_NEXT}"},
    ],
}

FORMAT = (
    "%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% user=%FILTER_STATE(wasm.basic_auth.user:PLAIN)%"
    " rule=%FILTER_STATE(wasm.basic_auth.rule:PLAIN)% reason=%FILTER_STATE(wasm.basic_auth.reason:PLAIN)%\n"
)


def metrics(proxy):
    """The filter's metrics at `/stats/prometheus` by name."""
    with urllib.request.urlopen(f"{proxy.admin}/stats/prometheus", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    samples = (line.rsplit(" ", 1) for line in lines if line.startswith("basic_auth_"))
    return {name.removesuffix("{}"): int(value) for name, value in samples}


def in_force(proxy):
    """How many threads have which configuration in force."""
    threads = {name: value for name, value in metrics(proxy).items() if name.endswith("_threads")}
    return {name.split("_")[3]: value for name, value in threads.items()}


def access_log(file, log_format=None):
    """An access log in FORMAT, or in another one."""
    return {
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": str(file),
            "log_format": log_format or {"text_format_source": {"inline_string": FORMAT}},
        },
    }


@pytest.fixture(scope="module")
def log_file(tmp_path_factory):
    return tmp_path_factory.mktemp("log") / "access"


@pytest.fixture(scope="module")
def proxy(plugin, version, log_file):
    unauthorized = {"status": 401, "body": {"inline_string": "the backend's own"}}
    routes = [{"match": {"prefix": "/backend"}, "direct_response": unauthorized}, *answer_200()]
    logged = listener("logged", [plugin(LOGGED)], routes, manager={"access_log": [access_log(log_file)]})
    with Envoy(bootstrap([logged]), version=version, concurrency=2, log_level="debug") as proxy:
        yield proxy


@pytest.fixture
def ask(proxy, log_file):
    def asked(path, *pairs):
        """The line of the access log."""
        before = log_file.read_text().count("\n") if log_file.exists() else 0
        http1(proxy.ports["logged"], b"GET", path, [basic(pair) for pair in pairs])
        wait_until(lambda: log_file.exists() and log_file.read_text().count("\n") > before)
        return log_file.read_text().splitlines()[before]

    return asked


def test_requests_are_counted_by_reason_and_by_rule_within_a_second_or_so(proxy):
    # The first report of each thread makes all counters known.
    wait_until(lambda: list(in_force(proxy).values()) == [3])
    before = metrics(proxy)
    # What no rule covers is told with the others, so it comes first.
    http1(proxy.ports["logged"], b"GET", b"/open")
    pairs = [["ok:test"], [], [], ["ok:wrong"], ["who:test"], ["slow:next"]]
    for pair in pairs:
        http1(proxy.ports["logged"], b"GET", b"/shop", [basic(one) for one in pair])
    http1(proxy.ports["logged"], b"GET", b"/slow", [basic("slow:next")])
    http1(proxy.ports["logged"], b"GET", b"/trial")
    expected = {
        "basic_auth_accepted": 2,
        "basic_auth_refused_missing": 2,
        "basic_auth_refused_wrong_password": 1,
        "basic_auth_refused_unknown_user": 2,
        "basic_auth_exempt_dry_run": 1,
        "basic_auth_dry_run_missing": 1,
        "basic_auth_passed": 1,
        "basic_auth_verifications": 1,
        # Nothing waits any more, so the gauges of the queue are where they were.
        "basic_auth_logins_remembered": 1,
        "basic_auth_rule_shop_accepted": 1,
        "basic_auth_rule_shop_refused_missing": 2,
        "basic_auth_rule_shop_refused_wrong_password": 1,
        "basic_auth_rule_shop_refused_unknown_user": 2,
    }

    def grown():
        after = metrics(proxy)
        return {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name, 0)}

    # In each thread within a second; the machine may be slow.
    for _ in range(100):
        if grown() == expected:
            break
        time.sleep(0.1)
    assert grown() == expected


def test_the_access_log_shows_reason_user_and_rule(ask):
    for path, pairs, line in [
        (b"/shop", [], "401 basic_auth_missing user=- rule=shop reason=missing"),
        (b"/shop", ["ok:test"], "200 direct_response user=ok rule=shop reason=-"),
        (b"/shop", ["ok:wrong"], "401 basic_auth_wrong_password user=ok rule=shop reason=wrong_password"),
        # What stands in a user's place may be a password.
        (b"/shop", ["test:ok"], "401 basic_auth_unknown_user user=- rule=shop reason=unknown_user"),
        (b"/shop", [b"b\xff:test"], "200 direct_response user=- rule=shop reason=-"),
        (b"/shop", ["ok:test", "ok:test"], "401 basic_auth_malformed user=- rule=shop reason=malformed"),
        (b"/trial", [], "200 direct_response user=- rule=1 reason=dry_run.missing"),
        (b"/slow", ["slow:next"], "200 direct_response user=slow rule=2 reason=-"),
        (b"/open", [], "200 direct_response user=- rule=- reason=-"),
    ]:
        assert ask(path, *pairs) == line


def test_a_refusal_is_told_from_the_backends_own(ask):
    """Asked for in public: whose 401 is it?"""
    assert ask(b"/backend") == "401 direct_response user=- rule=- reason=-"
    assert ask(b"/shop").startswith("401 basic_auth_missing ")


def test_the_example_for_istio_logs_user_rule_and_reason(plugin, version, tmp_path):
    """The plugin's configuration and the log's fields, as they reach the gateway's Envoy."""
    resources = yaml.safe_load_all((ROOT / "examples" / "istio" / "telemetry.yaml").read_text())
    wasm, mesh, telemetry = (resource.get("spec") or resource["data"] for resource in resources)
    (provider,) = yaml.safe_load(mesh["mesh"])["extensionProviders"]
    assert telemetry["accessLogging"][0]["providers"] == [{"name": provider["name"]}]
    log = access_log(tmp_path / "log", {"json_format": provider["envoyFileAccessLog"]["logFormat"]["labels"]})
    logged = listener("logged", [plugin(wasm["pluginConfig"])], answer_200(), manager={"access_log": [log]})
    with Envoy(bootstrap([logged]), version=version) as proxy:
        for pair in ("ok:wrong", 'o"k:test'):
            http1(proxy.ports["logged"], b"GET", b"/productpage", [basic(pair)])
        wait_until(lambda: (tmp_path / "log").exists() and (tmp_path / "log").read_text().count("\n") == 2)
        first, second = map(json.loads, (tmp_path / "log").read_text().splitlines())
        assert first == {
            "status": 401,
            "details": "basic_auth_wrong_password",
            "path": "/productpage",
            "client": "127.0.0.1",
            "user": "ok",
            "rule": "shop",
            "reason": "wrong_password",
        }
        assert (second["user"], second["reason"]) == ("-", "unknown_user")


def test_refusals_are_logged_at_debug_and_no_secret_is(proxy):
    port = proxy.ports["logged"]
    for pair in ("ok:Hunter2", "Hunter2:ok"):
        http1(port, b"GET", b"/shop", [basic(pair)])
    wait_until(lambda: "refused: unknown_user, rule shop" in proxy.log)
    log = proxy.log
    assert 'refused: wrong_password, rule shop, user "ok", client 127.0.0.1:' in log
    assert "Hunter2" not in log and base64.b64encode(b"ok:Hunter2").decode() not in log


def test_a_wave_of_guesses_is_one_warning(plugin, version):
    with Envoy(bootstrap([listener("guessed", [plugin(SHOP)], answer_200())]), version=version) as proxy:
        for number in range(60):
            assert http1(proxy.ports["guessed"], b"GET", b"/shop", [basic(f"ok:{number}")]).status == 401
        wait_until(lambda: "wrong logins" in proxy.log)
        (line,) = [line for line in proxy.log.splitlines() if "wrong logins" in line]
        assert "[warning]" in line
        assert line.split("basic_auth: ")[1].startswith("client 127.0.0.1 sent 40 wrong logins within ")
        assert line.endswith('s, the last for user "ok"')


def test_every_thread_says_which_configuration_is_in_force(plugin, version, tmp_path):
    listeners = Listeners(tmp_path, plugin)
    listeners.write(SHOP)
    with Envoy(listeners.bootstrap(), version=version, concurrency=2) as proxy:
        # The two workers and Envoy's main thread.
        wait_until(lambda: list(in_force(proxy).values()) == [3])
        (first,) = in_force(proxy)
        assert f"configuration {first}: protecting with 1 rule and" in proxy.log
        assert metrics(proxy)[f"basic_auth_config_{first}_rules"] == 1
        listeners.write({"realm": "new", **SHOP})
        wait_until(lambda: sorted(in_force(proxy).values()) == [0, 3])
        assert in_force(proxy)[first] == 0
        second = in_force(proxy)
        # A refused one changes nothing but its counter.
        listeners.write({"relm": "newer", **SHOP})
        wait_until(lambda: metrics(proxy)["basic_auth_config_refused"] == 1)
        time.sleep(1.5)
        assert in_force(proxy) == second
        # Another password is another configuration, and nothing of it is in the digest.
        listeners.write({"realm": "new", "basic_auth_rules": [{**SHOP["basic_auth_rules"][0], "credentials": ["a:b"]}]})
        port = listeners.port
        wait_until(lambda: http1(port, b"GET", b"/shop", [basic("a:b")]).status == 200)
        wait_until(lambda: in_force(proxy) == second)
