//! Pairs of user and password that were verified before.
//!
//! A login that was verified once is not hashed again: its fingerprint is
//! looked up, at about a microsecond. Nothing that failed ever enters, so
//! guessing neither fills the table nor gets quicker.

use super::fingerprint::{Fingerprint, FingerprintMap, Keyed, Purpose};
use super::slab::{Chain, Slab};

/// As many pairs as a worker remembers unless told otherwise; 0.8 MiB
/// when full.
pub const DEFAULT_CAPACITY: usize = 8_192;

/// The fingerprint of a user, a password and the list that knows them.
///
/// Made by [`Verified::pair`] and good for that table alone. No `Debug`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pair(Fingerprint);

/// A bounded table of verified pairs; the one unused for longest makes room.
pub struct Verified {
    keyed: Keyed,
    capacity: usize,
    places: FingerprintMap<u32>,
    pairs: Slab<Pair>,
    /// The pair unused for longest first.
    by_use: Chain,
}

impl Verified {
    /// An empty table under a random key. A capacity of 0 remembers nothing.
    #[must_use]
    pub fn new(key: &[u8; 32], capacity: usize) -> Self {
        Self {
            keyed: Keyed::new(key),
            capacity,
            places: FingerprintMap::default(),
            pairs: Slab::default(),
            by_use: Chain::default(),
        }
    }

    /// The fingerprint of a pair under the user list with that identity.
    ///
    /// The identity has to be different for lists that differ in anything. The
    /// lengths of all three are part of the fingerprint.
    #[must_use]
    pub fn pair(&self, list: &[u8], user: &[u8], password: &[u8]) -> Pair {
        Pair(self.keyed.fingerprint(Purpose::Pair, &[list, user, password]))
    }

    /// Whether the pair was verified; if so, it is now the last to be forgotten.
    pub fn contains(&mut self, pair: &Pair) -> bool {
        let Some(&place) = self.places.get(&pair.0) else {
            return false;
        };
        self.pairs.move_to_end(&mut self.by_use, place);
        true
    }

    /// Remembers a pair. Only for one whose verification ended right.
    pub fn insert(&mut self, pair: Pair) {
        if self.capacity == 0 || self.contains(&pair) {
            return;
        }
        if self.places.len() >= self.capacity
            && let Some(oldest) = self.by_use.first().and_then(|place| self.pairs.remove(&mut self.by_use, place))
        {
            self.places.remove(&oldest.0);
        }
        let place = self.pairs.insert(&mut self.by_use, pair);
        self.places.insert(pair.0, place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_the_pair_unused_for_longest() {
        let mut verified = Verified::new(&[1; 32], 2);
        let [a, b, c] = [b"a", b"b", b"c"].map(|user| verified.pair(b"list", user, b"password"));
        verified.insert(a);
        verified.insert(b);
        assert!(verified.contains(&a));
        verified.insert(c);
        assert!(verified.contains(&a) && !verified.contains(&b) && verified.contains(&c));
        assert_eq!(verified.places.len(), 2);
    }

    /// GHSA-6765-c87h-8mrf, CVE-2026-88010: two different pairs shared a key.
    #[test]
    fn lists_users_and_passwords_do_not_run_together() {
        let mut verified = Verified::new(&[1; 32], 8);
        let pair = verified.pair(b"list", b"user", b"password");
        verified.insert(pair);
        for (list, user, password) in [
            ("lis", "tuser", "password"),
            ("list", "userp", "assword"),
            ("list", "use", "rpassword"),
            ("list", "userpassword", ""),
            ("list", "", "userpassword"),
            ("list", "password", "user"),
            ("list", "user:", "password"),
            ("list", "user", ":password"),
            ("list", "USER", "password"),
            ("other", "user", "password"),
            ("", "listuser", "password"),
        ] {
            let other = verified.pair(list.as_bytes(), user.as_bytes(), password.as_bytes());
            assert!(!verified.contains(&other));
        }
        assert!(verified.contains(&verified.pair(b"list", b"user", b"password")));
    }

    #[test]
    fn a_capacity_of_nothing_remembers_nothing() {
        let mut verified = Verified::new(&[1; 32], 0);
        let pair = verified.pair(b"", b"", b"");
        verified.insert(pair);
        assert!(!verified.contains(&pair));
    }
}
