//! Keyed digests: how tables hold names and passwords without holding them.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// Half of an HMAC-SHA-256 (RFC 2104, RFC 4868 cuts it likewise).
///
/// Without the key nobody can tell what it is of, nor find another input that has it; so tables may compare it as it
/// is, in any time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 16]);

impl Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.word());
    }
}

impl Fingerprint {
    /// The fingerprint that has these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// Its first eight bytes, as evenly spread as all of it.
    #[must_use]
    pub fn word(&self) -> u64 {
        self.0.first_chunk().copied().map_or(0, u64::from_le_bytes)
    }

    /// What is told by eight bytes alone: for keys of a map, and where one may be mistaken for another.
    #[must_use]
    pub fn from_word(word: u64) -> Self {
        Self(u128::from(word).to_le_bytes())
    }

    /// One of a family of fingerprints, by a number: different for different numbers, and as hard to find an input for.
    #[must_use]
    pub fn tweaked(mut self, number: u64) -> Self {
        // Spreads small numbers over all bits: 2^64 divided by the golden ratio.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let word = self.word() ^ number.wrapping_mul(SPREAD);
        self.0.iter_mut().zip(word.to_le_bytes()).for_each(|(to, from)| *to = from);
        self
    }
}

/// What a fingerprint is for: those of one purpose say nothing about those of another, although the key is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A verified pair of user and password.
    Pair,
    /// A client and a user name that failed.
    Attempt,
    /// A client.
    Client,
    /// A pair of user and password, for where the process keeps what it knows of it.
    Slot,
    /// A pair and the hash that it was verified against.
    Verified,
}

/// HMAC-SHA-256 under one key, ready to be used many times. No `Debug`.
#[derive(Clone)]
pub struct Keyed(Hmac<Sha256>);

impl Keyed {
    /// Takes a key that has to be drawn at random at start and never written down.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        // HMAC itself lengthens a key with zeros to a block (RFC 2104 section 2).
        let mut block = [0; 64];
        let (front, _zeros) = block.split_at_mut(32);
        front.copy_from_slice(key);
        Self(Hmac::new(&block.into()))
    }

    /// The fingerprint of a list of byte strings.
    ///
    /// The length of each goes in before it, so no two lists run together.
    #[must_use]
    pub fn fingerprint(&self, purpose: Purpose, parts: &[&[u8]]) -> Fingerprint {
        let mut mac = self.0.clone();
        mac.update(&[purpose as u8]);
        for part in parts {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        let mut half = [0; 16];
        half.iter_mut().zip(mac.finalize().into_bytes()).for_each(|(to, from)| *to = from);
        Fingerprint(half)
    }
}

/// Fingerprints as keys of a map: they need no further hashing, because nobody without the key can choose them.
pub(crate) type FingerprintMap<V> = hashbrown::HashMap<Fingerprint, V, BuildHasherDefault<FirstWord>>;

/// Such a map that keeps its entries in an order, that of their insertion unless one is moved to the back.
pub(crate) type LinkedMap<V> = hashlink::LinkedHashMap<Fingerprint, V, BuildHasherDefault<FirstWord>>;

/// Takes the word of a fingerprint for its hash.
#[derive(Default)]
pub(crate) struct FirstWord(u64);

impl Hasher for FirstWord {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        // Fingerprints are all that is hashed, and they write a word.
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::BuildHasher;

    /// RFC 4231, test case 1 has a 20-byte key; lengthened with zeros it is the same key.
    #[test]
    fn is_hmac_sha_256() {
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let mut mac = Keyed::new(&key).0;
        mac.update(b"Hi There");
        let found = mac.finalize().into_bytes();
        assert_eq!(found[..8], [0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53]);
    }

    /// GHSA-6765-c87h-8mrf, CVE-2026-88010: two different pairs shared a key.
    #[test]
    fn parts_do_not_run_together() {
        let keyed = Keyed::new(&[7; 32]);
        let of = |parts: &[&[u8]]| keyed.fingerprint(Purpose::Pair, parts).0;
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"a", b"bc"]));
        assert_ne!(of(&[b"ab"]), of(&[b"ab", b""]));
        assert_ne!(of(&[b"", b"ab"]), of(&[b"ab", b""]));
        // What looks like the end of one part and the length of the next is a part of its own.
        assert_ne!(of(&[b"a", b"b"]), of(&[b"a\x01\0\0\0\0\0\0\0b"]));
        assert_eq!(of(&[b"ab", b"c"]), of(&[b"ab", b"c"]));
        assert_ne!(of(&[b"ab"]), keyed.fingerprint(Purpose::Client, &[b"ab"]).0);
        assert_ne!(of(&[b"ab"]), Keyed::new(&[8; 32]).fingerprint(Purpose::Pair, &[b"ab"]).0);
    }

    #[test]
    fn each_number_makes_another_fingerprint() {
        let fingerprint = Keyed::new(&[7; 32]).fingerprint(Purpose::Attempt, &[b"ab"]);
        let mut family: Vec<_> = (0..1_000).map(|number| fingerprint.tweaked(number).0).collect();
        assert!(family.iter().all(|one| one[8..] == fingerprint.0[8..]));
        family.sort_unstable();
        family.dedup();
        assert_eq!((family.len(), fingerprint.tweaked(0).0), (1_000, fingerprint.0));
    }

    #[test]
    fn a_fingerprint_is_its_own_hash() {
        let fingerprint = Keyed::new(&[7; 32]).fingerprint(Purpose::Pair, &[b"ab"]);
        assert_eq!(BuildHasherDefault::<FirstWord>::default().hash_one(fingerprint), fingerprint.word());
    }
}
