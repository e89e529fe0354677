"""What is measured: configurations of any size and the requests that are sent to them.

The counts (tests/module/) and the benchmarks (benches/) share these, so that a figure of one explains the other.
"""

import base64

SIZES = [1, 100, 10_000, 100_000]
"""Numbers of rules, and of users in one rule."""

OPEN = "/open/page/of/nobody"
"""A path that no rule covers, as long as PROTECTED."""

FIVE = [("x-forwarded-proto", "http")]
"""Beside `:authority`, `:path`, `:method` and `:scheme`: what Envoy gives to a filter at the least."""

EIGHTEEN = FIVE + [
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    ),
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("accept-language", "en-GB,en;q=0.9,de;q=0.8"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("cache-control", "max-age=0"),
    ("referer", "https://shop.example.com/products/teapots?sort=price&page=3"),
    ("sec-ch-ua", '"Chromium";v="140", "Not=A?Brand";v="24"'),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", '"Linux"'),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-site", "same-origin"),
    ("cookie", "; ".join(f"c{place:02}={'0123456789abcdef' * 4}" for place in range(22))),  # 1.5 kB
]
"""What a browser sends, with FIVE."""

HEADERS = {"five headers": FIVE, "eighteen headers": EIGHTEEN}


def protected(size):
    """The path of the last of `rules(size)`: a search from the first one finds it latest."""
    return f"/team{size - 1:06}/page/one"


def user(place):
    """A user name and a password; every user's are equally long."""
    return f"user{place:06}", f"secret{place:06}"


def rules(size):
    """Rules with a prefix and a user each."""
    return {
        "basic_auth_rules": [
            {"prefix": f"/team{place:06}/", "credentials": [":".join(user(place))]} for place in range(size)
        ]
    }


def users(size):
    """One rule, for the same path as the last of `rules(size)`, with many users."""
    return {
        "basic_auth_rules": [
            {"prefix": f"/team{size - 1:06}/", "credentials": [":".join(user(place)) for place in range(size)]}
        ]
    }


def hosts(size):
    """Rules for everything below a host of their own, as a gateway for many tenants has them."""
    names = ((f"tenant{place:06}.example.com", f"*.tenant{place:06}.example.com") for place in range(size))
    return {
        "basic_auth_rules": [
            {"hosts": list(pair), "prefix": "/", "credentials": [":".join(user(place))]}
            for place, pair in enumerate(names)
        ]
    }


def wildcard_hosts(size):
    """Rules for everything on hosts that begin or end as no others do."""
    patterns = ((f"t{place:06}-*", f"*-t{place:06}.example.com") for place in range(size))
    return {
        "basic_auth_rules": [
            {"hosts": list(pair), "prefix": "/", "credentials": [":".join(user(place))]}
            for place, pair in enumerate(patterns)
        ]
    }


def exceptions(size):
    """One rule for everything, with many open places in it."""
    open_places = [{"prefix": f"/open{place:06}/"} for place in range(size)]
    return {"basic_auth_rules": [{"prefix": "/", "except": open_places, "credentials": [":".join(user(0))]}]}


def regex_exceptions(size):
    """One rule with an open place, and exceptions by regexes that hold a whole path to see that they do not match."""
    regexes = [{"regex": f"/[a-z]+/[0-9]+/item{place:03}(/.*)?"} for place in range(size)]
    return {
        "basic_auth_rules": [
            {"prefix": "/", "except": [{"prefix": "/public/"}, *regexes], "credentials": [":".join(user(0))]}
        ]
    }


def copies(size):
    """One user, listed many times."""
    return {"basic_auth_rules": [{"prefix": "/", "credentials": [":".join(user(0))] * size}]}


def authorization(name, password):
    """A `Basic` credential."""
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def request(path, *, credential=None, more=(), authority="shop.example.com"):
    """The headers of a GET in the order in which Envoy lists them."""
    head = [(":authority", authority), (":path", path), (":method", "GET"), (":scheme", "http")]
    return head + ([("authorization", authorization(*credential))] if credential else []) + list(more)


def cases(size):
    """The usual requests to `rules(size)` and `users(size)`, by what becomes of them: path and credential."""
    name, password = user(size - 1)
    return {
        "not covered": (OPEN, None),
        "missing": (protected(size), None),
        "wrong password": (protected(size), (name, password[::-1])),
        "unknown user": (protected(size), (name[::-1], password[::-1])),
        "accepted": (protected(size), (name, password)),
    }


# Worst cases: configurations and paths that somebody would choose who wants a decision to be slow.

ONE = [":".join(user(0))]


def nested_prefixes(size):
    """Each prefix is a prefix of the next, all of one letter. The text grows with the square of the size."""
    return {"basic_auth_rules": [{"prefix": "/" + "a" * place, "credentials": ONE} for place in range(size)]}


def nested_suffixes(size):
    """The same from the other end."""
    return {"basic_auth_rules": [{"suffix": "a" * (place + 1), "credentials": ONE} for place in range(size)]}


def alike(field, size):
    """Patterns that differ after 24 equal letters (a prefix) or before them (a suffix), so that none matches early."""
    letters = "a" * 24
    pattern = {"prefix": "/" + letters + "{:06}", "suffix": "{:06}" + letters}[field]
    return {"basic_auth_rules": [{field: pattern.format(place), "credentials": ONE} for place in range(size)]}


def regexes(size):
    """Regexes that hold the whole path to see that they do not match, each with a text of its own in it."""
    return {"basic_auth_rules": [{"regex": f"/.*x{place:04}.*[0-9]+", "credentials": ONE} for place in range(size)]}


def bare_regexes(size):
    """Regexes with no text in them that a search could start from."""
    return {
        "basic_auth_rules": [
            {"regex": f"/([a-m]|[n-z]){{{place % 7 + 1}}}[0-9]", "credentials": ONE} for place in range(size)
        ]
    }


PATHS = {
    "letters": lambda length: "/" + "a" * length,
    "dots": lambda length: "/" + "../" * (length // 3),
    "escaped dots": lambda length: "/" + "%2e%2e%2f" * (length // 9),
    "parameters": lambda length: "/" + "a;b/" * (length // 4),
    "slashes": lambda length: "/" * length,
}
"""Long paths by what they are made of."""
