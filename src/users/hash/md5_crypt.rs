//! `$1$` and `$apr1$`: MD5-crypt.
//!
//! A thousand rounds of MD5, by Poul-Henning Kamp for FreeBSD (1994); Apache's variant differs in the marker alone,
//! which is hashed too (`apr_md5_encode` of APR-util). The password's length is not limited by the scheme; its author
//! declared it no longer safe in 2012. Use it only where another tool must read the same file.

use md5::{Digest, Md5};

use super::rounds::{Flavour, Start, feed, mean_round};
use super::salt::{Salt, decode_crypt64};
use super::work::Work;
use super::{HashError, Scheme};

/// The rounds of both variants.
const ROUNDS: u32 = 1_000;

/// The most characters of salt that count.
const SALT: usize = 8;

/// One `$1$` or `$apr1$` hash.
#[derive(Clone, Copy)]
pub(crate) struct Md5Crypt {
    pub(super) setting: Md5Setting,
    pub(super) digest: [u8; 16],
}

/// Which variant, and its salt.
#[derive(Clone, Copy)]
pub(crate) struct Md5Setting {
    pub(super) marker: Marker,
    pub(super) salt: Salt,
}

/// The two markers, which are part of what is hashed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    Apache,
    FreeBsd,
}

impl Marker {
    const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Apache => b"$apr1$",
            Self::FreeBsd => b"$1$",
        }
    }

    const fn scheme(self) -> Scheme {
        match self {
            Self::Apache => Scheme::Apr1,
            Self::FreeBsd => Scheme::Md5Crypt,
        }
    }
}

impl Md5Crypt {
    /// `salt$digest`, what follows the marker.
    pub(super) fn parse(marker: Marker, text: &str) -> Result<Self, HashError> {
        let scheme = marker.scheme();
        let (salt, digest) = text.split_once('$').ok_or(HashError::Digest(scheme))?;
        let salt = Salt::parse(salt.as_bytes(), SALT, scheme)?;
        let digest = decode_crypt64(digest.as_bytes()).ok_or(HashError::Digest(scheme))?;
        Ok(Self { setting: Md5Setting { marker, salt }, digest })
    }

    pub(super) const fn rounds() -> u32 {
        ROUNDS
    }
}

impl Flavour for Md5Setting {
    type Digest = Md5;

    const ORDER: &'static [usize] = &[12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11];

    fn start(&self, password: &[u8]) -> Start<Md5> {
        let salt = self.salt.as_slice();
        let mut hasher = Md5::new();
        for part in [password, salt, password] {
            feed(&mut hasher, part);
        }
        let inner = hasher.finalize_reset();

        for part in [password, self.marker.bytes(), salt] {
            feed(&mut hasher, part);
        }
        for part in password.chunks(inner.len()) {
            feed(&mut hasher, inner.get(..part.len()).unwrap_or_default());
        }
        // The original reads the length bit by bit and hashes a NUL for each one and the password's first byte for each
        // zero.
        let mut length = password.len();
        while length > 0 {
            feed(&mut hasher, if length & 1 == 1 { &[0] } else { password.get(..1).unwrap_or_default() });
            length >>= 1;
        }
        Start { digest: hasher.finalize(), password: password.to_vec(), salt: self.salt }
    }

    fn salt(&self) -> Salt {
        self.salt
    }

    fn start_work(password_len: usize) -> Work {
        let blocks = password_len.saturating_mul(4).saturating_add(64).div_ceil(64);
        Work::from_nanos(600).plus(Work::from_nanos(BLOCK_NANOS).times(blocks as u64))
    }

    fn round_work(password_len: usize) -> Work {
        mean_round(password_len, SALT, 16, 64, 9, ROUND_NANOS, BLOCK_NANOS)
    }
}

/// A round apart from its blocks, nominally: measured in Node's V8, scaled to bcrypt's.
const ROUND_NANOS: u64 = 45;
/// A block of MD5, nominally: measured in Node's V8, scaled to bcrypt's.
const BLOCK_NANOS: u64 = 70;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_stage_is_charged_for_all_that_it_hashes() {
        for password in [0, 1, 16, 72, 256] {
            // Twice the password for the inner digest, once and as many bytes of that for the outer one.
            let hashed = (password * 4 + 3 * SALT) as u64 / 64 * BLOCK_NANOS;
            let charged = Md5Setting::start_work(password).nanos();
            assert!((hashed.max(1)..10_000).contains(&charged), "{password}: {charged} for {hashed} ns");
        }
    }
}
