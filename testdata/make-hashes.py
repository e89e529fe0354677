"""Writes hashes.tsv: hashes made by other implementations.

Run by hand when the set changes; the tests only read what it wrote. It needs
`htpasswd` (apache2-utils), `openssl`, `mkpasswd` (whois), Python before 3.13
(its `crypt` is the C library's) with `bcrypt` and `passlib`.

Columns: maker, hash, password in hexadecimal.
"""

import contextlib
import crypt
import subprocess
import sys
from pathlib import Path

import bcrypt
from passlib.hash import apr_md5_crypt, ldap_salted_sha1, ldap_sha1, md5_crypt, sha256_crypt, sha512_crypt

PASSWORDS = [
    b"",
    b"a",
    b"correct horse battery staple",
    "pässwörd €uro 🔑".encode(),
    b"\xff\xa3345",
    b" leading and trailing ",
    b"colon:and$dollar",
    b"15 bytes long..",
    b"16 bytes long...",
    b"x" * 31,
    b"x" * 32,
    b"x" * 33,
    b"x" * 55,
    b"x" * 56,
    b"x" * 63,
    b"x" * 64,
    b"x" * 65,
    b"y" * 71,
    b"y" * 72,
    b"y" * 73,
    b"z" * 127,
    b"z" * 128,
    b"z" * 129,
    b"w" * 255,
]


MKPASSWD = {"md5crypt": "", "sha256crypt": "-R 1001", "sha512crypt": "-R 1001", "bcrypt": "-R 4", "bcrypt-a": "-R 5"}
SETTINGS = (
    "$1$",
    "$1$saltstringsalt",
    "$5$",
    "$5$rounds=1400$anotherlongsaltstring",
    "$6$a.b-c",
    "$2y$04$abcdefghijklmnopqrstuu",
)
SCHEMES = (
    ldap_sha1,
    ldap_salted_sha1,
    apr_md5_crypt,
    md5_crypt,
    sha256_crypt.using(rounds=2000),
    sha512_crypt.using(rounds=2000),
)


def run(*command, stdin=b""):
    return (
        subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        .stdout.decode()
        .strip()
    )


def vectors():
    """Maker, hash and password of each line."""
    for password in PASSWORDS:
        for options in ("-s", "-m", "-B -C 4", "-2 -r 1000", "-5 -r 1000"):
            yield htpasswd(options, password)
        if password:
            for option in ("-1", "-apr1", "-5", "-6"):
                text = run("openssl", "passwd", option, "-stdin", stdin=password + b"\n")
                yield f"openssl passwd {option}", text, password
            for method, rounds in MKPASSWD.items():
                text = run("mkpasswd", "-m", method, *rounds.split(), "-s", stdin=password + b"\n")
                yield f"mkpasswd -m {method}", text, password
        with contextlib.suppress(UnicodeDecodeError):
            text = password.decode()
            for setting in SETTINGS:
                yield "crypt of libxcrypt", crypt.crypt(text, setting + "$"), password
        for scheme in SCHEMES:
            yield f"passlib {scheme.name}", scheme.hash(password), password
        for prefix in (b"2a", b"2b"):
            yield "bcrypt of PyCA", bcrypt.hashpw(password[:72], bcrypt.gensalt(4, prefix)).decode(), password
    for options in ("-B", "-2", "-5"):
        yield htpasswd(options, b"default costs")
    yield htpasswd("-B -C 10", b"cost ten")


def htpasswd(options, password):
    line = run("htpasswd", "-nb", *options.split(), "user", password)
    return f"htpasswd {options}", line.removeprefix("user:"), password


def main():
    lines = []
    for maker, text, password in vectors():
        assert text and "*" not in text[:2], (maker, password)
        lines.append(f"{maker}\t{text}\t{password.hex()}\n")
    Path(sys.argv[1] if len(sys.argv) > 1 else "hashes.tsv").write_text("".join(lines))


if __name__ == "__main__":
    main()
