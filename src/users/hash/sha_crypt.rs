//! `$5$` and `$6$`: SHA-crypt.
//!
//! Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512", version 0.6: 5,000 rounds unless `rounds=` names another
//! number.

use digest::FixedOutputReset;
use sha2::{Digest, Sha256, Sha512};

use super::rounds::{Flavour, Start, feed, mean_round};
use super::salt::{Salt, decode_crypt64};
use super::work::Work;
use super::{HashError, Scheme};

/// The rounds of a hash that names none.
const DEFAULT_ROUNDS: u32 = 5_000;

/// The fewest rounds that a `$5$` or `$6$` hash may name.
///
/// The specification raises fewer to this number before it hashes and before it writes, so no implementation ever wrote
/// a smaller one; libxcrypt refuses them when it reads, and so does this.
pub(super) const SHA_CRYPT_MIN_ROUNDS: u32 = 1_000;

/// The most rounds that a `$5$` or `$6$` hash may name.
///
/// With the passwords that people have this is about half a second of work, less than what the costliest bcrypt hash takes, see
/// [`BCRYPT_MAX_COST`](super::bcrypt::BCRYPT_MAX_COST); with the longest password it is two seconds.
pub(super) const SHA_CRYPT_MAX_ROUNDS: u32 = 1_000_000;

/// The most rounds that draw no warning: 50 ms.
const ROUNDS_WITHOUT_WARNING: u32 = 100_000;

/// The most characters of salt that count.
const SALT: usize = 16;

/// Which of the two, and its salt.
#[derive(Clone, Copy)]
pub(crate) struct ShaSetting<D> {
    pub(super) salt: Salt,
    kind: std::marker::PhantomData<D>,
}

impl<D> ShaSetting<D> {
    pub(super) const fn new(salt: Salt) -> Self {
        Self { salt, kind: std::marker::PhantomData }
    }
}

/// One `$5$` or `$6$` hash.
#[derive(Clone, Copy)]
pub(crate) struct ShaCrypt<const N: usize> {
    pub(super) salt: Salt,
    pub(super) rounds: u32,
    pub(super) digest: [u8; N],
}

impl<const N: usize> ShaCrypt<N> {
    pub(super) fn is_costly(&self) -> bool {
        self.rounds > ROUNDS_WITHOUT_WARNING
    }

    /// `salt$digest` or `rounds=number$salt$digest`, what follows the marker.
    pub(super) fn parse(text: &str, scheme: Scheme) -> Result<Self, HashError> {
        let (rounds, text) = match text.strip_prefix("rounds=") {
            None => (DEFAULT_ROUNDS, text),
            Some(text) => {
                let (number, text) = text.split_once('$').ok_or(HashError::Rounds(scheme))?;
                (rounds(number, scheme)?, text)
            }
        };
        let (salt, digest) = text.split_once('$').ok_or(HashError::Digest(scheme))?;
        let salt = Salt::parse(salt.as_bytes(), SALT, scheme)?;
        let digest = decode_crypt64(digest.as_bytes()).ok_or(HashError::Digest(scheme))?;
        Ok(Self { salt, rounds, digest })
    }
}

/// A number as every implementation writes it: digits, no zero in front.
fn rounds(text: &str, scheme: Scheme) -> Result<u32, HashError> {
    if text.is_empty() || text.starts_with('0') || !text.bytes().all(|c| c.is_ascii_digit()) {
        return Err(HashError::Rounds(scheme));
    }
    let rounds = text.parse().unwrap_or(u32::MAX);
    if rounds < SHA_CRYPT_MIN_ROUNDS {
        return Err(HashError::CostTooLow { scheme, min: SHA_CRYPT_MIN_ROUNDS });
    }
    if rounds > SHA_CRYPT_MAX_ROUNDS {
        return Err(HashError::CostTooHigh { scheme, max: SHA_CRYPT_MAX_ROUNDS });
    }
    Ok(rounds)
}

/// Steps 1 to 20 of the specification: everything before the rounds.
fn start<D: Digest + FixedOutputReset>(password: &[u8], salt: Salt) -> Start<D> {
    let text = salt.as_slice();
    let mut hasher = D::new();
    for part in [password, text, password] {
        feed(&mut hasher, part);
    }
    let inner = hasher.finalize_reset();

    for part in [password, text] {
        feed(&mut hasher, part);
    }
    for part in password.chunks(inner.len()) {
        feed(&mut hasher, inner.get(..part.len()).unwrap_or_default());
    }
    let mut length = password.len();
    while length > 0 {
        feed(&mut hasher, if length & 1 == 1 { &inner } else { password });
        length >>= 1;
    }
    let digest = hasher.finalize_reset();

    for _ in 0..password.len() {
        feed(&mut hasher, password);
    }
    let password = repeated(&hasher.finalize_reset(), password.len());

    for _ in 0..usize::from(digest.first().copied().unwrap_or_default()).saturating_add(16) {
        feed(&mut hasher, text);
    }
    let salt = Salt::copy(&repeated(&hasher.finalize_reset(), text.len())).unwrap_or(salt);

    Start { digest, password, salt }
}

fn repeated(digest: &[u8], len: usize) -> Vec<u8> {
    digest.iter().copied().cycle().take(len).collect()
}

/// The first stage hashes the password as often as it has bytes, and the salt 16 to 271 times, as a byte of a digest
/// says: charged as the most.
const fn start_work(password_len: usize, block: usize, block_nanos: u64) -> Work {
    let bytes = password_len
        .saturating_mul(password_len)
        .saturating_add(password_len.saturating_mul(16))
        .saturating_add(271 * SALT);
    Work::from_micros(2).plus(Work::from_nanos(block_nanos).times(bytes.div_ceil(block) as u64))
}

impl Flavour for ShaSetting<Sha256> {
    type Digest = Sha256;

    const ORDER: &'static [usize] = &[
        20, 10, 0, 11, 1, 21, 2, 22, 12, 23, 13, 3, 14, 4, 24, 5, 25, 15, 26, 16, 6, 17, 7, 27, 8, 28, 18, 29, 19, 9,
        30, 31,
    ];

    fn start(&self, password: &[u8]) -> Start<Sha256> {
        start(password, self.salt)
    }

    fn salt(&self) -> Salt {
        self.salt
    }

    fn start_work(password_len: usize) -> Work {
        start_work(password_len, 64, SHA256_BLOCK_NANOS)
    }

    fn round_work(password_len: usize) -> Work {
        mean_round(password_len, SALT, 32, 64, 9, SHA256_ROUND_NANOS, SHA256_BLOCK_NANOS)
    }
}

impl Flavour for ShaSetting<Sha512> {
    type Digest = Sha512;

    const ORDER: &'static [usize] = &[
        42, 21, 0, 1, 43, 22, 23, 2, 44, 45, 24, 3, 4, 46, 25, 26, 5, 47, 48, 27, 6, 7, 49, 28, 29, 8, 50, 51, 30, 9,
        10, 52, 31, 32, 11, 53, 54, 33, 12, 13, 55, 34, 35, 14, 56, 57, 36, 15, 16, 58, 37, 38, 17, 59, 60, 39, 18, 19,
        61, 40, 41, 20, 62, 63,
    ];

    fn start(&self, password: &[u8]) -> Start<Sha512> {
        start(password, self.salt)
    }

    fn salt(&self) -> Salt {
        self.salt
    }

    fn start_work(password_len: usize) -> Work {
        start_work(password_len, 128, SHA512_BLOCK_NANOS)
    }

    fn round_work(password_len: usize) -> Work {
        mean_round(password_len, SALT, 64, 128, 17, SHA512_ROUND_NANOS, SHA512_BLOCK_NANOS)
    }
}

/// A round of SHA-256-crypt apart from its blocks, nominally: measured in Node's V8, scaled to bcrypt's.
const SHA256_ROUND_NANOS: u64 = 65;
/// A block of SHA-256, nominally: measured in Node's V8, scaled to bcrypt's.
const SHA256_BLOCK_NANOS: u64 = 210;
/// A round of SHA-512-crypt apart from its blocks, nominally: measured in Node's V8, scaled to bcrypt's.
const SHA512_ROUND_NANOS: u64 = 60;
/// A block of SHA-512, nominally: measured in Node's V8, scaled to bcrypt's.
const SHA512_BLOCK_NANOS: u64 = 280;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_stage_is_charged_for_all_that_it_hashes() {
        for password in [0, 1, 16, 72, 256] {
            for (charged, block, block_nanos) in [
                (ShaSetting::<Sha256>::start_work(password), 64, SHA256_BLOCK_NANOS),
                (ShaSetting::<Sha512>::start_work(password), 128, SHA512_BLOCK_NANOS),
            ] {
                let hashed = (password * password + 271 * SALT) as u64 / block * block_nanos;
                assert!((hashed..250_000).contains(&charged.nanos()), "{password}: {charged:?} for {hashed} ns");
            }
        }
    }
}
