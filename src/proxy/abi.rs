//! The two functions of the ABI that the SDK wraps at a price: it serializes the headers of an answer anew each time, and
//! it takes those of a request apart into a vector of vectors, with a panic where a name is not UTF-8.

use crate::host::HostError;
use crate::response::Response;

/// The status of a call that did what was asked.
const OK: u32 = 0;

#[allow(unsafe_code, reason = "the proxy is foreign code")]
#[link(wasm_import_module = "env")]
unsafe extern "C" {
    /// Writes where a block of memory is and how large.
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;

    /// Only reads, and checks that what it is told to read lies in the module's memory.
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

/// Answers the request that is being handled.
pub(super) fn send_local_response(response: &Response<'_>) -> Result<(), HostError> {
    // To a gRPC client the proxy says what the HTTP status stands for there.
    const GRPC_STATUS_OF_HTTP: i32 = -1;
    let Response { status, headers, body, details } = response;
    let (details, details_size) = (details.as_ptr(), details.len());
    let (body, body_size) = (body.as_ptr(), body.len());
    let (headers, headers_size) = (headers.as_ptr(), headers.len());
    match proxy_send_local_response(
        *status,
        details,
        details_size,
        body,
        body_size,
        headers,
        headers_size,
        GRPC_STATUS_OF_HTTP,
    ) {
        OK => Ok(()),
        status => Err(HostError { call: "proxy_send_local_response", status }),
    }
}

/// The headers of the request that is being handled as a serialized header map, in one call and without a copy.
pub(super) fn request_headers() -> Result<Box<[u8]>, HostError> {
    const REQUEST_HEADERS: u32 = 0;
    let mut data = std::ptr::null_mut();
    let mut size = 0;
    // SAFETY: The proxy writes through the two pointers while the call lasts, and both are to variables of this
    // function. It stores there a block that it had from `proxy_on_memory_allocate` and has filled: the SDK makes one of
    // a boxed slice of `size` bytes and gives it away. It is made a boxed slice of that size again here.
    #[allow(unsafe_code, reason = "the proxy is foreign code; the proof stands above")]
    unsafe {
        match proxy_get_header_map_pairs(REQUEST_HEADERS, &raw mut data, &raw mut size) {
            OK if data.is_null() => Ok(Box::default()),
            OK => Ok(Box::from_raw(std::ptr::slice_from_raw_parts_mut(data, size))),
            status => Err(HostError { call: "proxy_get_header_map_pairs", status }),
        }
    }
}
