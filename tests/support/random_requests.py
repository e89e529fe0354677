"""Random configurations and requests, and what the native crate decides about them.

Both are drawn from pieces that the filter reacts to, so that rules and requests meet, and ways around rules are tried.
"""

import base64
import dataclasses
import json
import os
import random
import subprocess

from envoy import ROOT

SEGMENTS = ["a", "b", "admin", "Admin", "public", "x.css", "api", "v1"]
HOSTS = ["foo.com", "a.foo.com", "bar.org", "foo.org", "localhost", "127.0.0.1", "[::1]", "[2001:db8::1]"]
HOST_PATTERNS = ["foo.com", "*.foo.com", "foo.*", "*", "[::1]", "FOO.com:80", "localhost.", "2001:db8::1"]
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]
PASSWORDS = ["ok:test", "ok:rotated", "key:", "a:b:c", "b\u00fcro:pa\u00dfwort"]
PIECES = [
    "/", "//", "/./", "/../", "..", ".", "%2f", "%2F", "%5c", "\\", ";", ";v=1", "%3b", "%2e", "%2E%2e", "%61",
    "%41dmin", "%25", "%2561", "%252f", "%23", "%3f", "%00", "%0a", "%c4%b1", "\u00c4\u00b0", "?", "?x=/admin",
    "#", "%", "%zz", "%c0%ae", "%ff", "\xff", "\xc3\xa9", "%20", "*", "~", "+",
]  # fmt: skip
REGEXES = ["/a/[^/]*", "/(admin|api)(/.*)?", "(?i)/ADMIN/b", ".*[.]css", "/v[0-9]+/.*", "(?x) /a # comment"]


def seeds(fixed):
    """A fixed seed, so that a pull request is not refused for another's bug alone, and one that was just drawn."""
    return [fixed, int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))]


@dataclasses.dataclass
class Request:
    """A request, in bytes, and the native decision about it."""

    method: bytes
    path: bytes | None
    authority: bytes | None
    authorization: list
    expect: str = ""

    @property
    def headers(self):
        return [(b"authorization", value) for value in self.authorization]

    def line(self):
        def text(value):
            return None if value is None else value.decode("latin-1")

        return json.dumps(
            {
                "method": text(self.method),
                "path": text(self.path),
                "authority": text(self.authority),
                "authorization": [text(value) for value in self.authorization],
            }
        )


def plain_path(draw):
    path = "/" + "/".join(draw.choices(SEGMENTS, k=draw.randrange(4)))
    return path + "/" if draw.random() < 0.2 and path != "/" else path


def matcher(draw):
    kind = draw.choice(["prefix", "prefix", "exact", "suffix", "regex"])
    if kind == "regex":
        return {kind: draw.choice(REGEXES)}
    path = plain_path(draw)
    if kind == "suffix":
        path = path[draw.randrange(len(path)) :]
    if draw.random() < 0.15:
        path = path.replace("/", draw.choice(["//", "/./", "/"])).replace("a", draw.choice(["%61", "A", "a"]))
    return {kind: path}


def random_configuration(draw):
    """A configuration that is accepted. Each rule has a realm of its own, which tells it in the answer."""
    rules = []
    for number in range(draw.randrange(1, 7)):
        rule = {**matcher(draw), "realm": f"rule {number}", "credentials": draw.sample(PASSWORDS, draw.randrange(1, 4))}
        if draw.random() < 0.4:
            rule["hosts"] = draw.choices(HOST_PATTERNS, k=draw.randrange(3))
        if draw.random() < 0.4:
            rule["request_methods"] = draw.choices([*METHODS, "*"], k=draw.randrange(1, 4))
        if draw.random() < 0.4:
            rule["except"] = [matcher(draw) for _ in range(draw.randrange(1, 3))]
            if draw.random() < 0.3:
                rule["except"][0]["request_methods"] = [draw.choice(METHODS)]
        rules.append(rule)
    return {"basic_auth_rules": rules}


def random_request(draw):
    """A request. Most are well-formed, so that Envoy lets them reach the filter."""
    path = plain_path(draw)
    for _ in range(draw.choice([0, 0, 1, 1, 2, 3])):
        place = draw.randrange(1, len(path) + 1)
        path = path[:place] + draw.choice(PIECES) + path[place:]
    authority = draw.choice(HOSTS)
    if draw.random() < 0.3:
        authority = draw.choice(
            [authority.upper(), authority + ":8080", authority + ".", "user@" + authority, "a..b", authority + ":"]
        )
    method = draw.choice(METHODS) if draw.random() < 0.95 else draw.choice(["PROPFIND", "get", "X"])
    authorization = []
    if draw.random() < 0.8:
        pair = draw.choice(PASSWORDS if draw.random() < 0.8 else ["ok:wrong", "nobody:test", "ok", "\n:"])
        token = base64.b64encode(pair.encode()).decode()
        scheme = "Basic " if draw.random() < 0.8 else draw.choice(["basic ", "BASIC  ", "Bearer ", "Basic"])
        if draw.random() < 0.2:
            place = draw.randrange(len(token) + 1)
            token = token[:place] + draw.choice(["=", "A", ",", "\xff", "-"]) + token[place:]
        authorization = [(scheme + token).encode("latin-1")]
        if draw.random() < 0.05:
            authorization *= 2
    return Request(method.encode(), path.encode("latin-1"), authority.encode(), authorization)


def random_batches(draw, configurations, requests):
    """Random configurations, each with so many requests and the native decisions about them."""
    batches = [
        (random_configuration(draw), [random_request(draw) for _ in range(requests)]) for _ in range(configurations)
    ]
    answers = decided([(json.dumps(configuration), requests) for configuration, requests in batches])
    assert answers == ["configured"] * configurations
    return batches


def decided(batches):
    """Asks the native crate about batches of a configuration and requests, and notes its decisions in the requests."""
    lines, places = [], []
    for text, requests in batches:
        lines += [json.dumps(text), *(one.line() for one in requests)]
        places += [None, *requests]
    command = ["cargo", "run", "--quiet", "--locked", "--example", "decide_many"]
    run = subprocess.run(command, cwd=ROOT, input="\n".join(lines) + "\n", capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    decisions = run.stdout.splitlines()
    assert len(decisions) == len(places)
    answers = []
    for place, decision in zip(places, decisions, strict=True):
        if place is None:
            answers.append(decision)
        else:
            place.expect = decision
    return answers
