"""make bench-cli: how long `basic-auth` takes, on one processor, for 100,000 rules and for a million lines of a log."""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import problem
from packages import ROOT

PROGRAM = ROOT / "target" / "release" / "basic-auth"
RULES = 100_000
LINES = 1_000_000
RUNS = 3


def rule(number):
    return {"prefix": f"/service-{number}/area", "credentials": [f"user-{number}:password-{number}"]}


def write_yaml(file):
    """A WasmPlugin as people write it; JSON is YAML, too, and read faster."""
    lines = ["apiVersion: extensions.istio.io/v1alpha1", "kind: WasmPlugin", "metadata: {name: basic-auth}", "spec:"]
    lines += [
        "  url: oci://registry.example/basic_auth:1.0.0",
        "  phase: AUTHN",
        "  pluginConfig:",
        "    basic_auth_rules:",
    ]
    for number in range(RULES):
        lines += [
            f"    - prefix: /service-{number}/area",
            "      credentials:",
            f"      - user-{number}:password-{number}",
        ]
    file.write_text("\n".join(lines) + "\n")


def write_log(file, line):
    with file.open("w") as log:
        for number in range(LINES):
            client = f"192.0.{number % 200}.{number % 250}"
            log.write(line(f"/service-{number % 150_000}/area/{number}?page={number % 7}", client) + "\n")


def text_line(path, client):
    return (
        f'[2026-11-26T17:00:00.000Z] "GET {path} HTTP/1.1" 200 - via_upstream - "-" 0 5123 12 11 "{client}" '
        f'"Mozilla/5.0 (X11; Linux x86_64)" "5d1e1a3c-1f5e-9d4b-a2c1-1c2b3a4d5e6f" "shop.example.com" "10.0.0.9:8080" '
        f"inbound|8080|| 127.0.0.6:40001 10.0.0.9:8080 {client}:51000 - default"
    )


def json_line(path, client):
    fields = {"start_time": "2026-11-26T17:00:00.000Z", "method": "GET", "path": path, "protocol": "HTTP/1.1"}
    fields |= {
        "response_code": 200,
        "bytes_sent": 5123,
        "duration": 12,
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
    }
    fields |= {"authority": "shop.example.com", "downstream_remote_address": f"{client}:51000", "route_name": "default"}
    return json.dumps(fields)


def seconds(*arguments):
    """The shortest of some runs."""
    taken = []
    for _ in range(RUNS):
        started = time.monotonic()
        run = subprocess.run([PROGRAM, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        taken.append(time.monotonic() - started)
        if run.returncode:
            raise problem.Problem(f"basic-auth {arguments[0]} failed: {run.stderr}")
    return min(taken)


def main():
    # As a proxy's worker has it, and whoever runs this beside other work.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        rules, plugin, text, lines = (
            Path(folder) / name for name in ("rules.json", "plugin.yaml", "text.log", "json.log")
        )
        rules.write_text(json.dumps({"basic_auth_rules": [rule(number) for number in range(RULES)]}))
        write_yaml(plugin)
        write_log(text, text_line)
        write_log(lines, json_line)
        print(f"the shortest of {RUNS} runs on one processor, in seconds")
        for name, arguments in {
            f"check, {RULES:,} rules as JSON in one line": ("check", rules),
            f"check, {RULES:,} rules in a WasmPlugin": ("check", plugin),
            f"replay, {LINES:,} lines of text against {RULES:,} rules": ("replay", text, rules),
            f"replay, {LINES:,} lines of JSON against {RULES:,} rules": ("replay", lines, rules),
            f"replay, {LINES:,} lines of text against 2 rules": ("replay", text, ROOT / "examples" / "rules.json"),
        }.items():
            print(f"  {seconds(*arguments):6.2f}  {name}", flush=True)


if __name__ == "__main__":
    problem.run("make bench-cli", main)
