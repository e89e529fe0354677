"""Reads and writes WebAssembly modules, as far as a linker has to: functions, what calls them, and their names.

The format is https://webassembly.github.io/spec/core/binary/. What no module of rustc's for wasm32-wasip1 has, as
vectors, threads or several memories, is [`Unknown`] here: nothing is passed over in silence.
"""

import dataclasses

CUSTOM, TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, START, ELEMENT, CODE, DATA, DATA_COUNT = range(13)
"""Sections."""

MAGIC = b"\0asm\1\0\0\0"
"""How a module begins."""

FUNCTION_TYPE = 0x60
"""How the type of a function begins; others begin otherwise."""

BLOCK, LOOP, IF, ELSE, END = 0x02, 0x03, 0x04, 0x05, 0x0B
UNREACHABLE, BR, BR_IF, BR_TABLE, RETURN = 0x00, 0x0C, 0x0D, 0x0E, 0x0F
CALL, CALL_INDIRECT, REF_FUNC, PREFIXED = 0x10, 0x11, 0xD2, 0xFC
DROP, I32_CONST = 0x1A, 0x41
"""Instructions by their codes, those that are looked at or written."""

NUMBERED = {BR, BR_IF, CALL, REF_FUNC, *range(0x20, 0x27)}
"""Instructions with one number behind them: a label, a function, a variable, a table."""

NUMBERS_BEHIND = (
    dict.fromkeys(NUMBERED, 1)
    | dict.fromkeys((CALL_INDIRECT, *range(0x28, 0x3F)), 2)
    # Blocks with their type, memory.size, memory.grow, i32.const, i64.const, ref.null: only where they end matters.
    | dict.fromkeys((BLOCK, LOOP, IF, 0x3F, 0x40, I32_CONST, 0x42, 0xD0), 1)
    | dict.fromkeys((UNREACHABLE, 0x01, ELSE, END, RETURN, DROP, 0x1B, *range(0x45, 0xC5), 0xD1), 0)
)
"""How many numbers stand behind an instruction."""

NUMBERS_BEHIND_PREFIXED = (
    dict.fromkeys(range(8), 0) | dict.fromkeys((8, 10, 12, 14), 2) | dict.fromkeys((9, 11, 13, 15, 16, 17), 1)
)
"""The same for what begins with 0xFC: conversions, then those of memories and tables."""

BYTES_BEHIND = {0x43: 4, 0x44: 8}
"""f32.const and f64.const."""

NAME = b"name"
BRANCH_HINT = b"metadata.code.branch_hint"
"""Custom sections: the names of functions, and https://github.com/WebAssembly/branch-hinting."""

OF_FUNCTIONS = 1
"""The part of the names that is about functions."""


class Unknown(Exception):
    """What this cannot read."""


def read_number(data, at):
    """An unsigned LEB128 number, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return value, at


def number(value):
    """The same, written."""
    written = b""
    while value >= 0x80:
        written += bytes([value & 0x7F | 0x80])
        value >>= 7
    return written + bytes([value])


def call(function):
    """A call of the function of that number."""
    return bytes([CALL]) + number(function)


def i32_const(value):
    """Puts an i32 that is not negative on the stack."""
    # The number is signed: its highest bit has to be clear.
    last = value.bit_length() // 7
    groups = [value >> 7 * place & 0x7F | (0x80 if place < last else 0) for place in range(last + 1)]
    return bytes([I32_CONST, *groups])


def read_sized(data, at):
    """Bytes after their length, and where they end."""
    length, begin = read_number(data, at)
    return data[begin : begin + length], begin + length


def sized(data):
    """The same, written."""
    return number(len(data)) + data


def vector(items):
    """Items after their count."""
    items = list(items)
    return number(len(items)) + b"".join(items)


@dataclasses.dataclass
class Instruction:
    """An instruction, where it begins and ends, and the number behind it if it is one of NUMBERED."""

    begin: int
    code: int
    number: int | None
    end: int


@dataclasses.dataclass
class Function:
    """A function: the number of its type, and its body as it stands. Of a branch, by its place in the body, there may
    be a hint: whether its condition is likely."""

    type: int
    body: bytes
    hints: dict[int, bool] = dataclasses.field(default_factory=dict)

    @property
    def begin(self):
        """Where the instructions begin, behind the variables."""
        count, at = read_number(self.body, 0)
        for _ in range(count):
            _, at = read_number(self.body, at)
            at += 1
        return at

    def instructions(self):
        """All instructions, as they stand."""
        return list(read_instructions(self.body, self.begin))

    def renumber(self, numbers):
        """Calls every function by its new number."""
        begin = self.begin
        parts = [self.body[:begin]]
        for one in self.instructions():
            if one.code in (CALL, REF_FUNC):
                parts.append(bytes([one.code]) + number(numbers[one.number]))
            else:
                parts.append(self.body[one.begin : one.end])
        self.body = b"".join(parts)


def read_instructions(data, at):
    """Instructions until the data ends."""
    while at < len(data):
        begin, code, value = at, data[at], None
        at += 1
        if code == BR_TABLE:
            count, at = read_number(data, at)
            count += 1
        elif code == PREFIXED:
            sort, at = read_number(data, at)
            count = NUMBERS_BEHIND_PREFIXED.get(sort)
        elif code in BYTES_BEHIND:
            at += BYTES_BEHIND[code]
            count = 0
        else:
            count = NUMBERS_BEHIND.get(code)
        if count is None:
            raise Unknown(f"instruction {data[begin : begin + 2].hex()}")
        for _ in range(count):
            value, at = read_number(data, at)
        yield Instruction(begin, code, value if code in NUMBERED else None, at)


class Module:
    """A module. Functions have numbers: imported ones come first, then those in `functions`."""

    def __init__(self, data):
        self._sections = list(_read_sections(data))
        found = dict(self._sections)
        _refuse_what_is_not_renumbered(found)
        self.imports = list(_read_imports(found.get(IMPORT, b"\0")))
        self.functions = list(_read_functions(found.get(FUNCTION, b"\0"), found.get(CODE, b"\0")))
        self.exports = list(_read_exports(found.get(EXPORT, b"\0")))
        self.names = {}
        """Names of functions by their numbers, if the module has them. Other names are not kept."""
        for kind, content in self._sections:
            name, at = read_sized(content, 0) if kind == CUSTOM else (None, 0)
            if name == NAME:
                self.names.update(_read_function_names(content, at))
            elif name == BRANCH_HINT:
                for key, hints in _read_hints(content, at):
                    self.functions[key - len(self.imports)].hints = hints
        # They are written anew.
        self._sections = [one for one in self._sections if not (one[0] == CUSTOM and _is_named(one[1], BRANCH_HINT))]

    def add_type(self, written):
        """Adds a type of functions, and returns its number."""
        found = dict(self._sections).get(TYPE)
        if found is None:
            raise Unknown("a module without types")
        count, at = read_number(found, 0)
        self._set(TYPE, number(count + 1) + found[at:] + written)
        return count

    def reorder(self, order):
        """Puts the functions in another order, given by their present numbers."""
        first = len(self.imports)
        assert sorted(order) == list(range(first, first + len(self.functions)))
        numbers = [*range(first), *order]
        for place, old in enumerate(order):
            numbers[old] = first + place
        self.functions = [self.functions[old - first] for old in order]
        for function in self.functions:
            function.renumber(numbers)
        self.exports = [(name, kind, numbers[of] if kind == 0 else of) for name, kind, of in self.exports]
        self.names = {numbers[key]: name for key, name in self.names.items()}
        found = dict(self._sections)
        if START in found:
            self._set(START, number(numbers[read_number(found[START], 0)[0]]))
        if ELEMENT in found:
            self._set(ELEMENT, vector(_renumbered_elements(found[ELEMENT], numbers)))

    def remove_custom(self):
        """Removes the names, and whatever else a virtual machine does not read."""
        self._sections = [(kind, content) for kind, content in self._sections if kind != CUSTOM]

    def serialize(self):
        """The bytes."""
        written = {
            FUNCTION: vector(number(one.type) for one in self.functions),
            EXPORT: vector(sized(name) + bytes([kind]) + number(of) for name, kind, of in self.exports),
            CODE: vector(sized(one.body) for one in self.functions),
        }
        sections = []
        for kind, content in self._sections:
            if kind == CODE and any(one.hints for one in self.functions):
                sections.append((CUSTOM, self._written_hints()))
            is_names = kind == CUSTOM and _is_named(content, NAME)
            sections.append((kind, self._written_names() if is_names else written.get(kind, content)))
        return MAGIC + b"".join(bytes([kind]) + sized(content) for kind, content in sections)

    def _written_hints(self):
        numbered = enumerate(self.functions, len(self.imports))
        hinted = (number(key) + _written_hints(one.hints) for key, one in numbered if one.hints)
        return sized(BRANCH_HINT) + vector(hinted)

    def _written_names(self):
        names = vector(number(key) + sized(name.encode()) for key, name in sorted(self.names.items()))
        return sized(NAME) + bytes([OF_FUNCTIONS]) + sized(names)

    def _set(self, kind, content):
        self._sections = [(one, content if one == kind else old) for one, old in self._sections]


def _written_hints(hints):
    """Where each branch is, the length of its hint, and the hint."""
    return vector(number(at) + b"\1" + bytes([likely]) for at, likely in sorted(hints.items()))


def _read_sections(data):
    if not data.startswith(MAGIC):
        raise Unknown("data that is no module")
    at = len(MAGIC)
    while at < len(data):
        kind = data[at]
        content, at = read_sized(data, at + 1)
        if kind > DATA_COUNT:
            raise Unknown(f"section {kind}")
        yield kind, content


def _refuse_what_is_not_renumbered(found):
    """Refuses what refers to functions or types in ways that are not followed here."""
    count, at = read_number(found.get(TYPE, b"\0"), 0)
    for _ in range(count):
        if found[TYPE][at] != FUNCTION_TYPE:
            raise Unknown("types of other things than functions")
        at += 1
        for _ in range(2):
            values, at = read_sized(found[TYPE], at)
            # A reference to one of the types takes more than a byte.
            if any(value < 0x6F for value in values):
                raise Unknown("references to types")
    for kind, what in ((MEMORY, "memories"), (TABLE, "tables")):
        if found.get(kind, b"\0")[0] > 1:
            raise Unknown(f"several {what}")
    if found.get(TABLE, b"").startswith(b"\1\x40"):
        raise Unknown("a table that is filled with a function")
    count, at = read_number(found.get(GLOBAL, b"\0"), 0)
    for _ in range(count):
        for one in read_instructions(found[GLOBAL], at + 2):
            if one.code == REF_FUNC:
                raise Unknown("a variable that holds a function")
            if one.code == END:
                at = one.end
                break


def _read_imports(content):
    """Names, of functions alone: a proxy offers nothing else."""
    count, at = read_number(content, 0)
    for _ in range(count):
        _, at = read_sized(content, at)
        name, at = read_sized(content, at)
        if content[at] != 0:
            raise Unknown(f"import {name.decode()}, which is no function")
        _, at = read_number(content, at + 1)
        yield name


def _read_functions(types, code):
    count, at = read_number(types, 0)
    _, here = read_number(code, 0)
    for _ in range(count):
        kind, at = read_number(types, at)
        body, here = read_sized(code, here)
        yield Function(kind, body)


def _read_exports(content):
    """A name, the kind of thing (0 for functions), and its number."""
    count, at = read_number(content, 0)
    for _ in range(count):
        name, at = read_sized(content, at)
        kind = content[at]
        of, at = read_number(content, at + 1)
        yield name, kind, of


def _is_named(custom, name):
    return custom.startswith(sized(name))


def _read_function_names(content, at):
    while at < len(content):
        kind = content[at]
        part, at = read_sized(content, at + 1)
        count, here = read_number(part, 0) if kind == OF_FUNCTIONS else (0, 0)
        for _ in range(count):
            key, here = read_number(part, here)
            name, here = read_sized(part, here)
            yield key, name.decode()


def _read_hints(content, at):
    """The hints of each function, by its number."""
    count, at = read_number(content, at)
    for _ in range(count):
        key, at = read_number(content, at)
        of_it, at = read_number(content, at)
        hints = {}
        for _ in range(of_it):
            branch, at = read_number(content, at)
            hints[branch], at = content[at + 1] == 1, at + 2
        yield key, hints


def _renumbered_elements(content, numbers):
    """The parts of tables, with functions by their new numbers."""
    count, at = read_number(content, 0)
    for _ in range(count):
        begin = at
        sort, at = read_number(content, at)
        if sort != 0:
            raise Unknown(f"elements of sort {sort}")
        at = next(one.end for one in read_instructions(content, at) if one.code == END)
        head = content[begin:at]
        length, at = read_number(content, at)
        functions = []
        for _ in range(length):
            function, at = read_number(content, at)
            functions.append(number(numbers[function]))
        yield head + vector(functions)
