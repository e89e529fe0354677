"""Keeps V8 from inlining what a module is the slower to start for.

Envoy compiles a module before it serves, with V8's optimising compiler alone. Run so, V8 inlines into every function
what that function calls, call after call as they stand, up to twice the function's own bytes or sixty functions. It
cannot know what is called often; in a module made by rustc, which has inlined already, it is the telling of panics for
the most part, and nearly half the time of compilation goes there.

So each function of some size first calls one that has sixty calls of an empty function behind a branch that is always
taken. V8 inlines these sixty, of which nothing is left once compiled, and then no more. Requests cost what they cost
before (docs/cost.md). Whoever compiles in another way executes four instructions more in each such call.
"""

from wasm import BLOCK, BR_IF, END, Function, call, i32_const

SIXTY = 60
"""V8's kMaxInlinedCount."""

LARGE = 350
"""Bytes from which a function is large. A smaller one calls little, and requests run through many of them."""

NOTHING = b"\x60\0\0"
"""The type of a function that takes and gives nothing."""

BLOCK_OF_NOTHING = bytes([BLOCK, 0x40])
"""The beginning of a block that gives nothing."""


def bound_inlining(module):
    """Puts such a call at the beginning of each large function."""
    empty = len(module.imports) + len(module.functions)
    call_of_sixty = call(empty + 1)
    for function in module.functions:
        if len(function.body) >= LARGE:
            begin = function.begin
            function.body = function.body[:begin] + call_of_sixty + function.body[begin:]
    kind = module.add_type(NOTHING)
    no_variables, end = b"\0", bytes([END])
    sixty = BLOCK_OF_NOTHING + i32_const(1) + bytes([BR_IF, 0]) + SIXTY * call(empty) + end
    module.functions += [Function(kind, no_variables + end), Function(kind, no_variables + sixty + end)]
