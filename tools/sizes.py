"""`make sizes`: where the bytes of the module are, by the crate whose functions they belong to.

A function of a library that is made for a type of another counts for the library. Code that was inlined counts for where
it was inlined.
"""

import collections
import pathlib
import re
import sys

NAMES, CODE, DATA, CUSTOM = 1, 10, 11, 0
"""Of the WebAssembly specification: the subsection of function names, and sections."""

IMPORT = 2


class Reader:
    """Reads the binary format."""

    def __init__(self, data, start=0):
        self.data, self.place = data, start

    def number(self):
        value = shift = 0
        while True:
            byte = self.data[self.place]
            self.place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def bytes(self):
        length = self.number()
        self.place += length
        return self.data[self.place - length : self.place]


def sections(data):
    reader = Reader(data, 8)
    while reader.place < len(data):
        kind = data[reader.place]
        reader.place += 1
        yield kind, reader.bytes()


def imported_functions(section):
    reader = Reader(section)
    count = 0
    for _ in range(reader.number()):
        reader.bytes(), reader.bytes()
        assert section[reader.place] == 0, "only functions are imported"
        reader.place += 1
        reader.number()
        count += 1
    return count


def function_sizes(section):
    reader = Reader(section)
    return [len(reader.bytes()) for _ in range(reader.number())]


def function_names(section):
    reader = Reader(section)
    if reader.bytes() != b"name":
        return {}
    while reader.place < len(section):
        kind = section[reader.place]
        reader.place += 1
        names = Reader(reader.bytes())
        if kind == NAMES:
            return {names.number(): names.bytes().decode() for _ in range(names.number())}
    return {}


def crate(name):
    """The crate of a mangled name, and the module for this one; what has none is C of the WASI library."""
    if name.startswith("_R"):
        found = re.search(r"C[a-zA-Z0-9]*_\d+([a-z][a-z0-9_]*)", name)
        return found[1] if found else "std"
    if not name.startswith("_ZN"):
        return "wasi-libc and exports"
    length = re.match(r"_ZN(\d+)", name)
    start = length.end()
    path = [name[start : start + int(length[1])]]
    if path[0].startswith("_$LT$"):
        # `<crate..module..Type as …>::function`
        path = re.sub(r"^_\$LT\$(\$RF\$|\$u5b\$|\(|mut )*", "", path[0]).split("..")
    else:
        following = re.match(r"(\d+)", name[start + len(path[0]) :])
        if following:
            begin = start + len(path[0]) + following.end()
            path.append(name[begin : begin + int(following[1])])
    owner = re.match(r"[a-z0-9_]+", path[0])
    owner = owner[0] if owner else "core"
    return f"basic_auth::{path[1]}" if owner == "basic_auth" and len(path) > 1 else owner


def main(file):
    data = pathlib.Path(file).read_bytes()
    parts = [(kind, section) for kind, section in sections(data)]
    imports = next((imported_functions(section) for kind, section in parts if kind == IMPORT), 0)
    names = next(filter(None, (function_names(section) for kind, section in parts if kind == CUSTOM)), {})
    sizes = next(function_sizes(section) for kind, section in parts if kind == CODE)
    by = collections.Counter()
    for number, size in enumerate(sizes, imports):
        by[crate(names.get(number, ""))] += size
    by["constants and tables"] = sum(len(section) for kind, section in parts if kind == DATA)
    total = sum(by.values())
    print(f"{total:,} bytes of functions and data\n\n| part | bytes | |\n| --- | ---: | ---: |")
    large = [(f"`{part}`", size) for part, size in by.most_common() if size >= total / 100]
    for part, size in [*large, ("parts of less than 1 %", total - sum(size for _, size in large))]:
        print(f"| {part} | {size:,} | {100 * size / total:.0f} % |")


if __name__ == "__main__":
    main(sys.argv[1])
