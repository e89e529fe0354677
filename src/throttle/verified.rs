//! Pairs of user and password that were verified before.
//!
//! A login that was verified once is not hashed again: its fingerprint is looked up, which takes about a microsecond. A
//! wrong password is never remembered, so guessing neither fills the table nor gets quicker.

use super::fingerprint::{Fingerprint, Keyed, LinkedMap, Purpose};

/// How many pairs a worker remembers unless told otherwise.
pub const DEFAULT_CAPACITY: usize = 8_192;

/// A bounded table of verified pairs; the least recently used one makes room.
pub struct Verified {
    keyed: Keyed,
    capacity: usize,
    /// The least recently used pair in front.
    pairs: LinkedMap<()>,
}

impl Verified {
    /// An empty table under a random key. A capacity of 0 remembers nothing.
    #[must_use]
    pub fn new(key: &[u8; 32], capacity: usize) -> Self {
        Self { keyed: Keyed::new(key), capacity, pairs: LinkedMap::default() }
    }

    /// The fingerprint of a pair under the user list with that identity, for this table alone.
    ///
    /// The identity has to be different for lists that differ in anything. The lengths of all three are part of the
    /// fingerprint.
    #[must_use]
    pub fn fingerprint(&self, list: &[u8], user: &[u8], password: &[u8]) -> Fingerprint {
        self.keyed.fingerprint(Purpose::Pair, &[list, user, password])
    }

    /// Whether the pair was verified; if so, it now is the most recently used.
    pub fn contains(&mut self, pair: &Fingerprint) -> bool {
        self.pairs.to_back(pair).is_some()
    }

    /// How many pairs are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Remembers a pair. Only for one whose verification ended with the right password.
    pub fn insert(&mut self, pair: Fingerprint) {
        if self.capacity == 0 || self.contains(&pair) {
            return;
        }
        if self.pairs.len() >= self.capacity {
            self.pairs.pop_front();
        }
        self.pairs.insert(pair, ());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_the_least_recently_used_pair() {
        let mut verified = Verified::new(&[1; 32], 2);
        let [a, b, c] = [b"a", b"b", b"c"].map(|user| verified.fingerprint(b"list", user, b"password"));
        verified.insert(a);
        verified.insert(b);
        assert!(verified.contains(&a));
        verified.insert(c);
        assert!(verified.contains(&a) && !verified.contains(&b) && verified.contains(&c));
        verified.insert(a);
        assert_eq!(verified.pairs.len(), 2, "a pair is remembered once");
    }

    /// GHSA-6765-c87h-8mrf, CVE-2026-88010: two different pairs shared a key.
    #[test]
    fn lists_users_and_passwords_do_not_run_together() {
        let mut verified = Verified::new(&[1; 32], 8);
        let pair = verified.fingerprint(b"list", b"user", b"password");
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
            let other = verified.fingerprint(list.as_bytes(), user.as_bytes(), password.as_bytes());
            assert!(!verified.contains(&other));
        }
        assert!(verified.contains(&verified.fingerprint(b"list", b"user", b"password")));
    }

    #[test]
    fn a_capacity_of_nothing_remembers_nothing() {
        let mut verified = Verified::new(&[1; 32], 0);
        let pair = verified.fingerprint(b"", b"", b"");
        verified.insert(pair);
        assert!(!verified.contains(&pair));
    }
}
