"""Every request is decided by the configuration of its own root context, in whatever order the host calls.

Several plugins of one module share a virtual machine, and an update is in it beside what it replaces. Envoy tells of
the headers of a request right after it began; the module relies on nothing of that for what it lets pass.
"""

import itertools
import random

import pytest
import workload
from hashes import DEARER_SECRET7
from host import OK, PAUSE, REQUEST

PASSED, KEPT = 0, 2
"""Answers to a piece of a body."""


def protecting(path):
    return {"basic_auth_rules": [{"prefix": path, "credentials": ["user:password"]}]}


SLOW = {"basic_auth_rules": [{"prefix": "/slow", "htpasswd": f"dear:{DEARER_SECRET7}"}]}
RIGHT = ("dear", "secret7")


@pytest.fixture
def plugin(module):
    """A virtual machine whose first root context protects /1."""
    return module.plugin(protecting("/1"))


def decided(plugin, root, *paths):
    return [plugin.request(workload.request(path), root=root).status for path in paths]


def test_each_of_two_plugins_has_its_own_rules(plugin):
    second = plugin.add(protecting("/2"))
    for _ in range(3):
        assert decided(plugin, 1, "/1", "/2") == [401, None]
        assert decided(plugin, second, "/1", "/2") == [None, 401]


def test_requests_of_several_plugins_may_be_open_together(plugin):
    roots = [1, plugin.add(protecting("/2")), plugin.add(protecting("/3"))]
    for order in itertools.permutations(range(3)):
        streams = [plugin.open(workload.request("/1"), root=root) for root in roots]
        assert [stream.outcome().status for stream in streams] == [401, None, None]
        assert [stream.chunk(9) for stream in streams] == [KEPT, PASSED, PASSED]
        assert [stream.trailers() for stream in streams] == [PAUSE, PASSED, PASSED]
        for place in order:
            streams[place].close()


def test_headers_may_come_after_other_requests_began(plugin):
    roots = [1, plugin.add(protecting("/2"))]
    for order in itertools.permutations(range(4)):
        streams = [plugin.begin(workload.request("/1"), root=roots[place % 2]) for place in range(4)]
        answers = {place: streams[place].send_headers() for place in order}
        assert [answers[place] for place in range(4)] == [PAUSE, PASSED] * 2
        assert [stream.outcome().status for stream in streams] == [401, None] * 2
        for stream in streams:
            stream.close()


def test_a_plugin_is_replaced_while_requests_of_both_are_open(plugin):
    before = plugin.open(workload.request("/1"))
    update = plugin.add(protecting("/2"))
    assert decided(plugin, update, "/1", "/2") == [None, 401]
    during = plugin.open(workload.request("/2"))
    plugin.delete(1)
    assert decided(plugin, update, "/1", "/2") == [None, 401]
    assert before.outcome().status == 401 and during.outcome().status is None
    assert (before.chunk(9), during.chunk(9)) == (KEPT, PASSED)
    before.close()
    during.close()
    assert decided(plugin, update, "/1", "/2") == [None, 401]


def test_requests_wait_under_the_plugin_that_they_came_to(module):
    plugin = module.plugin(SLOW)
    waiting = plugin.open(workload.request("/slow", credential=RIGHT))
    update = plugin.add(protecting("/2"))
    assert waiting.outcome().paused and waiting.chunk(9) == KEPT
    assert decided(plugin, update, "/slow", "/2") == [None, 401]
    plugin.settle(waiting)
    assert waiting.outcome().status is None and waiting.chunk(9) == PASSED
    waiting.close()


def test_whoever_waits_when_a_plugin_ends_is_answered(module):
    plugin = module.plugin(SLOW)
    waiting = plugin.open(workload.request("/slow", credential=RIGHT))
    second = plugin.add(protecting("/2"))
    plugin.delete(1)
    assert waiting.outcome().status == 429 and waiting.chunk(9) == KEPT
    waiting.close()
    assert decided(plugin, second, "/slow", "/2") == [None, 401]


def test_whoever_waits_when_a_root_context_is_made_again_is_answered(module):
    plugin = module.plugin(SLOW)
    waiting = plugin.open(workload.request("/slow", credential=RIGHT))
    plugin.add(protecting("/2"), number=1)
    assert waiting.outcome().status == 429 and waiting.chunk(9) == KEPT
    waiting.close()
    assert decided(plugin, 1, "/slow", "/2") == [None, 401]


def test_a_request_of_a_plugin_that_is_gone_is_refused(plugin):
    begun = [plugin.begin(workload.request("/open")) for _ in range(3)]
    plugin.delete(1)
    assert [stream.send_headers() for stream in begun] == [PAUSE] * 3
    assert [stream.outcome().status for stream in begun] == [503] * 3
    assert [stream.chunk(9) for stream in begun] == [KEPT] * 3


def test_a_number_that_is_used_again_brings_no_request_along(plugin):
    """Those that began under the one before are none of the new one's."""
    begun = [plugin.begin(workload.request("/1")) for _ in range(3)]
    plugin.delete(1)
    plugin.add(protecting("/2"), number=1)
    for stream in begun:
        stream.send_headers()
        assert stream.outcome().status == 503
        stream.close()
    assert decided(plugin, 1, "/1", "/2") == [None, 401]


def test_a_configuration_that_is_replaced_holds_for_requests_that_began(plugin):
    begun = [plugin.begin(workload.request("/2")) for _ in range(3)]
    plugin.reconfigure(protecting("/2"))
    assert [stream.send_headers() for stream in begun] == [PAUSE] * 3
    assert [stream.outcome().status for stream in begun] == [401] * 3


def test_a_request_of_an_unknown_plugin_is_refused(plugin):
    for root in (77, 1 << 31, (1 << 32) - 1):
        stream = plugin.begin(workload.request("/open"), root=root)
        assert (stream.send_headers(), stream.outcome().status, stream.chunk(9)) == (PAUSE, 503, KEPT)
        stream.close()
    assert decided(plugin, 1, "/1", "/2") == [401, None]


def test_headers_of_what_did_not_begin_are_refused(plugin):
    stream = plugin.begin(workload.request("/open"))
    plugin.delete(stream.identity)
    assert (stream.send_headers(), stream.outcome().status) == (PAUSE, 503)
    stream.close()


@pytest.mark.parametrize("others", [0, 1, 3])
def test_headers_count_once(module, others):
    """Whatever comes later: an answer is not taken back, and what waits goes on waiting."""
    plugin = module.plugin({"basic_auth_rules": [*protecting("/1")["basic_auth_rules"], *SLOW["basic_auth_rules"]]})
    refused = plugin.open(workload.request("/1"))
    waiting = plugin.open(workload.request("/slow", credential=RIGHT))
    kept = [plugin.open(workload.request("/1")) for _ in range(others)]
    for stream in (refused, waiting, *kept):
        stream.maps[REQUEST] = [(b":method", b"GET"), (b":path", b"/open"), (b":authority", b"test")]
        assert (stream.send_headers(), stream.chunk(9)) == (PAUSE, KEPT)
    plugin.settle(waiting)
    assert waiting.outcome().status is None and waiting.chunk(9) == PASSED
    assert waiting.send_headers() == PASSED


def test_nothing_of_a_request_passes_before_its_headers(plugin):
    begun = [plugin.begin(workload.request("/1")) for _ in range(3)]
    assert [stream.chunk(9) for stream in begun] == [KEPT] * 3
    assert [stream.trailers() for stream in begun] == [PAUSE] * 3
    assert [stream.send_headers() for stream in begun] == [PAUSE] * 3
    assert [stream.chunk(9) for stream in begun] == [KEPT] * 3


def test_what_is_deleted_twice_or_was_never_there_changes_nothing(plugin):
    second = plugin.add(protecting("/2"))
    for root, statuses in ((1, [401, None]), (second, [None, 401])):
        begun = plugin.begin(workload.request("/1"), root=root)
        answered = [plugin.open(workload.request(f"/{root if root == 1 else 2}"), root=root) for _ in range(2)]
        for number in (0, 99, 99, (1 << 32) - 1, *(stream.identity for stream in answered for _ in range(2))):
            plugin.delete(number)
        begun.send_headers()
        assert begun.outcome().status == statuses[0]
        assert decided(plugin, root, "/1", "/2") == statuses
        begun.close()


def test_numbers_wrap_around(plugin):
    plugin._ids = itertools.chain(range((1 << 32) - 4, 1 << 32), itertools.count(2))
    second = plugin.add(protecting("/2"))
    for _ in range(4):
        assert decided(plugin, 1, "/1", "/2") == [401, None]
        assert decided(plugin, second, "/1", "/2") == [None, 401]


def test_a_root_context_that_is_made_again_begins_anew(plugin):
    waiting = plugin.begin(workload.request("/2"))
    plugin.add(protecting("/2"), number=1)
    waiting.send_headers()
    assert waiting.outcome().status == 401
    assert decided(plugin, 1, "/1", "/2") == [None, 401]


def test_ticks_and_answers_for_a_root_context_that_is_not_there_change_nothing(plugin):
    for root in (0, 99, (1 << 32) - 1):
        plugin._call("proxy_on_tick", root)
        plugin._call("proxy_on_http_call_response", root, 1, 0, 0, 0)
        begun = plugin.begin(workload.request("/open"), root=root)
        begun.send_headers()
        assert begun.outcome().status == 503
        begun.close()
    assert decided(plugin, 1, "/1", "/2") == [401, None]


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_calls_decides_each_request_by_its_own_plugin(module, seed):
    draw = random.Random(seed)
    plugin = module.plugin(protecting("/1"))
    paths, begun, opened = {1: "/1"}, [], []
    for step in range(400):
        match draw.choice(["add", "delete", "begin", "begin", "headers", "headers", "open", "close", "body"]):
            case "add" if len(paths) < 4:
                path = f"/{step + 2}"
                paths[plugin.add(protecting(path))] = path
            case "delete" if len(paths) > 1:
                root = draw.choice(list(paths))
                plugin.delete(root)
                del paths[root]
            case "begin":
                root = draw.choice(list(paths))
                is_covered = draw.random() < 0.5
                path = paths[root] if is_covered else draw.choice([*paths.values(), "/open"])
                begun.append((plugin.begin(workload.request(path), root=root), path == paths[root]))
            case "headers" if begun:
                stream, is_covered = begun.pop(draw.randrange(len(begun)))
                status = (401 if is_covered else None) if stream.root in paths else 503
                stream.send_headers()
                assert stream.outcome().status == status
                opened.append((stream, KEPT if status else PASSED))
            case "body" if opened:
                stream, answer = draw.choice(opened)
                assert stream.chunk(9) == answer
            case "close" if opened:
                opened.pop(draw.randrange(len(opened)))[0].close()
            case _:
                pass


def test_requests_of_several_plugins_leave_nothing_behind(module):
    plugin = module.plugin(SLOW)
    second = plugin.add(protecting("/2"))

    def some(number):
        for _ in range(number):
            streams = [plugin.begin(workload.request("/slow", credential=RIGHT))]
            streams += [plugin.begin(workload.request("/2"), root=second) for _ in range(3)]
            for stream in streams[:3]:
                stream.send_headers()
            for stream in streams:
                stream.close()
            root = plugin.add(protecting("/3"))
            plugin.open(workload.request("/3"), root=root).close()
            plugin.delete(root)

    some(50)
    before = plugin.memory
    some(500)
    assert plugin.memory == before


# The memory that headers are handed over in


def headers(length):
    return [*workload.request("/1"), ("x-long", "a" * length)]


@pytest.mark.parametrize("length", [0, 1, 1_000, 65_000, 66_000, 1_000_000])
def test_headers_may_be_of_any_size(plugin, length):
    for size in (length, 0, length, length + 1, length):
        assert plugin.request(headers(size)).status == 401


def test_memory_for_large_headers_is_given_back(plugin):
    plugin.request(headers(1_000_000))
    before = plugin.memory
    for _ in range(50):
        plugin.request(headers(1_000_000))
        plugin.request(headers(10))
    assert plugin.memory == before


def test_no_headers_of_another_request_are_taken_for_those_that_did_not_come(plugin):
    """Whatever a host does with the memory that it was offered."""
    given, right = plugin._give, ("user", "password")

    def nothing(_data, where, size):
        return given(b"", where, size)

    def fails(data, where, size):
        given(data, where, size)
        return 10

    def fails_at_once(_data, _where, _size):
        return 10

    def twice(data, where, size):
        plugin._allocate(plugin._store, len(data))
        return given(data, where, size)

    def place(data, where, size):
        given(data, where, size)
        return int.from_bytes(plugin._read(where, 4), "little")

    last = [0]

    def as_before(_data, where, size):
        plugin._write_word(where, last[0])
        plugin._write_word(size, 200)
        return OK

    def too_many(data, where, size):
        last[0] = place(data, where, size)
        plugin._write_word(size, 1 << 30)
        return OK

    for hand_over, status in [
        (nothing, 503),
        (fails, 503),
        (fails_at_once, 503),
        (twice, None),
        (too_many, 503),
        (as_before, 503),
    ]:
        # The memory is as large as these are.
        plugin.hand_over = given
        assert plugin.request(workload.request("/1", credential=right)).status is None
        assert plugin.request(workload.request("/1", credential=right)).status is None
        plugin.hand_over = hand_over
        outcome = plugin.request(workload.request("/1", credential=right))
        assert outcome.status == status, hand_over.__name__
    plugin.hand_over = given
    for _ in range(100):
        assert decided(plugin, 1, "/1", "/2") == [401, None]


def test_what_is_handed_over_while_headers_are_asked_for_is_in_memory_of_its_own(plugin):
    """A host may call back within any call; what it hands over then is no header."""
    given = plugin._give
    second = plugin.add(protecting("/2"))

    def configures(data, where, size):
        plugin.hand_over = given
        plugin._effective = second
        plugin._call("proxy_on_configure", second, len(plugin._configuration))
        plugin._effective = max(plugin.streams)
        return given(data, where, size)

    for _ in range(20):
        plugin.hand_over = configures
        assert decided(plugin, 1, "/1", "/2") == [401, None]
        assert decided(plugin, second, "/1", "/2") == [None, 401]
