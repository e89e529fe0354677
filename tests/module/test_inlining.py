"""tools/inlining.py: what the module does stays, and every large function of it has spent V8's sixty."""

import wasmtime
from envoy import MODULE
from inlining import (
    CALL,
    CODE,
    END,
    IMPORTS,
    LARGE,
    SIXTY,
    bound_inlining,
    imported_functions,
    number,
    read_bodies,
    read_sections,
    without_locals,
)

TEXT = """
(module
  (import "env" "twice" (func $twice (param i32) (result i32)))
  (func $large (export "large") (param i32) (result i32)
    (local i64 i32 i32) (local.set 2 (call $twice (local.get 0))) {padding} (call $small (local.get 2)))
  (func $small (export "small") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
""".replace("{padding}", "(nop)" * LARGE)
"""One function is large and has locals of its own, one is small."""


def run(module, name):
    """What a function makes of 20, and the instructions that it takes."""
    configuration = wasmtime.Config()
    configuration.consume_fuel = True
    store = wasmtime.Store(wasmtime.Engine(configuration))
    store.set_fuel(1_000_000)
    i32 = wasmtime.ValType.i32()
    twice = wasmtime.Func(store, wasmtime.FuncType([i32], [i32]), lambda value: 2 * value)
    exports = wasmtime.Instance(store, wasmtime.Module(store.engine, module), [twice]).exports(store)
    return exports[name](store, 20), 1_000_000 - store.get_fuel()


def test_a_function_does_what_it_did_for_four_instructions_more():
    before = bytes(wasmtime.wat2wasm(TEXT))
    after = bound_inlining(before)
    result, fuel = run(before, "large")
    assert result == 41
    assert run(after, "large") == (result, fuel + 4)
    assert run(after, "small") == run(before, "small")


def test_every_large_function_of_the_module_calls_the_sixty_first():
    content = dict(read_sections(MODULE.read_bytes()))
    *bodies, empty, sixty = read_bodies(content[CODE])
    imported = imported_functions(content[IMPORTS])
    assert empty == b"\0" + END
    assert sixty.count(CALL + number(imported + len(bodies))) == SIXTY
    call = CALL + number(imported + len(bodies) + 1)
    large = 0
    for body in bodies:
        begins = body[without_locals(body) :].startswith(call)
        assert begins == (len(body) - begins * len(call) >= LARGE)
        large += begins
    assert large > 100
