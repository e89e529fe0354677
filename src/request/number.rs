//! Tables by the numbers of requests.

use std::hash::{BuildHasherDefault, Hasher};

use hashbrown::HashMap;

/// What is known of requests, by the numbers of their contexts. The proxy chooses those, so the hash needs no key.
pub(crate) type ByNumber<T> = HashMap<u32, T, NumberHash>;

/// How numbers are hashed.
pub(crate) type NumberHash = BuildHasherDefault<Number>;

/// Takes a number for its hash, spread over all bits.
#[derive(Default)]
pub(crate) struct Number(u64);

impl Hasher for Number {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        // Numbers are all that is hashed.
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
