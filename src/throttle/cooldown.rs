//! Clients that were told to come again later.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::fingerprint::{Fingerprint, Keyed, LinkedMap, Purpose};
use super::retry_after::retry_after;
use crate::request::client::Client;
use crate::users::pair::Pair;

/// Clients and user names that were told to come again, until they may.
///
/// A login that is turned away was compared all the same with what costs nothing: pairs verified before, plain
/// passwords, `{SHA}`. Without a pause, whoever keeps the queue full could guess those at any speed, with no hash
/// computed and no failure counted.
///
/// A pair that the very client was accepted with before is exempt: the client learns nothing by presenting it again.
pub(super) struct Cooldown {
    keyed: Keyed,
    /// When each may come again, the earliest in front: all wait equally long.
    until: LinkedMap<Duration>,
    /// Clients with pairs that they were accepted with, the least recent in front.
    exempt: LinkedMap<()>,
    exempt_key: RandomState,
}

impl Cooldown {
    /// How long they have to stay away.
    const PAUSE: Duration = Duration::from_secs(1);
    /// How many of each there may be; the oldest makes room.
    const MAX_ENTRIES: usize = 8_192;

    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self {
            keyed: Keyed::new(key),
            until: LinkedMap::default(),
            exempt: LinkedMap::default(),
            exempt_key: RandomState::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.until.is_empty()
    }

    fn fingerprint(&self, client: &Client, user: &[u8]) -> Fingerprint {
        self.keyed.fingerprint(Purpose::Attempt, &[&client.bytes(), user])
    }

    /// What an exempt pair of a client is found by. A mistake would let a pair go on to its verification, no further.
    fn exempt_word(&self, client: &Client, pair: &Pair) -> Fingerprint {
        let word = self.exempt_key.hash_one((client.bytes(), pair.user(), pair.password()));
        Fingerprint::from_word(word)
    }

    /// For how many seconds a client still has to stay away with the user name of this pair, unless the pair is exempt.
    pub(super) fn remaining(&mut self, client: &Client, pair: &Pair, now: Duration) -> Option<u64> {
        while self.until.front().is_some_and(|(_, until)| *until <= now) {
            self.until.pop_front();
        }
        let until = self.until.get(&self.fingerprint(client, pair.user()))?;
        if self.exempt.contains_key(&self.exempt_word(client, pair)) {
            return None;
        }
        Some(retry_after(until.saturating_sub(now)))
    }

    /// Makes a client stay away with the user name of this pair.
    pub(super) fn insert(&mut self, client: &Client, pair: &Pair, now: Duration) {
        let fingerprint = self.fingerprint(client, pair.user());
        if self.until.contains_key(&fingerprint) {
            return;
        }
        if self.until.len() >= Self::MAX_ENTRIES {
            self.until.pop_front();
        }
        self.until.insert(fingerprint, now.saturating_add(Self::PAUSE));
    }

    /// Notes that a client was accepted with a pair.
    pub(super) fn exempt(&mut self, client: &Client, pair: &Pair) {
        let word = self.exempt_word(client, pair);
        if self.exempt.to_back(&word).is_some() {
            return;
        }
        if self.exempt.len() >= Self::MAX_ENTRIES {
            self.exempt.pop_front();
        }
        self.exempt.insert(word, ());
    }
}
