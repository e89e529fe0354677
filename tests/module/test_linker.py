"""tools/linker: what the module does stays; its hot functions come first, and large ones have spent V8's sixty."""

import hot
import hot_functions
import pytest
import wasmtime
import workload
from envoy import MODULE
from hints import add_hints
from host import Module as Compiled
from inlining import LARGE, SIXTY, bound_inlining
from wasm import END, Module, Unknown, call

TEXT = """
(module
  (type $unused (func))
  (import "env" "twice" (func $twice (param i32) (result i32)))
  (table 2 funcref) (elem (i32.const 0) $small $small)
  (global $started (mut i32) (i32.const 0))
  (func $start (global.set $started (i32.const 1)))
  (start $start)
  (func $large (export "large") (param i32) (result i32)
    (local i64 i32 i32) (local.set 2 (call $twice (local.get 0))) {padding} (call $small (local.get 2)))
  (func $small (export "small") (param i32) (result i32) (i32.add (local.get 0) (global.get $started)))
  (func $by_table (export "by_table") (param i32) (result i32)
    (call_indirect (param i32) (result i32) (local.get 0) (i32.const 1)))
  (func $numbers (export "numbers") (param i32) (result i32)
    (drop (i64.const -9000000000)) (drop (f32.const 1.5)) (drop (f64.const -2.5))
    (drop (i64.trunc_sat_f64_s (f64.const 3)))
    (block (block (block (br_table 0 1 2 (local.get 0))))) (local.get 0)))
""".replace("{padding}", "(nop)" * LARGE)
"""One function is large and has variables of its own; the others have all that a reordering has to change."""


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
    module = Module(before)
    bound_inlining(module)
    after = module.serialize()
    result, fuel = run(before, "large")
    assert result == 41
    assert run(after, "large") == (result, fuel + 4)
    assert run(after, "small") == run(before, "small")


def test_every_large_function_of_the_module_calls_the_sixty_first():
    module = Module(MODULE.read_bytes())
    *functions, empty, sixty = module.functions
    number = len(module.imports) + len(functions)
    assert empty.body == bytes([0, END])
    assert sixty.body.count(call(number)) == SIXTY
    call_of_sixty = call(number + 1)
    large = 0
    for function in functions:
        begins = function.body[function.begin :].startswith(call_of_sixty)
        assert begins == (len(function.body) - begins * len(call_of_sixty) >= LARGE)
        large += begins
    assert large > 100


def test_functions_in_another_order_do_the_same():
    before = bytes(wasmtime.wat2wasm(TEXT))
    for reorder in (reversed, lambda numbers: [*numbers[2:], *numbers[:2]]):
        module = Module(before)
        module.reorder(list(reorder(range(1, 1 + len(module.functions)))))
        after = module.serialize()
        assert after != before
        for name in ("large", "small", "by_table", "numbers"):
            assert run(after, name) == run(before, name)


def test_the_module_in_another_order_decides_the_same_for_as_many_instructions(module, tmp_path):
    reordered = Module(MODULE.read_bytes())
    reordered.remove_custom()
    first = len(reordered.imports)
    reordered.reorder(list(reversed(range(first, first + len(reordered.functions)))))
    (tmp_path / "reordered.wasm").write_bytes(reordered.serialize())
    plugins = [one.plugin(workload.rules(3)) for one in (module, Compiled(tmp_path / "reordered.wasm"))]
    for path, credential in workload.cases(3).values():
        one, other = (plugin.request(workload.request(path, credential=credential)) for plugin in plugins)
        assert one == other


def test_a_module_is_written_as_it_was_read():
    with_names = Module(bytes(wasmtime.wat2wasm(TEXT)))
    assert with_names.names[1] == "start"
    # Only functions keep theirs.
    for data in (MODULE.read_bytes(), with_names.serialize(), bytes(wasmtime.wat2wasm("(module)"))):
        assert Module(data).serialize() == data


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("(func (drop (v128.const i32x4 0 0 0 0)))", "instruction fd0c"),
        ('(import "env" "memory" (memory 1))', "import memory, which is no function"),
        ("(table 1 funcref) (func $f) (elem declare func $f)", "elements of sort 3"),
        ("(func $f) (global funcref (ref.func $f))", "a variable that holds a function"),
        ("(func $f) (table 1 funcref (ref.func $f))", "a table that is filled with a function"),
        ("(table 1 funcref) (table 1 funcref)", "several tables"),
        ("(memory 1) (memory 1)", "several memories"),
        ("(rec (type (func)))", "types of other things than functions"),
        ("(type $t (func)) (func (param (ref null $t)))", "references to types"),
        ("(tag)", "section 13"),
    ],
)
def test_what_it_cannot_read_it_names(text, what):
    with pytest.raises(Unknown, match=what):
        module = Module(bytes(wasmtime.wat2wasm(f"(module {text})")))
        module.reorder(list(range(len(module.functions))))


def test_what_has_no_functions_or_is_no_module_is_told():
    with pytest.raises(Unknown, match="a module without types"):
        bound_inlining(Module(bytes(wasmtime.wat2wasm("(module)"))))
    with pytest.raises(Unknown, match="data that is no module"):
        Module(b"\0asm\x0d\0\1\0")


def test_the_functions_that_requests_run_come_first():
    names = hot_functions.names_of_hot_functions()
    assert names == hot.hot_names(), "run `make hot-functions`"
    module = Module(hot_functions.NAMED.read_bytes())
    first = len(module.imports)
    assert [hot.stable(module.names[first + rank]) for rank in range(len(names))] == names
    # What has the names is the module.
    module.remove_custom()
    assert module.serialize() == MODULE.read_bytes()


HINTED = """
(module
  (func $cold) (func $hot)
  (func $branches (param i32)
    ;; 0, 1: a panic behind `if`, and behind its `else`
    (if (local.get 0) (then unreachable))
    (if (local.get 0) (then (call $hot)) (else (drop (i32.const 1)) unreachable))
    ;; 2: none of both
    (if (local.get 0) (then (call $hot)) (else (return)))
    ;; 3: a panic that is jumped over; 4: one that is jumped to, through another block
    (block (br_if 0 (local.get 0)) unreachable)
    (block $out (block $panic (block (br_if $panic (local.get 0)) (call $hot) (br $out))) unreachable)
    ;; 5: what requests do not run, and then goes on
    (if (local.get 0) (then (call $cold) (call $hot)))
    ;; 6: all ways of a table are panics
    (if (local.get 0) (then (block (block (br_table 0 1 (local.get 0))) unreachable) unreachable))
    ;; 7: a loop's beginning is no panic, whatever comes behind it
    (loop $again (br_if $again (local.get 0)))
    ;; 8: both are
    (if (local.get 0) (then unreachable) (else unreachable))))
"""


@pytest.mark.parametrize(
    ("hot", "likely"),
    [
        ({1, 2}, {0: False, 1: True, 3: True, 4: False, 5: False, 6: False, 7: True}),
        # In what requests do not run, what they do not run is as likely as anything.
        (set(), {0: False, 1: True, 3: True, 4: False, 6: False, 7: True}),
    ],
)
def test_branches_that_must_panic_are_unlikely(hot, likely):
    module = Module(bytes(wasmtime.wat2wasm(HINTED)))
    add_hints(module, hot)
    branches = [one.begin for one in module.functions[2].instructions() if one.code in (0x04, 0x0D)]
    assert {branches.index(at): hint for at, hint in module.functions[2].hints.items()} == likely
    # Every virtual machine takes it.
    written = module.serialize()
    wasmtime.Module(wasmtime.Engine(), written)
    assert written.count(b"metadata.code.branch_hint") == 1
    again = Module(written)
    assert again.functions[2].hints == module.functions[2].hints
    # They keep to their function, and there is one list of them.
    again.reorder([2, 1, 0])
    assert again.functions[0].hints == module.functions[2].hints
    assert again.serialize().count(b"metadata.code.branch_hint") == 1
