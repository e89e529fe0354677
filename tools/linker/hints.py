"""Tells the virtual machine which branches are hardly ever taken, so that it moves what they lead to out of the way.

A request runs through a small part of each function that it calls. In between stands what is for panics and for what
is seldom: without hints V8 leaves all in the order of the text, and the processor reads one to come to the other. V8
reads hints from 13.7 on, which all supported Envoys have; others pass them over. The format is
https://github.com/WebAssembly/branch-hinting.

A branch is unlikely if it can only end at `unreachable`, which is a panic; or, in a function that requests run, if it
must call one that they do not run (hot_functions.txt).
"""

from wasm import BLOCK, BR, BR_IF, BR_TABLE, CALL, ELSE, END, IF, LOOP, RETURN, UNREACHABLE, read_number


def add_hints(module, hot):
    """Gives the branches of all functions their hints. `hot` are the numbers of the functions that requests run."""
    first = len(module.imports)
    cold = {first + place for place in range(len(module.functions))} - set(hot)
    for place, function in enumerate(module.functions):
        function.hints = _hints(function, cold if first + place in hot else set())


def _hints(function, cold):
    """Hints by the place of a branch, where one way is unlikely and the other is not."""
    instructions = function.instructions()
    ways = list(_ways(function.body, instructions))
    # From the last instruction to the first, for nearly all ways lead on; a way back, to a loop's beginning, is none
    # that must end anywhere. Behind the last instruction the function returns.
    unlikely = [False] * (len(instructions) + 1)
    for index in range(len(instructions) - 1, -1, -1):
        one = instructions[index]
        unlikely[index] = (
            one.code == UNREACHABLE
            or (one.code == CALL and one.number in cold)
            or (one.code != RETURN and all(index < way and unlikely[way] for way in ways[index]))
        )
    hints = {}
    for one, (following, *others) in zip(instructions, ways, strict=True):
        if one.code in (BR_IF, IF):
            # `br_if` goes elsewhere where its condition holds, `if` goes on.
            holds, fails = (others[0], following) if one.code == BR_IF else (following, others[0])
            if unlikely[holds] != unlikely[fails]:
                hints[one.begin] = unlikely[fails]
    return hints


def _ways(body, instructions):
    """Where an instruction may lead: to the indexes of instructions, the following one first if it is one."""
    ends, elses = {}, {}
    opened = []
    for index, one in enumerate(instructions):
        if one.code in (BLOCK, LOOP, IF):
            opened.append(index)
        elif one.code == ELSE:
            elses[opened[-1]] = index
        elif one.code == END and opened:
            ends[opened.pop()] = index
    # All are closed again, and are opened once more below.

    def label(depth):
        if depth == len(opened):
            return len(instructions)
        target = opened[-1 - depth]
        return target if instructions[target].code == LOOP else ends[target] + 1

    for index, one in enumerate(instructions):
        following = index + 1
        if one.code in (BLOCK, LOOP, IF):
            opened.append(index)
        if one.code == BR:
            yield [label(one.number)]
        elif one.code == BR_IF:
            yield [following, label(one.number)]
        elif one.code == BR_TABLE:
            yield [label(depth) for depth in _labels(body, one)]
        elif one.code == IF:
            yield [following, elses[index] + 1 if index in elses else ends[index] + 1]
        elif one.code == ELSE:
            yield [ends[opened[-1]] + 1]
        elif one.code == END and not opened:
            yield [len(instructions)]
        else:
            yield [following]
        if one.code == END and opened:
            opened.pop()


def _labels(body, instruction):
    """The labels of a `br_table`."""
    count, at = read_number(body, instruction.begin + 1)
    for _ in range(count + 1):
        depth, at = read_number(body, at)
        yield depth
