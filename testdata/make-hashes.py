#!/usr/bin/env python3
"""Writes hashes.tsv: hashes made by other implementations.

Run by hand when the set changes; the tests only read what it wrote. It needs
`htpasswd` (apache2-utils), `openssl`, `mkpasswd` (whois), Python before 3.13
(its `crypt` is the C library's) with `bcrypt` and `passlib`.

Columns: maker, hash, password in hexadecimal.
"""

import crypt
import subprocess
import sys

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


def run(*command, stdin=b""):
    return (
        subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        .stdout.decode()
        .strip()
    )


def main():
    out = open(sys.argv[1] if len(sys.argv) > 1 else "hashes.tsv", "w")

    def write(maker, text, password):
        assert text and "*" not in text[:2], (maker, password)
        print(maker, text, password.hex(), sep="\t", file=out)

    for password in PASSWORDS:
        for option in (["-s"], ["-m"], ["-B", "-C", "4"], ["-2", "-r", "1000"], ["-5", "-r", "1000"]):
            line = run("htpasswd", "-nb", *option, "user", password)
            write("htpasswd " + " ".join(option), line.removeprefix("user:"), password)
        for option in ("-1", "-apr1", "-5", "-6"):
            if password:
                write(
                    f"openssl passwd {option}",
                    run("openssl", "passwd", option, "-stdin", stdin=password + b"\n"),
                    password,
                )
        for method, extra in (
            ("md5crypt", []),
            ("sha256crypt", ["-R", "1001"]),
            ("sha512crypt", ["-R", "1001"]),
            ("bcrypt", ["-R", "4"]),
            ("bcrypt-a", ["-R", "5"]),
        ):
            if password:
                write(
                    f"mkpasswd -m {method}",
                    run("mkpasswd", "-m", method, *extra, "-s", stdin=password + b"\n"),
                    password,
                )
        try:
            text = password.decode()
            for setting in (
                "$1$",
                "$1$saltstringsalt",
                "$5$",
                "$5$rounds=1400$anotherlongsaltstring",
                "$6$a.b-c",
                "$2y$04$abcdefghijklmnopqrstuu",
            ):
                write("crypt of libxcrypt", crypt.crypt(text, setting + "$"), password)
        except UnicodeDecodeError:
            pass
        for scheme in (
            ldap_sha1,
            ldap_salted_sha1,
            apr_md5_crypt,
            md5_crypt,
            sha256_crypt.using(rounds=2000),
            sha512_crypt.using(rounds=2000),
        ):
            write(f"passlib {scheme.name}", scheme.hash(password), password)
        for prefix in (b"2a", b"2b"):
            write("bcrypt of PyCA", bcrypt.hashpw(password[:72], bcrypt.gensalt(4, prefix)).decode(), password)
    for password, option in (
        (b"default costs", ["-B"]),
        (b"default costs", ["-2"]),
        (b"default costs", ["-5"]),
        (b"cost ten", ["-B", "-C", "10"]),
    ):
        line = run("htpasswd", "-nb", *option, "user", password)
        write("htpasswd " + " ".join(option), line.removeprefix("user:"), password)


main()
