"""The examples in the README, the docs and examples/: commands of console blocks, configurations, resources."""

import functools
import http.server
import json
import re
import shutil
import signal
import subprocess
import sys
import threading

import demo as demo_tool
import pytest
import upstream
import yaml
from envoy import Envoy, NotServing, answer_200, bootstrap, listener, wasm_filter
from hashes import CHEAP_SECRET3
from http_client import basic, http1
from listeners import wait_until
from packages import ROOT
from ports import free_port
from table import refusals

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language):
    """The fenced blocks of a language in all documents, each with its document's name."""
    for document in DOCUMENTS:
        for text in re.findall(rf"^```{language}\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL):
            yield document.name, text


def console_commands():
    """The commands of the `console` blocks, each with the lines that it must print."""
    for document, text in blocks("console"):
        for command in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            line, *expected = command.strip().splitlines()
            yield document, line, expected


@pytest.fixture(scope="module")
def demo(module):
    """`make run`, on a free port."""
    port = free_port()
    command = [sys.executable, ROOT / "tools" / "demo.py", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in process.stdout:
        if line.startswith("Refused requests"):
            break
    else:
        pytest.fail("the demo did not start")
    http1(port, b"GET", b"/productpage", [basic("ok:wrong")])
    yield port
    process.send_signal(signal.SIGINT)
    rest = process.stdout.read()
    assert process.wait(timeout=20) == 0, rest
    assert "refused (401): GET localhost" in rest
    # Reason, user and rule, each as the access log has it.
    assert "basic_auth_missing user=- rule=productpage" in rest
    assert "basic_auth_wrong_password user=ok rule=productpage" in rest
    assert rest.endswith("\nStopped.\n")


def headings(file):
    """The anchors of a page, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_link_leads_to_a_file_and_a_heading():
    links = 0
    for document in [*DOCUMENTS, *ROOT.glob("[A-Z]*.md"), ROOT / "cli" / "README.md"]:
        for file, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)", document.read_text()):
            target = document.parent / file if file else document
            assert target.exists(), f"{document.name}: {file}"
            assert not anchor or anchor in headings(target), f"{document.name}: {file}#{anchor}"
            links += 1
    assert links > 100


COMMANDS = list(console_commands())


@pytest.mark.parametrize("document,command,expected", COMMANDS, ids=[command for _, command, _ in COMMANDS])
def test_commands_print_what_the_documents_say(demo, document, command, expected):
    for tool in ("curl", "cargo"):
        if command.startswith(tool) and shutil.which(tool) is None:
            pytest.fail(f"{tool} is missing")
    command = command.replace("localhost:10000", f"localhost:{demo}")
    run = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True)
    printed = [line.rstrip() for line in run.stdout.splitlines()]
    assert run.returncode == 0, run.stderr
    assert expected, f"{document}: say what `{command}` prints"
    for line in expected:
        assert line in printed, f"{document}: `{command}` prints\n{run.stdout}"


def test_a_port_in_use_is_one_sentence(demo):
    run = subprocess.run(
        [sys.executable, ROOT / "tools" / "demo.py", "--port", str(demo)], capture_output=True, text=True
    )
    assert (run.returncode, run.stderr) == (
        1,
        f"make run: port {demo} is in use; choose another with `make run PORT={demo + 1}`.\n",
    )


def environment_of(plugin, resources):
    """What a plugin's `vmConfig.env` holds: written there, or of a Secret that the gateway's container has it from."""
    host = {}
    secrets = {
        resource["metadata"]["name"]: resource["stringData"] for resource in resources if resource["kind"] == "Secret"
    }
    for resource in resources:
        if resource["kind"] == "ConfigMap" and "deployment" in resource["data"]:
            (container,) = yaml.safe_load(resource["data"]["deployment"])["spec"]["template"]["spec"]["containers"]
            for variable in container["env"]:
                source = variable["valueFrom"]["secretKeyRef"]
                host[variable["name"]] = secrets[source["name"]][source["key"]]
    entries = plugin.get("vmConfig", {}).get("env", [])
    return {
        entry["name"]: host[entry["name"]] if entry.get("valueFrom") == "HOST" else entry["value"] for entry in entries
    }


def plugin_configs():
    """Every configuration in documents and examples, in a resource of Istio or as JSON, with its environment."""
    texts = [
        *blocks("yaml"),
        *((file.name, file.read_text()) for file in sorted((ROOT / "examples" / "istio").glob("*.yaml"))),
    ]
    for name, text in texts:
        resources = [
            resource for resource in yaml.safe_load_all(text) if isinstance(resource, dict) and "kind" in resource
        ]
        for resource in resources:
            if resource["kind"] in ("WasmPlugin", "TrafficExtension"):
                spec = resource["spec"]
                assert spec["phase"] == "AUTHN", name
                plugin = spec.get("wasm", spec)
                yield name, plugin["pluginConfig"], environment_of(plugin, resources)
    texts = [*blocks("json"), *((file.name, file.read_text()) for file in sorted((ROOT / "examples").glob("*.json")))]
    for name, text in texts:
        yield name, json.loads(text), {}


def test_every_configuration_in_the_documents_loads_and_protects(module, runtime, version):
    configs = list(plugin_configs())
    assert len(configs) >= 5
    listeners = [
        listener(
            f"{number}",
            [wasm_filter(config, module=module, runtime=runtime, environment=environment, vm_id=f"{number}")],
            answer_200(),
        )
        for number, (_, config, environment) in enumerate(configs)
    ]
    with Envoy(bootstrap(listeners), version=version) as proxy:
        for number, (name, config, _) in enumerate(configs):
            rule = config["basic_auth_rules"][0]
            path = next(rule[kind] for kind in ("prefix", "exact") if kind in rule)
            host = rule.get("hosts", ["test"])[0]
            answer = http1(proxy.ports[f"{number}"], b"GET", path.encode(), authority=host.encode())
            assert answer.status == 401, name


def test_the_commands_for_a_cluster_are_those_of_make_istio():
    transcript = (ROOT / "docs" / "istio-transcript.md").read_text()
    commands = [line for document, text in blocks("sh") if document == "passwords.md" for line in text.splitlines()]
    assert commands
    for command in commands:
        assert command in transcript, command


def in_environment(version, **options):
    """Envoy with examples/envoy/htpasswd.yaml."""
    text = demo_tool.configuration(0, upstream.start(), ROOT / "examples" / "envoy" / "htpasswd.yaml")
    return Envoy(text, version=version, **options)


def test_the_example_with_users_in_the_environment(module, version):
    users = f"# ours\ncheap:{CHEAP_SECRET3}\n"
    with in_environment(version, environment={"BASIC_AUTH_USERS": users}) as proxy:

        def status(path, *pair):
            return http1(proxy.ports["htpasswd"], b"GET", path, [basic(one) for one in pair]).status

        assert status(b"/productpage") == 401
        assert status(b"/productpage", "cheap:secret3") == 200
        assert status(b"/productpage", "cheap:secret4") == 401
        assert status(b"/login") == 200


def test_without_the_variable_it_does_not_start(module, version):
    with pytest.raises(NotServing) as refused:
        in_environment(version, environment={"BASIC_AUTH_USERS": ""})
    assert "basic_auth_rules[0].htpasswd_env: no such environment variable" in refused.value.log


def test_the_example_with_users_that_are_fetched(module, version, tmp_path):
    (tmp_path / "users.htpasswd").write_text(f"cheap:{CHEAP_SECRET3}\n")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        text = demo_tool.configuration(0, upstream.start(), ROOT / "examples" / "envoy" / "fetch.yaml")
        assert text.count("port_value: 18081") == 1
        with Envoy(text.replace("18081", str(server.server_address[1])), version=version) as proxy:

            def status(pair):
                return http1(proxy.ports["fetched"], b"GET", b"/productpage", [basic(pair)]).status

            wait_until(lambda: status("cheap:secret3") == 200)
            assert status("cheap:secret4") == 401
        server.shutdown()


def test_the_error_lines_of_the_documents_are_tested_ones():
    # The plugin's name is between, where it says more than `basic_auth`.
    line = re.compile(r"^basic_auth: (?:\S+: )?configuration refused: (.*)$", re.MULTILINE)
    shown = [error for _, text in blocks("text") for error in line.findall(text)]
    assert len(shown) >= 2
    assert set(shown) <= {error for row in refusals() for error in row["errors"]}
