//! Memory for WASI's C library, which has an allocator of its own, eight kilobytes of the module, and asks for memory twice:
//! for the environment's variables, once, and for the name of a folder when a panic is told with a backtrace. It keeps what
//! it gets.

#![allow(unsafe_code, reason = "the names by which C asks for memory, which no other function has")]

use std::mem;

/// So many bytes, all zero, for any type of C.
fn zeroed(size: usize) -> *mut u128 {
    vec![0_u128; size.div_ceil(mem::size_of::<u128>())].leak().as_mut_ptr()
}

#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut u128 {
    zeroed(size)
}

#[unsafe(no_mangle)]
extern "C" fn calloc(count: usize, size: usize) -> *mut u128 {
    count.checked_mul(size).map_or(std::ptr::null_mut(), zeroed)
}

#[unsafe(no_mangle)]
extern "C" fn free(_: *mut u128) {}
