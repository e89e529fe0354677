"""Runs a real Envoy with the filter in it, for the demo, the tests and the benchmarks."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import urllib.request

from packages import ROOT, envoy
from problem import Problem

MODULE = ROOT / "target" / "basic_auth.wasm"

V8 = "envoy.wasm.runtime.v8"
RUNTIMES = {"v8": V8, "wasmtime": "envoy.wasm.runtime.wasmtime", "wamr": "envoy.wasm.runtime.wamr"}


FLUSH_MILLISECONDS = 50
"""How often Envoy writes its log. By itself it takes ten seconds, and a test would look at an empty file."""


class NotServing(Problem):
    """Envoy stopped before it served; `log` holds what it said."""

    def __init__(self, log):
        # What the module says of its configuration stands far above Envoy's own last words.
        lines = log.splitlines()
        said = [line for line in lines[:-5] if "basic_auth" in line and ("[error]" in line or "[critical]" in line)]
        super().__init__("Envoy did not start; it said:\n" + "\n".join(said[:10] + lines[-5:]))
        self.log = log


def wasm_filter(
    configuration, *, module=MODULE, runtime=V8, name="basic_auth", root_id="", environment=None, vm_id="", extra=None
):
    """An HTTP filter of a module. The configuration is JSON text (str), or a value that is written as JSON."""
    text = configuration if isinstance(configuration, str) else json.dumps(configuration)
    vm = {"vm_id": vm_id, "runtime": runtime, "code": {"local": {"filename": str(module)}}}
    if environment:
        vm["environment_variables"] = {"key_values": environment}
    plugin = {"name": name, "root_id": root_id, "vm_config": vm, **(extra or {})}
    if text:
        plugin["configuration"] = {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text}
    return {
        "name": name,
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "config": plugin},
    }


ROUTER = {
    "name": "envoy.filters.http.router",
    "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
}


def answer_200(body="upstream"):
    """Routes that answer 200 to whatever the filters let through, `CONNECT` and `OPTIONS *` too."""
    response = {"status": 200, "body": {"inline_string": body}}
    return [
        {"match": {"connect_matcher": {}}, "direct_response": response},
        {"match": {"safe_regex": {"regex": "(?s).*"}}, "direct_response": response},
    ]


MANAGER = "envoy.extensions.filters.network.http_connection_manager"


def listener(name, filters, routes, *, port=0, manager=None):
    """A listener on a loopback port that Envoy chooses (0) or that is given; it speaks HTTP/1 and HTTP/2."""
    connection_manager = {
        "@type": f"type.googleapis.com/{MANAGER}.v3.HttpConnectionManager",
        "stat_prefix": name,
        "codec_type": "AUTO",
        # HTTP/1.0 and methods that Envoy does not know are let in, for the filter has to bear them.
        "http_protocol_options": {
            "accept_http_10": True,
            "default_host_for_http_10": "http10.test",
            "allow_custom_methods": True,
        },
        "http2_protocol_options": {"allow_connect": True},
        "upgrade_configs": [{"upgrade_type": "CONNECT"}],
        # Who breaks the protocol is cut off at once, not after a second of patience: the tests do so hundreds of times.
        "delayed_close_timeout": "0.02s",
        "max_request_headers_kb": 96,
        "common_http_protocol_options": {"max_headers_count": 200},
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [*filters, ROUTER],
        **(manager or {}),
    }
    return {
        "name": name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": connection_manager}]}
        ],
    }


def cluster(name, port):
    """A cluster of one server on this machine."""
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    return {"name": name, "type": "STATIC", "load_assignment": {"cluster_name": name, "endpoints": endpoints}}


def bootstrap(listeners, clusters=(), *, runtime_flags=None):
    """A static configuration with an admin port that Envoy chooses."""
    return {
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "static_resources": {"listeners": list(listeners), "clusters": list(clusters)},
        "layered_runtime": {"layers": [{"name": "static", "static_layer": runtime_flags or {}}]},
    }


def ports_of(admin):
    """The ports that the listeners of a running Envoy are on, by name."""
    with urllib.request.urlopen(f"{admin}/listeners?format=json", timeout=5) as answer:
        statuses = json.load(answer)["listener_statuses"]
    return {status["name"]: status["local_address"]["socket_address"]["port_value"] for status in statuses}


class Envoy:
    """A running Envoy; `with Envoy(bootstrap) as envoy` stops it at the end.

    The configuration is a value, or YAML text. `output` is where Envoy's standard output goes. `environment` comes on
    top of this program's own. `replaces` is a running Envoy whose sockets this one takes over, as in a hot restart.
    `drain_seconds` is how long the connections of a listener that was replaced may live.
    """

    def __init__(
        self,
        configuration,
        *,
        version=None,
        concurrency=1,
        log_level="info",
        output=subprocess.DEVNULL,
        patience=60,
        environment=None,
        replaces=None,
        drain_seconds=1,
    ):
        self._folder = tempfile.TemporaryDirectory(prefix="basic-auth-envoy-")
        folder = pathlib.Path(self._folder.name)
        self.log_file = folder / "envoy.log"
        admin_file = folder / "admin"
        configuration_file = folder / "envoy.yaml"
        configuration_file.write_text(configuration if isinstance(configuration, str) else json.dumps(configuration))
        binary = envoy(version) if version else envoy()
        command = [binary, "-c", configuration_file, "--concurrency", concurrency, "--admin-address-path", admin_file]
        # Wasm logs through Envoy's own logger; a base id of its own lets several Envoys run side by side.
        command += ["--log-level", "warning", "--component-log-level", f"wasm:{log_level}", "--log-path", self.log_file]
        command += [
            "--file-flush-interval-msec",
            FLUSH_MILLISECONDS,
            "--drain-time-s",
            drain_seconds,
            "--parent-shutdown-time-s",
            2,
        ]
        self._base_id_file = replaces._base_id_file if replaces else folder / "base-id"
        if replaces:
            command += ["--base-id", self._base_id_file.read_text().strip(), "--restart-epoch", 1]
        else:
            command += ["--use-dynamic-base-id", "--base-id-path", self._base_id_file]
        # A group of its own: Ctrl-C in the terminal reaches the caller, which then stops Envoy.
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdout=output,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
        try:
            address = self._wait_until(lambda: admin_file.exists() and admin_file.read_text().strip(), patience)
            self.admin = f"http://{address}"
            self._wait_until(self._is_ready, patience)
        except BaseException:
            self.stop()
            raise
        self.ports = ports_of(self.admin)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def output(self):
        """The lines of Envoy's standard output, where it was asked for."""
        return self.process.stdout

    @property
    def log(self):
        """What Envoy and the module have logged so far."""
        if self.process.poll() is None:
            time.sleep(3 * FLUSH_MILLISECONDS / 1000)
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def stats(self, pattern):
        """The statistics whose names match a regular expression."""
        with urllib.request.urlopen(f"{self.admin}/stats?format=json&filter={pattern}", timeout=5) as answer:
            return {entry["name"]: entry["value"] for entry in json.load(answer)["stats"] if "name" in entry}

    def stop(self):
        """Ends Envoy and removes its files."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._folder.cleanup()

    def _wait_until(self, answer, patience):
        """What `answer` says once it is not empty; a process that ended meanwhile, or time up, is NotServing."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and self.process.poll() is None:
            if said := answer():
                return said
            time.sleep(0.02)
        raise NotServing(self.log)

    def _is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.admin}/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False
