"""Spellings of the places: every short one over a small alphabet, then random ones by a grammar.

A spelling is the target of a request in bytes. Nothing here knows what a backend makes of it.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator

from places import PLAIN, PUBLIC, SECRET

ALPHABET: tuple[bytes, ...] = (
    b"/",
    b"\\",
    b";",
    b".",
    b"..",
    b"?",
    b"#",
    b"%",
    b",",
    b":",
    b"@",
    b"x",
    b"%2f",
    b"%5C",
    b"%2e",
    b"%3b",
    b"%3f",
    b"%23",
    b"%25",
    b"%00",
    b"%0a",
    b"%0D",
    b"%09",
    b"%20",
    b"%1f",
    b"%7f",
    b"%85",
    b"%a0",
    b"%ff",
    b"%c2",
    b"%c0%ae",
    b"%u002e",
    b"%ed%a0%80",
    b"%ef%bb%bf",
    b"+",
    b" ",
    b"\x85",
    b"\xa0",
    b"\xff",
    b"\xc2\xa0",
)
"""What is put around and inside a plain path, in every combination up to a length."""


def _spots(plain: bytes) -> list[int]:
    """Where something is put in: before and behind each slash, at the end, and inside the first and the last segment.

    Not before the first slash: Envoy refuses a path that does not begin with one, and so does the filter.
    """
    spots = {1, 2, len(plain) - 1, len(plain)}
    for place, byte in enumerate(plain):
        if byte == ord("/"):
            spots |= {place, place + 1}
    return sorted(spots - {0})


def plain_paths() -> list[bytes]:
    """The plain spellings, and the secret as it is reached by way of what is public."""
    detour = PLAIN[PUBLIC].removesuffix("x") + "../secret"
    return [path.encode() for path in [*PLAIN.values(), detour]]


def exhaustive(paths: Iterable[bytes], length: int) -> Iterator[bytes]:
    """Every path with that many pieces of the alphabet at each spot."""
    for path in paths:
        for spot in _spots(path):
            for pieces in itertools.product(ALPHABET, repeat=length):
                yield path[:spot] + b"".join(pieces) + path[spot:]


SEGMENTS = (*b"admin x files public secret report.pdf y .. . x.css %s".split(), b"", "büro".encode())
SEPARATORS = tuple(
    rb"""
    / / / / // \ %2f %2F %5c /./ /;/ /x/../ /..;/ %252f ///
    """.split()
) + (b"\xe2\x81\x84", b"\xef\xbc\x8f")
PARAMETERS = tuple(
    rb"""
    ; ;x ;v=1 ;/x ;x.css ,x %3b %3bx ;jsessionid=1 ;.css :x =1 (x) !x
    """.split()
)
ENDS = tuple(
    rb"""
    ? ?x ?.css # #x #.css %3f %3f.css %23 %23.css %00 %00.css %0a %0d%0a %0a.css %0d %20 %09 . / // /. /./ %2f
    .css /x.css /.. %2e &x ::$DATA ~ ~1 .html .php .json /index.html \ %5c * %2a $ ' " %22
    """.split()
)
BEGINNINGS = tuple(
    rb"""
    / // /. /x/.. //x //test /// /./ /%2e /; /x;/.. /%2e%2e /.. \ /\ /\x http://test http: http:// https://test:80
    http://x@test http:/ //x@test:80 * ? x /%20 /%09 /%00 /%ff /%0a /#/.. /?/.. /files/public/..
    /files/public/%2e%2e /files/public/..; /files/public/..%2f.. /files/public/%ff.. /files/public\.. /index.php
    /x.css/.. /x.css;/..
    """.split()
) + (b"",)
BLANKS = (
    *(b"%%%02x" % code for code in (*range(0x21), 0x7F, 0x85, 0xA0, 0xAD, 0xFF)),
    *b"%c2%a0 %e2%80%8b %e2%80%a8 %e3%80%80 %ef%bb%bf %c2%85 %c2%ad %e2%80%ae %cc%81 %e1%9a%80 %f4%90%80%80".split(),
)
OTHER_CASE = {
    b"i": (b"I", b"\xc4\xb0", b"\xc4\xb1", b"%c4%b0", b"%C4%B1", b"%ef%bd%89"),
    b"s": (b"S", b"\xc5\xbf", b"%c5%bf"),
    "ü".encode(): ("Ü".encode(), b"%c3%9c", b"%C3%BC", b"u%cc%88", b"\xfc", b"%fc", b"%dc", b"\xdc"),
    b"p": (b"P", b"%ef%bd%90"),
    b"x": (b"X", b"%ef%bd%98"),
}
OVERLONG = {b"/": (b"%c0%af", b"%e0%80%af", b"\xc0\xaf"), b".": (b"%c0%ae", b"%e0%80%ae", b"%c0%2e", b"\xc0\xae")}


def _letters(segment: bytes) -> list[bytes]:
    """The characters of a segment, those beyond ASCII whole."""
    return [letter.encode() for letter in segment.decode()]


def _escape(draw: random.Random, letter: bytes) -> bytes:
    """A letter as one escape or several, perhaps escaped once more."""
    digits = draw.choice(["%02x", "%02X"])
    kind = draw.random()
    if kind < 0.08 and len(letter) == 1:
        return b"%u" + (b"%04x" % letter[0])
    if kind < 0.14 and letter in OVERLONG:
        return draw.choice(OVERLONG[letter])
    escaped = b"".join(b"%" + (digits % byte).encode() for byte in letter)
    if kind < 0.30:
        escaped = escaped.replace(b"%", b"%25")
    if kind < 0.19:
        escaped = escaped.replace(b"%25", draw.choice([b"%2525", b"%25%32%35"]))
    if 0.30 <= kind < 0.36:
        # The digits are escaped, not the percent sign.
        escaped = escaped[:1] + b"%%%02x" % escaped[1] + escaped[2:]
    return escaped


def _noise(draw: random.Random) -> bytes:
    """Something that a backend may drop, trim or stumble over."""
    kind = draw.random()
    if kind < 0.4:
        return draw.choice(BLANKS)
    if kind < 0.6:
        return b"%%%02X" % draw.randrange(256)
    if kind < 0.8:
        return bytes([draw.choice([*range(0x01, 0x0A), 0x0B, 0x0C, *range(0x0E, 0x100)])])
    return draw.choice(ALPHABET)


def _segment(draw: random.Random, segment: bytes, wildness: float) -> bytes:
    parts = []
    for letter in _letters(segment):
        if draw.random() < wildness / 4:
            letter = _escape(draw, letter)
        elif draw.random() < wildness / 8:
            letter = draw.choice(OTHER_CASE.get(letter, (letter.upper(),)))
        if draw.random() < wildness / 16:
            parts.append(_noise(draw))
        parts.append(letter)
    if draw.random() < wildness / 4:
        parts.insert(draw.choice([0, len(parts)]), _noise(draw))
    if draw.random() < wildness / 5:
        parts.append(draw.choice(PARAMETERS))
    return b"".join(parts)


def _path(draw: random.Random) -> bytes:
    """The segments of a place, or of no place in particular."""
    kind = draw.random()
    if kind < 0.85:
        return draw.choice([*plain_paths(), PLAIN[SECRET].encode()]).replace(b"%C3%BC", "ü".encode())
    return b"/" + b"/".join(draw.choices(SEGMENTS, k=draw.randrange(1, 5)))


def random_spelling(draw: random.Random) -> bytes:
    """One spelling. Most are strange in one or two places, so that many are served; some are strange all over."""
    wildness = draw.choice([0.0, 0.3, 0.3, 0.6, 0.6, 1.0, 1.6])
    strangeness = draw.choice([0.1, 0.2, 0.3, 0.5])
    spelled = b""
    for place, segment in enumerate(_path(draw).split(b"/")):
        if place > 0:
            separator = draw.choice(SEPARATORS) if draw.random() < strangeness else b"/"
            # A path that does not begin with a slash gets nowhere.
            spelled += separator if place > 1 or separator.startswith(b"/") else b"/" + separator
        spelled += _segment(draw, segment, wildness)
    if draw.random() < strangeness:
        spelled = draw.choice(BEGINNINGS) + spelled
    if draw.random() < strangeness:
        spelled += draw.choice(ENDS)
        if draw.random() < 0.3:
            spelled += draw.choice(ENDS)
    return spelled


FIXED = tuple(
    rb"""
    /ad%FFmin /%ffadmin /admi%c2n /files/public/.%FF./secret /admin;/x /admin;/x.css /%20admin /admin%20 /%01admin
    /admin%0a /admin%0A /report.pdf%0a /files/secret%0a /B%C3%9CRO /b%c3%9cro /adm%C4%B1n /adm%C4%B0n /ADMIN
    /file%73/a%20b /files/a%20b%20 /files/a+b /files/a%2Bb /admin. /admin%2e /admin/x%00.css ///x/admin /b%C3%BCro/x%2fy
    /%7fadmin/x /b%FCro /b%c3%9cro/below /%0a.pdf%0a /report.pdf%0a.css /admin/x%3f.css /x/../admin/..
    /admin/ /admin// //admin //x/admin /x/..;/admin /files/public/..;/secret /files/public/..%2fsecret
    /files/public/%2e%2e/secret /files/public/..%5csecret /files/public/..\secret /%2561dmin /%u0061dmin /admin%00
    /admin%3fx.css /admin%23x.css /admin#x.css /admin?x.css /report%2epdf /report.pdf;x /report.pdf/
    /report.pdf%20 /files/public/%c0%ae%c0%ae/secret /files//secret /files/public//../secret
    /files/public/x/../../secret /admin/%2e /admin/. /./admin /admin;v=1 /;/admin /;x/admin /admin/;x
    /admin%3b/x.css
    """.split()
) + (b"/admin\x85", b"/admin\xa0", b"/admin\x85x", b"/admin\xa0/x.css", b"/b\xfcro", b"/\xef\xbb\xbfadmin")
"""Spellings that some backend was seen to serve; docs/matching.md names most of them."""


NEVER_REACHES_A_FILTER = frozenset([*range(0x21), 0x7F])
"""Bytes that Envoy refuses in a path or cuts from its ends, whatever the protocol; each run asks it."""


def is_one_request(target: bytes) -> bool:
    """Whether the target leaves an HTTP/1.1 request one request: no line ends in it."""
    return not any(byte in b"\r\n" for byte in target)


def can_reach_a_filter(target: bytes) -> bool:
    """Whether a filter might be asked about this path, by an Envoy that does nothing to paths."""
    return target.startswith(b"/") and NEVER_REACHES_A_FILTER.isdisjoint(target)
