//! The same callbacks as the module's, in the place of the SDK's (tools/linker/link.py): as little as they can do where a
//! request needs its headers.

use std::ptr::null_mut;

const REQUEST: u32 = 0;
const CONTINUE: u32 = 0;
const PAUSE: u32 = 1;

/// What a refusal is answered with, as a serialized header map.
const HEADERS: &[u8] = b"\x01\0\0\0\x10\0\0\0\x24\0\0\0www-authenticate\0Basic realm=\"istio\", charset=\"UTF-8\"\0";
const DETAILS: &[u8] = b"basic_auth_missing";

unsafe extern "C" {
    /// Writes where a block of memory is and how large.
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;

    // It reads, and checks that what it is told to read lies in the module's memory.
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

/// As much as Envoy takes of headers.
const MOST: usize = 64 * 1024;

/// Where headers are written, again and again, and never read.
static mut SCRATCH: [u8; MOST] = [0; MOST];

#[unsafe(no_mangle)]
extern "C" fn basic_on_memory_allocate(size: usize) -> *mut u8 {
    if size <= MOST { (&raw mut SCRATCH).cast() } else { null_mut() }
}

#[unsafe(no_mangle)]
extern "C" fn basic_on_context_create(_: u32, _: u32) {}

#[unsafe(no_mangle)]
extern "C" fn basic_on_configure(_: u32, _: usize) -> bool {
    true
}

#[unsafe(no_mangle)]
extern "C" fn basic_on_tick(_: u32) {}

#[unsafe(no_mangle)]
extern "C" fn basic_on_http_call_response(_: u32, _: u32, _: usize, _: usize, _: usize) {}

#[unsafe(no_mangle)]
extern "C" fn basic_on_request_headers(_: u32, _: usize, _: bool) -> u32 {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: The proxy writes through both pointers while the call lasts, and they are to variables of this function.
    unsafe { proxy_get_header_map_pairs(REQUEST, &raw mut data, &raw mut size) };
    if !cfg!(feature = "refusing") {
        return CONTINUE;
    }
    let (details, headers) = (DETAILS, HEADERS);
    proxy_send_local_response(401, details.as_ptr(), details.len(), null_mut(), 0, headers.as_ptr(), headers.len(), -1);
    PAUSE
}

#[unsafe(no_mangle)]
extern "C" fn basic_on_request_body(_: u32, _: usize, _: bool) -> u32 {
    CONTINUE
}

#[unsafe(no_mangle)]
extern "C" fn basic_on_request_trailers(_: u32, _: usize) -> u32 {
    CONTINUE
}

#[unsafe(no_mangle)]
extern "C" fn basic_on_delete(_: u32) {}
