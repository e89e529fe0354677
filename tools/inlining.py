"""Keeps V8 from inlining what a module is the slower to start for.

Envoy compiles a module before it serves, with V8's optimising compiler alone. Run so, V8 inlines into every function
what that function calls, call after call as they stand, up to twice the function's own bytes or sixty functions. It
cannot know what is called often; in a module made by rustc, which has inlined already, it is the telling of panics for
the most part, and nearly half the time of compilation goes there.

So each function of some size first calls one that has sixty calls of an empty function behind a branch that is always
taken. V8 inlines these sixty, of which nothing is left once compiled, and then no more. Requests cost what they cost
before (docs/cost.md). Whoever compiles in another way executes four instructions more in each such call.
"""

SIXTY = 60
"""V8's kMaxInlinedCount."""

LARGE = 350
"""Bytes from which a function is large. A smaller one calls little, and requests run through many of them."""

TYPES, IMPORTS, FUNCTIONS, CODE = 1, 2, 3, 10
"""Sections: https://webassembly.github.io/spec/core/binary/modules.html."""

END, CALL, NOTHING = b"\x0b", b"\x10", b"\x60\0\0"
"""Two instructions, and the type of a function that takes and gives nothing."""


def read_number(data, at):
    """An unsigned LEB128 number, and where it ends."""
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return number, at


def number(value):
    """The same, written."""
    written = b""
    while value >= 0x80:
        written += bytes([value & 0x7F | 0x80])
        value >>= 7
    return written + bytes([value])


def sized(data):
    """Bytes after their length."""
    return number(len(data)) + data


def read_sections(module):
    """Pairs of a section's number and its bytes, as they stand."""
    sections, at = [], 8
    while at < len(module):
        length, begin = read_number(module, at + 1)
        sections.append((module[at], module[begin : begin + length]))
        at = begin + length
    return sections


def read_bodies(code):
    """The bodies of the functions in the code section."""
    count, at = read_number(code, 0)
    bodies = []
    for _ in range(count):
        length, at = read_number(code, at)
        bodies.append(code[at : at + length])
        at += length
    return bodies


def without_locals(body):
    """Where the instructions of a function begin."""
    count, at = read_number(body, 0)
    for _ in range(count):
        _, at = read_number(body, at)
        at += 1
    return at


def imported_functions(imports):
    """How many functions a module imports: the first numbers of functions are theirs."""
    count, at = read_number(imports, 0)
    for _ in range(count):
        for _ in range(2):
            length, at = read_number(imports, at)
            at += length
        if imports[at] != 0:
            raise ValueError("only functions can be imported from a proxy")
        _, at = read_number(imports, at + 1)
    return count


def bound_inlining(module):
    """The module, with such a call at the beginning of each large function."""
    sections = read_sections(module)
    content = dict(sections)
    bodies = read_bodies(content[CODE])
    empty = imported_functions(content[IMPORTS]) + len(bodies)
    call_of_sixty = CALL + number(empty + 1)
    for place, body in enumerate(bodies):
        if len(body) >= LARGE:
            begin = without_locals(body)
            bodies[place] = body[:begin] + call_of_sixty + body[begin:]
    # block; i32.const 1; br_if 0; sixty calls; end
    sixty = b"\x02\x40\x41\x01\x0d\0" + SIXTY * (CALL + number(empty)) + END
    bodies += [b"\0" + END, b"\0" + sixty + END]

    types, at = read_number(content[TYPES], 0)
    _, functions = read_number(content[FUNCTIONS], 0)
    written = {
        TYPES: number(types + 1) + content[TYPES][at:] + NOTHING,
        FUNCTIONS: number(len(bodies)) + content[FUNCTIONS][functions:] + 2 * number(types),
        CODE: number(len(bodies)) + b"".join(map(sized, bodies)),
    }
    return module[:8] + b"".join(bytes([kind]) + sized(written.get(kind, data)) for kind, data in sections)
