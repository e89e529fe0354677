//! The functions of the ABI, without the SDK's wrappers: these panic at nearly every status but success, where a
//! [`HostError`] is all that is wanted, and at a header name that is not UTF-8; they serialize the headers of an answer anew
//! each time, take those of a request apart into a vector of vectors, and know no level of the log that is above all lines.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::time::Duration;

use crate::host::HostError;
use crate::request::header_map;
use crate::response::Response;
use crate::telemetry::MetricKind;

#[allow(unsafe_code, reason = "the proxy is foreign code")]
#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    /// Writes a time in nanoseconds.
    fn clock_time_get(clock: u32, precision: u64, time: *mut u64) -> u32;
}

/// The status of a call that did what was asked.
const OK: u32 = 0;

#[allow(unsafe_code, reason = "the proxy is foreign code")]
#[link(wasm_import_module = "env")]
unsafe extern "C" {
    /// Writes where a block of memory is and how large.
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;

    /// Writes where a block of memory is, how large, and the version of what is in it.
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        version: *mut u32,
    ) -> u32;

    /// Writes the level.
    fn proxy_get_log_level(level: *mut u32) -> u32;

    /// Writes where a block of memory is and how large.
    fn proxy_get_buffer_bytes(buffer: u32, start: usize, max: usize, data: *mut *mut u8, size: *mut usize) -> u32;

    /// Writes where a block of memory is and how large.
    fn proxy_get_property(path: *const u8, path_size: usize, data: *mut *mut u8, size: *mut usize) -> u32;

    /// Writes the number of the metric.
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, metric: *mut u32) -> u32;

    /// Writes the token of the call.
    fn proxy_http_call(
        cluster: *const u8,
        cluster_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout_milliseconds: u32,
        token: *mut u32,
    ) -> u32;

    // What follows reads at most, and checks that what it is told to read lies in the module's memory.

    safe fn proxy_log(level: u32, text: *const u8, size: usize) -> u32;

    safe fn proxy_set_tick_period_milliseconds(period: u32) -> u32;

    safe fn proxy_set_effective_context(context: u32) -> u32;

    safe fn proxy_continue_stream(stream: u32) -> u32;

    safe fn proxy_increment_metric(metric: u32, difference: i64) -> u32;

    safe fn proxy_record_metric(metric: u32, value: u64) -> u32;

    safe fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, value_size: usize) -> u32;

    safe fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;

    safe fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;

    safe fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
        version: u32,
    ) -> u32;

    safe fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
}

/// What became of a call.
fn outcome(call: &'static str, status: u32) -> Result<(), HostError> {
    if status == OK { Ok(()) } else { Err(HostError { call, status }) }
}

/// Writes a line into the proxy's log; there is nowhere to tell of one that is not taken.
pub(super) fn log(level: u32, line: &str) {
    proxy_log(level, line.as_ptr(), line.len());
}

/// The lowest level of the log that the proxy wants to see, by its number; Envoy's `off` is above all that there are.
pub(super) fn log_level() -> Result<u32, HostError> {
    let mut level = 0;
    // SAFETY: The proxy writes through the pointer while the call lasts, and it is to a variable of this function.
    #[allow(unsafe_code, reason = "the proxy is foreign code; the proof stands above")]
    let status = unsafe { proxy_get_log_level(&raw mut level) };
    outcome("proxy_get_log_level", status).map(|()| level)
}

/// Asks for ticks of the root context so often.
pub(super) fn set_tick_period(period: Duration) -> Result<(), HostError> {
    let period = u32::try_from(period.as_millis()).unwrap_or(u32::MAX);
    outcome("proxy_set_tick_period_milliseconds", proxy_set_tick_period_milliseconds(period))
}

/// Makes a context the one that the calls to come are about.
pub(super) fn set_effective_context(context: u32) -> Result<(), HostError> {
    outcome("proxy_set_effective_context", proxy_set_effective_context(context))
}

/// Lets a request go on that is paused.
pub(super) fn resume_request() -> Result<(), HostError> {
    const REQUEST: u32 = 0;
    outcome("proxy_continue_stream", proxy_continue_stream(REQUEST))
}

/// Removes all lines of a header of the request.
pub(super) fn remove_header(name: &[u8]) -> Result<(), HostError> {
    let status = proxy_remove_header_map_value(HeadersOf::Request as u32, name.as_ptr(), name.len());
    outcome("proxy_remove_header_map_value", status)
}

/// Gives the request a header, in the place of all lines of it.
pub(super) fn set_header(name: &[u8], value: &[u8]) -> Result<(), HostError> {
    let (map, name, name_size) = (HeadersOf::Request as u32, name.as_ptr(), name.len());
    let status = proxy_replace_header_map_value(map, name, name_size, value.as_ptr(), value.len());
    outcome("proxy_replace_header_map_value", status)
}

/// Sets a property of the request. The parts of its name are separated by zeros.
pub(super) fn set_property(path: &str, value: &[u8]) -> Result<(), HostError> {
    let status = proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len());
    outcome("proxy_set_property", status)
}

/// A property, of the request for example. The parts of its name are separated by zeros.
pub(super) fn get_property(path: &str) -> Option<Box<[u8]>> {
    let mut block = Block::NONE;
    // SAFETY: The proxy reads the path and writes through the two pointers while the call lasts, and these are to variables
    // of this function.
    #[allow(unsafe_code, reason = "the proxy is foreign code; the proof stands above")]
    let status = unsafe { proxy_get_property(path.as_ptr(), path.len(), &raw mut block.data, &raw mut block.size) };
    (status == OK).then(|| block.take())
}

/// What a buffer is of.
#[derive(Clone, Copy)]
pub(super) enum BufferOf {
    /// The answer to a request of this module.
    CallResponse = 4,
    /// The configuration of a plugin.
    Configuration = 7,
}

/// The beginning of a buffer, at most so many bytes; none if the proxy does not hand it over.
pub(super) fn get_buffer(of: BufferOf, max: usize) -> Box<[u8]> {
    let mut block = Block::NONE;
    // SAFETY: The proxy writes through the two pointers while the call lasts, and these are to variables of this function.
    #[allow(unsafe_code, reason = "the proxy is foreign code; the proof stands above")]
    let status = unsafe { proxy_get_buffer_bytes(of as u32, 0, max, &raw mut block.data, &raw mut block.size) };
    if status == OK { block.take() } else { Box::default() }
}

/// Makes a metric, or finds the one of that name.
pub(super) fn define_metric(kind: MetricKind, name: &str) -> Result<u32, HostError> {
    let kind = match kind {
        MetricKind::Counter => 0,
        MetricKind::Gauge => 1,
    };
    let mut metric = 0;
    // SAFETY: The proxy reads the name and writes through the last pointer while the call lasts, and that is to a variable of
    // this function.
    #[allow(unsafe_code, reason = "the proxy is foreign code; the proof stands above")]
    let status = unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &raw mut metric) };
    outcome("proxy_define_metric", status).map(|()| metric)
}

/// Adds to a metric.
pub(super) fn increment_metric(metric: u32, difference: i64) -> Result<(), HostError> {
    outcome("proxy_increment_metric", proxy_increment_metric(metric, difference))
}

/// Sets a metric.
pub(super) fn record_metric(metric: u32, value: u64) -> Result<(), HostError> {
    outcome("proxy_record_metric", proxy_record_metric(metric, value))
}

/// Sends a request without a body to a cluster; the answer comes under the token.
pub(super) fn http_call(cluster: &str, headers: &[(&str, &[u8])], timeout: Duration) -> Result<u32, HostError> {
    let (headers, trailers) = (header_map::serialize(headers), header_map::serialize(&[]));
    let timeout = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    let mut token = 0;
    // SAFETY: The proxy reads cluster, headers and trailers and writes through the last pointer while the call lasts; that is
    // to a variable of this function. Of the body there are no bytes to read.
    #[allow(unsafe_code, reason = "the proxy is foreign code; the proof stands above")]
    let status = unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            std::ptr::null(),
            0,
            trailers.as_ptr(),
            trailers.len(),
            timeout,
            &raw mut token,
        )
    };
    outcome("proxy_http_call", status).map(|()| token)
}

/// Answers the request that is being handled.
pub(super) fn send_local_response(response: &Response<'_>) -> Result<(), HostError> {
    // To a gRPC client the proxy says what the HTTP status stands for there.
    const GRPC_STATUS_OF_HTTP: i32 = -1;
    let Response { status, headers, body, details } = response;
    let (details, details_size) = (details.as_ptr(), details.len());
    let (body, body_size) = (body.as_ptr(), body.len());
    let (headers, headers_size) = (headers.as_ptr(), headers.len());
    let status = proxy_send_local_response(
        *status,
        details,
        details_size,
        body,
        body_size,
        headers,
        headers_size,
        GRPC_STATUS_OF_HTTP,
    );
    outcome("proxy_send_local_response", status)
}

/// What headers are of.
#[derive(Clone, Copy)]
pub(super) enum HeadersOf {
    /// The request that is being handled.
    Request = 0,
    /// The answer to a request of this module.
    CallResponse = 6,
}

/// Memory that headers are written into, again and again: to allocate it for each request would take a tenth of what the
/// request costs.
struct Scratch {
    /// `None` while headers are read in it, and until there were any.
    memory: Cell<Option<Box<[u8]>>>,
    /// Where it is and how large, while the proxy may write into it.
    offered: Cell<(*mut u8, usize)>,
}

/// The most that is kept for the next request. Envoy takes no more than 60 KiB of headers unless it is told to.
const MAX_SCRATCH: usize = 64 * 1024;

const NOT_OFFERED: (*mut u8, usize) = (std::ptr::null_mut(), 0);

thread_local! {
    static SCRATCH: ManuallyDrop<Scratch> =
        const { ManuallyDrop::new(Scratch { memory: Cell::new(None), offered: Cell::new(NOT_OFFERED) }) };
}

/// Memory of so many bytes for what the proxy is about to hand over, if it is the scratch memory that is meant for it.
pub(super) fn take_scratch(size: usize) -> Option<*mut u8> {
    SCRATCH.with(|scratch| {
        let (memory, capacity) = scratch.offered.replace(NOT_OFFERED);
        (size <= capacity && !memory.is_null()).then_some(memory)
    })
}

/// Nothing that is handed over within this call is headers that were asked for before it.
pub(super) fn withdraw_scratch() {
    SCRATCH.with(|scratch| scratch.offered.set(NOT_OFFERED));
}

/// Reads headers as a serialized header map, in one call and without a copy.
pub(super) fn with_headers<R>(of: HeadersOf, read: impl FnOnce(Result<&[u8], HostError>) -> R) -> R {
    let mut scratch = SCRATCH.with(|all| all.memory.take());
    let offered = scratch.as_deref_mut().map_or(NOT_OFFERED, |memory| (memory.as_mut_ptr(), memory.len()));
    SCRATCH.with(|all| all.offered.set(offered));
    let mut block = Block::NONE;
    // SAFETY: The proxy writes through the two pointers while the call lasts, and both are to variables of this function;
    // and into the scratch memory, which is not touched here before the call has ended and it is offered no longer.
    #[allow(unsafe_code, reason = "the proxy is foreign code; the proof stands above")]
    let status = unsafe { proxy_get_header_map_pairs(of as u32, &raw mut block.data, &raw mut block.size) };
    let was_taken = SCRATCH.with(|all| all.offered.replace(NOT_OFFERED)).0.is_null();
    let headers = if status != OK {
        Err(HostError { call: "proxy_get_header_map_pairs", status })
    } else if block.data == offered.0 {
        // It is nobody else's, whatever size the proxy says and whether or not it asked for it.
        let memory = scratch.as_deref().filter(|_| was_taken);
        Ok(memory.and_then(|memory| memory.get(..block.size)).unwrap_or_default())
    } else {
        // What is larger than all before is the memory for what comes.
        Ok(&**scratch.insert(block.take()))
    };
    let result = read(headers);
    SCRATCH.with(|all| all.memory.set(scratch.filter(|memory| memory.len() <= MAX_SCRATCH)));
    result
}

/// What the process stores under a key, and its version.
pub(super) fn get_shared_data(key: &str) -> Option<(Box<[u8]>, u32)> {
    let mut block = Block::NONE;
    let mut version = 0;
    // SAFETY: The proxy reads the key and writes through the three pointers while the call lasts, and these are to variables
    // of this function.
    #[allow(unsafe_code, reason = "the proxy is foreign code; the proof stands above")]
    let status = unsafe {
        proxy_get_shared_data(key.as_ptr(), key.len(), &raw mut block.data, &raw mut block.size, &raw mut version)
    };
    (status == OK).then(|| (block.take(), version))
}

/// Stores a value in the process, if what is there has that version; says whether it did.
pub(super) fn set_shared_data(key: &str, value: &[u8], version: u32) -> bool {
    proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), version) == OK
}

/// The monotonic clock of the process. That of the standard library is the same, but tells no time, only how much of it is
/// between two, and what workers share has to mean the same to all of them.
pub(super) fn monotonic_time() -> Duration {
    const MONOTONIC: u32 = 1;
    let mut nanoseconds = 0;
    // SAFETY: The proxy writes through the pointer while the call lasts, and it is to a variable of this function.
    #[allow(unsafe_code, reason = "the proxy is foreign code; the proof stands above")]
    unsafe {
        // There is nothing to do about a clock that does not answer: then time stands still.
        clock_time_get(MONOTONIC, 1, &raw mut nanoseconds);
    }
    Duration::from_nanos(nanoseconds)
}

/// A block of memory that the proxy filled and gave away; or none.
struct Block {
    data: *mut u8,
    size: usize,
}

impl Block {
    const NONE: Self = Self { data: std::ptr::null_mut(), size: 0 };

    /// Takes it from the proxy, which answered that it stored it here.
    fn take(self) -> Box<[u8]> {
        if self.data.is_null() {
            return Box::default();
        }
        // SAFETY: Only this file makes blocks, each for one call that stores there what the proxy had from
        // `proxy_on_memory_allocate` and has filled: the SDK makes that of a boxed slice of `size` bytes and gives it away.
        // It is made a boxed slice of that size again here, and once, for the block is gone with it.
        #[allow(unsafe_code, reason = "the proxy is foreign code; the proof stands above")]
        unsafe {
            Box::from_raw(std::ptr::slice_from_raw_parts_mut(self.data, self.size))
        }
    }
}
