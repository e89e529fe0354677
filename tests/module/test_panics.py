"""No line of this crate can panic: the finished module holds no place in its source files that a panic would name.

rustc writes file, line and column of every place that may panic beside the code, and the linker drops what nothing
leads to. The same form says where a line of the log came from; those places are told apart by what stands there.
"""

import struct

import pytest
from envoy import MODULE
from packages import ROOT

LOGS = ("error!(", "debug!(", "warn!(", "info!(")


def number(data, place):
    """A LEB128 number without a sign, and where it ends."""
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, place


def memory(module):
    """The module's memory as it starts: address and bytes of each segment of the data section."""
    assert module[:8] == b"\0asm\x01\0\0\0"
    place = 8
    while place < len(module):
        section, (size, place) = module[place], number(module, place + 1)
        end = place + size
        if section == 11:
            count, place = number(module, place)
            for _ in range(count):
                kind, place = number(module, place)
                assert kind == 0 and module[place] == 0x41, "a segment that is not at a constant address"
                address, place = number(module, place + 1)
                assert module[place] == 0x0B
                length, place = number(module, place + 1)
                yield address, module[place : place + length]
                place += length
        place = end


def starts(data, text):
    """Where a text begins in data."""
    start = data.find(text)
    while start >= 0:
        yield start
        start = data.find(text, start + 1)


def places(segments, file):
    """The lines of a source file that the module names: a record is address and length of the name, line and column.

    The name of another crate's file may end alike, `/crates/…/src/lib.rs`; its address and length are others.
    """
    name = file.encode()
    for address, data in segments:
        for start in starts(data, name):
            record = struct.pack("<II", address + start, len(name))
            for _, other in segments:
                for hit in starts(other, record):
                    yield struct.unpack_from("<I", other, hit + 8)[0]


@pytest.fixture(scope="module")
def segments():
    found = list(memory(MODULE.read_bytes()))
    assert sum(len(data) for _, data in found) > 10_000
    return found


FILES = sorted(str(file.relative_to(ROOT)) for file in (ROOT / "src").rglob("*.rs"))


@pytest.mark.parametrize("file", FILES)
def test_no_line_of_the_crate_can_panic(segments, file):
    source = (ROOT / file).read_text().splitlines()
    for line in places(segments, file):
        assert any(log in source[line - 1] for log in LOGS), f"{file}:{line} may panic: {source[line - 1].strip()}"


def test_the_search_finds_what_there_is(segments):
    """What it looks for is there in the form that it knows: the places where the filter logs."""
    assert len(list(places(segments, "src/session.rs"))) >= 3
