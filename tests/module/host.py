"""A proxy-wasm host (ABI 0.2.1) small enough to read, that counts what a module asks of it.

    module = Module("target/basic_auth.wasm")
    plugin = module.plugin({"basic_auth_rules": [...]})
    outcome = plugin.request([(":method", "GET"), (":path", "/"), (":authority", "test")])
    outcome.status, outcome.calls, outcome.fuel

It calls a module the way Envoy does: every stream callback that the module exports, in Envoy's order. Nothing in it
depends on the machine: time stands still until a test moves it, or passes with the instructions of a tick, and random
bytes are fixed, so the same module and the same requests give the same counts anywhere. Fuel is wasmtime's count of
executed instructions; a bulk copy or fill counts as one, and the work of the host is not in it: that is what the host
calls are counted for.
"""

import collections
import dataclasses
import functools
import itertools
import json

import wasmtime

OK, NOT_FOUND, CAS_MISMATCH, UNIMPLEMENTED = 0, 1, 8, 12
"""Answers of proxy-wasm functions."""

NO_SUCH_CALL = 52
"""The answer of WASI functions that Envoy does not have (ENOSYS)."""

REQUEST, RESPONSE = 0, 2
"""Header maps."""

REQUEST_BODY, VM_CONFIGURATION, PLUGIN_CONFIGURATION = 0, 6, 7
"""Buffers."""

PAUSE = 1

LEVELS = ["trace", "debug", "info", "warn", "error", "critical"]

ROOT = 1
"""The id of the first root context; streams, and root contexts that come later, have the ids above."""

ENDLESS = 1 << 62
"""Fuel that nothing can use up."""


class Refused(Exception):
    """The module refused its configuration; `log` holds what it said."""

    def __init__(self, log):
        super().__init__("; ".join(log))
        self.log = log


@dataclasses.dataclass
class Outcome:
    """What became of a request, and what it cost."""

    status: int | None
    """The status of the module's own answer; None when the request went on to the upstream, or waits."""
    headers: list
    """The answer's headers, or those that the upstream sees."""
    body: bytes
    paused: bool
    """The request waits for the module: no answer yet, not passed on either."""
    calls: collections.Counter
    """Calls of the host by name, from the creation of the stream to its end."""
    fuel: int
    """Instructions that the module executed for the stream."""


class Module:
    """A compiled module."""

    def __init__(self, file):
        configuration = wasmtime.Config()
        configuration.consume_fuel = True
        self.engine = wasmtime.Engine(configuration)
        self.code = wasmtime.Module.from_file(self.engine, str(file))
        self.imports = [(one.module, one.name, one.type) for one in self.code.imports]

    def plugin(self, configuration=None, **options):
        """A virtual machine of its own with one plugin in it; the options are those of [`Plugin`]."""
        return Plugin(self, configuration, **options)


class Plugin:
    """A virtual machine with one configured root context; `add` makes more, as Envoy does for several plugins of one
    module, and while a configuration is replaced. The configuration is text, bytes, or a value that is written as JSON.

    `environment` holds the variables of the virtual machine, `properties` what `proxy_get_property` finds (a name is
    a tuple of parts), `shared` the store of the process, which several plugins can have. `fuel` bounds one call of the
    module (`limit` changes it): a loop without end becomes a `wasmtime.Trap`.
    """

    def __init__(
        self,
        module,
        configuration=None,
        *,
        environment=None,
        properties=None,
        shared=None,
        random=b"\x5a",
        fuel=ENDLESS,
    ):
        self.log = []
        self.now = 1_700_000_000_000_000_000
        self.pace = 0
        """How many nanoseconds an instruction of a tick takes."""
        self.tick_periods = {}
        """By root context."""
        self.hand_over = self._give
        """How headers come into the module's memory."""
        self.properties = properties or {}
        self.shared = {} if shared is None else shared
        self.streams = {}
        self.calls = collections.Counter()
        self.load_fuel = 0
        self.limit = fuel
        self._random = itertools.cycle(random)
        self._environment = [f"{name}={value}".encode() + b"\0" for name, value in (environment or {}).items()]
        self._metrics = []
        self._ids = itertools.count(ROOT + 1)
        self._effective, self._ticks = ROOT, False
        self._configuration = _text(configuration)
        self._store = wasmtime.Store(module.engine)
        self._store.set_fuel(fuel)
        functions = [wasmtime.Func(self._store, kind, self._import(name)) for _, name, kind in module.imports]
        self._exports = wasmtime.Instance(self._store, module.code, functions).exports(self._store)
        self._memory = self._exports["memory"]
        self._allocate = self._exports.get("proxy_on_memory_allocate") or self._exports["malloc"]
        self._start()

    def _start(self):
        for start in ("_initialize", "_start"):
            if self._exports.get(start):
                self._call(start)
                break
        self._call("proxy_on_context_create", ROOT, 0)
        started = self._call("proxy_on_vm_start", ROOT, 0)
        self._store.set_fuel(self.limit)
        if started == 0 or not self._configure(len(self._configuration)):
            raise Refused(self.log)
        self.load_fuel = self.limit - self._store.get_fuel()

    def _configure(self, size, root=ROOT):
        self._effective = root
        return self._call("proxy_on_configure", root, size) != 0

    def add(self, configuration, *, number=None):
        """Makes another root context in the same virtual machine, and returns its number."""
        root = self._effective = next(self._ids) if number is None else number
        self._store.set_fuel(self.limit)
        self._call("proxy_on_context_create", root, 0)
        self._configuration = _text(configuration)
        if not self._configure(len(self._configuration), root):
            raise Refused(self.log)
        return root

    def delete(self, number):
        """Tells the module that a root context, or whatever it takes the number for, is over."""
        self._store.set_fuel(self.limit)
        self._effective = number
        self._call("proxy_on_delete", number)

    def reconfigure(self, configuration, *, announced=None, root=ROOT):
        """Hands the same root context another configuration, as some hosts do and Envoy does not; whether it took it.

        `announced` is its size in bytes, if that is to be another than the one handed over.
        """
        self._configuration = _text(configuration)
        self._store.set_fuel(self.limit)
        return self._configure(len(self._configuration) if announced is None else announced, root)

    @property
    def tick_period(self):
        """What the first root context set its timer to, in milliseconds."""
        return self.tick_periods.get(ROOT, 0)

    @property
    def memory(self):
        """Bytes of memory that the virtual machine holds. It never gives any back."""
        return self._memory.data_len(self._store)

    def request(self, headers, *, properties=None, root=ROOT):
        """One request from beginning to end; a request that waits is dropped by its client."""
        stream = self.open(headers, properties=properties, root=root)
        outcome = stream.outcome()
        stream.close()
        return dataclasses.replace(outcome, calls=stream.calls, fuel=stream.fuel)

    def open(self, headers, *, properties=None, root=ROOT):
        """One request up to the module's first decision, for modules that let requests wait."""
        stream = self.begin(headers, properties=properties, root=root)
        stream.send_headers()
        return stream

    def begin(self, headers, *, properties=None, root=ROOT):
        """One request whose headers the module has not been told of."""
        return Stream(self, next(self._ids), headers, properties or {}, root)

    def tick(self, root=ROOT):
        """One tick; returns the fuel that it took."""
        self._store.set_fuel(self.limit)
        self._effective, self._ticks = root, True
        self._call("proxy_on_tick", root)
        self.now, self._ticks = self._time, False
        return self.limit - self._store.get_fuel()

    @property
    def _time(self):
        return self.now + (int((self.limit - self._store.get_fuel()) * self.pace) if self._ticks else 0)

    def settle(self, stream, *, ticks=100_000):
        """Ticks until a stream no longer waits; returns the fuel that the ticks took. Time passes between them."""
        fuel = 0
        while stream.outcome().paused and ticks:
            self.now += max(self.tick_periods.get(stream.root, 0), 1) * 1_000_000
            fuel += self.tick(stream.root)
            ticks -= 1
        return fuel

    def _call(self, name, *arguments):
        """Calls an export, if the module has it."""
        function = self._exports.get(name)
        return None if function is None else function(self._store, *arguments)

    def _import(self, name):
        function = getattr(self, f"_{name}", None)
        missing = NO_SUCH_CALL if not name.startswith("proxy_") else UNIMPLEMENTED

        @functools.wraps(function or self._import)
        def called(*arguments):
            self.calls[name] += 1
            if (stream := self.streams.get(self._effective)) is not None:
                stream.calls[name] += 1
            return missing if function is None else function(*(one & 0xFFFF_FFFF for one in arguments))

        return called

    # Memory of the module

    def _read(self, start, length):
        return bytes(self._memory.read(self._store, start, start + length))

    def _write(self, start, data):
        self._memory.write(self._store, data, start)

    def _write_word(self, start, value):
        self._write(start, value.to_bytes(4, "little"))

    def _give(self, data, where, length):
        """Hands data over: in memory that the module allocates and owns from then on."""
        address = 0
        if data:
            address = self._allocate(self._store, len(data)) & 0xFFFF_FFFF
            self._write(address, data)
        self._write_word(where, address)
        self._write_word(length, len(data))
        return OK

    def _read_pairs(self, start, length):
        return _parse_pairs(self._read(start, length)) if length else []

    @property
    def _stream(self):
        return self.streams[self._effective]

    # proxy-wasm

    def _proxy_log(self, level, start, length):
        self.log.append(f"{LEVELS[level]}: {self._read(start, length).decode(errors='replace')}")
        return OK

    def _proxy_get_log_level(self, where):
        self._write_word(where, LEVELS.index("info"))
        return OK

    def _proxy_get_current_time_nanoseconds(self, where):
        self._write(where, self._time.to_bytes(8, "little"))
        return OK

    def _proxy_get_shared_data(self, key, key_length, where, length, version):
        value, current = self.shared.get(self._read(key, key_length), (None, 0))
        if value is None:
            return NOT_FOUND
        self._write_word(version, current)
        return self._give(value, where, length)

    def _proxy_set_shared_data(self, key, key_length, value, length, version):
        key = self._read(key, key_length)
        _, current = self.shared.get(key, (None, 0))
        if version and current and version != current:
            return CAS_MISMATCH
        self.shared[key] = (self._read(value, length), current + 1)
        return OK

    def _proxy_set_tick_period_milliseconds(self, period):
        stream = self.streams.get(self._effective)
        self.tick_periods[stream.root if stream else self._effective] = period
        return OK

    def _proxy_get_buffer_bytes(self, kind, start, length, where, size):
        buffers = {PLUGIN_CONFIGURATION: self._configuration, VM_CONFIGURATION: b"", REQUEST_BODY: b""}
        if kind not in buffers:
            return NOT_FOUND
        return self._give(buffers[kind][start : start + length], where, size)

    def _proxy_get_header_map_pairs(self, kind, where, size):
        return self.hand_over(_format_pairs(self._stream.maps[kind]), where, size)

    def _proxy_get_header_map_value(self, kind, start, length, where, size):
        name = self._read(start, length).lower()
        for other, value in self._stream.maps[kind]:
            if other == name:
                return self._give(value, where, size)
        return NOT_FOUND

    def _proxy_add_header_map_value(self, kind, name, name_length, value, value_length):
        self._stream.maps[kind].append((self._read(name, name_length).lower(), self._read(value, value_length)))
        return OK

    def _proxy_remove_header_map_value(self, kind, start, length):
        name = self._read(start, length).lower()
        self._stream.maps[kind] = [pair for pair in self._stream.maps[kind] if pair[0] != name]
        return OK

    def _proxy_replace_header_map_value(self, kind, name, name_length, value, value_length):
        self._proxy_remove_header_map_value(kind, name, name_length)
        return self._proxy_add_header_map_value(kind, name, name_length, value, value_length)

    def _proxy_set_header_map_pairs(self, kind, start, length):
        self._stream.maps[kind] = self._read_pairs(start, length)
        return OK

    def _proxy_get_property(self, start, length, where, size):
        name = tuple(part.decode() for part in self._read(start, length).rstrip(b"\0").split(b"\0"))
        stream = self.streams.get(self._effective)
        for known in (stream.properties if stream else {}, self.properties):
            if name in known:
                return self._give(known[name], where, size)
        return NOT_FOUND

    def _proxy_set_property(self, name, name_length, value, value_length):
        parts = tuple(part.decode() for part in self._read(name, name_length).split(b"\0"))
        self._stream.properties[parts] = self._read(value, value_length)
        return OK

    def _proxy_send_local_response(self, status, _details, _details_length, body, body_length, headers, length, _grpc):
        stream = self._stream
        # Envoy answers a stream once; a second answer would be a fault of the module.
        assert stream.status is None, f"a second answer ({status}) after {stream.status}"
        stream.status, stream.body = status, self._read(body, body_length)
        stream.maps[RESPONSE] = self._read_pairs(headers, length)
        return OK

    def _proxy_continue_stream(self, _kind):
        self._stream.paused = False
        return OK

    def _proxy_set_effective_context(self, context):
        self._effective = context
        return OK

    def _proxy_define_metric(self, _kind, start, length, where):
        self._metrics.append([self._read(start, length).decode(), 0])
        self._write_word(where, len(self._metrics) - 1)
        return OK

    def _proxy_increment_metric(self, metric, by):
        self._metrics[metric][1] += by
        return OK

    def _proxy_record_metric(self, metric, value):
        self._metrics[metric][1] = value
        return OK

    def _proxy_get_metric(self, metric, where):
        self._write(where, self._metrics[metric][1].to_bytes(8, "little"))
        return OK

    @property
    def metrics(self):
        """The module's counters and gauges by name."""
        return dict(map(tuple, self._metrics))

    # WASI

    def _random_get(self, start, length):
        self._write(start, bytes(itertools.islice(self._random, length)))
        return OK

    def _environ_sizes_get(self, count, size):
        self._write_word(count, len(self._environment))
        self._write_word(size, sum(map(len, self._environment)))
        return OK

    def _environ_get(self, addresses, texts):
        for place, text in enumerate(self._environment):
            self._write_word(addresses + 4 * place, texts)
            self._write(texts, text)
            texts += len(text)
        return OK

    def _clock_time_get(self, _clock, *precision_and_where):
        self._write(precision_and_where[-1], self._time.to_bytes(8, "little"))
        return OK

    def _fd_write(self, _file, vectors, count, written):
        total = 0
        for place in range(count):
            start, length = (int.from_bytes(self._read(vectors + 8 * place + part, 4), "little") for part in (0, 4))
            self.log.append(f"written: {self._read(start, length).decode(errors='replace')}")
            total += length
        self._write_word(written, total)
        return OK

    def _proc_exit(self, status):
        raise wasmtime.Trap(f"the module stopped itself with {status}")


class Stream:
    """One request on its way; `paused` while the module keeps it."""

    def __init__(self, plugin, identity, headers, properties, root):
        self.plugin, self.identity, self.root = plugin, identity, root
        headers = [(_bytes(name).lower(), _bytes(value)) for name, value in headers]
        self.maps = {kind: [] for kind in range(8)}
        self.maps[REQUEST] = headers
        self.properties = properties
        self.calls = collections.Counter()
        self.fuel = 0
        self.status, self.body, self.paused = None, b"", False
        plugin.streams[identity] = self
        self._run("proxy_on_context_create", root)

    def send_headers(self):
        """The headers of the request; returns the module's answer."""
        answer = self._run("proxy_on_request_headers", len(self.maps[REQUEST]), 1)
        self.paused = answer == PAUSE
        return answer

    def chunk(self, length):
        """A piece of the request's body, not its last; returns the module's answer."""
        return self._run("proxy_on_request_body", length, 0)

    def trailers(self):
        """What follows the body; returns the module's answer."""
        return self._run("proxy_on_request_trailers", 0)

    def outcome(self):
        """What has become of the request so far."""
        answered = self.status is not None
        headers = self.maps[RESPONSE if answered else REQUEST]
        paused = self.paused and not answered
        return Outcome(self.status, headers, self.body, paused, self.calls.copy(), self.fuel)

    def close(self):
        """The response goes out, or the client is gone; the stream ends."""
        if self.status is None and not self.paused:
            self.maps[RESPONSE] = [(b":status", b"200"), (b"content-length", b"0")]
        if self.maps[RESPONSE] or self.status is not None:
            # A module that exports these is called for its own answers as well.
            self._run("proxy_on_response_headers", len(self.maps[RESPONSE]), 0 if self.body else 1)
            if self.body:
                self._run("proxy_on_response_body", len(self.body), 1)
        for end in ("proxy_on_done", "proxy_on_log", "proxy_on_delete"):
            self._run(end)
        del self.plugin.streams[self.identity]

    def _run(self, name, *arguments):
        plugin = self.plugin
        # Set for each call: a module that runs away is stopped, and a count starts at a known place.
        plugin._store.set_fuel(plugin.limit)
        plugin._effective = self.identity
        result = plugin._call(name, self.identity, *arguments)
        self.fuel += plugin.limit - plugin._store.get_fuel()
        return result


def _text(configuration):
    if configuration is not None and not isinstance(configuration, (str, bytes)):
        configuration = json.dumps(configuration)
    return configuration.encode() if isinstance(configuration, str) else configuration or b""


def _bytes(value):
    return value.encode() if isinstance(value, str) else value


def _format_pairs(pairs):
    """Numbers and texts as Envoy writes them: count, all lengths, then names and values, each ended by a zero."""
    words = [len(pairs)] + [len(part) for pair in pairs for part in pair]
    return b"".join(word.to_bytes(4, "little") for word in words) + b"".join(
        part + b"\0" for pair in pairs for part in pair
    )


def _parse_pairs(data):
    count = int.from_bytes(data[:4], "little")
    lengths = [int.from_bytes(data[4 + 4 * place : 8 + 4 * place], "little") for place in range(2 * count)]
    parts, start = [], 4 + 8 * count
    for length in lengths:
        parts.append(data[start : start + length])
        start += length + 1
    return list(zip(parts[::2], parts[1::2], strict=True))
