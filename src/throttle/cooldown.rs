//! Clients that were told to come again later.

use std::time::Duration;

use super::fingerprint::{Fingerprint, Keyed, LinkedMap, Purpose};
use super::retry_after::retry_after;
use crate::request::client::Client;

/// Clients and user names that were told to come again, until they may.
///
/// A login that is turned away was compared all the same with what costs nothing: pairs verified before, plain
/// passwords, `{SHA}`. Without a pause, whoever keeps the queue full could guess those at any speed, with no hash
/// computed and no failure counted.
pub(super) struct Cooldown {
    keyed: Keyed,
    /// When each may come again, the earliest in front: all wait equally long.
    until: LinkedMap<Duration>,
}

impl Cooldown {
    /// How long they have to stay away.
    const PAUSE: Duration = Duration::from_secs(1);
    /// How many there may be; the oldest makes room.
    const MAX_ENTRIES: usize = 8_192;

    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self { keyed: Keyed::new(key), until: LinkedMap::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.until.is_empty()
    }

    fn fingerprint(&self, client: &Client, user: &[u8]) -> Fingerprint {
        self.keyed.fingerprint(Purpose::Attempt, &[&client.bytes(), user])
    }

    /// For how many seconds a client still has to stay away with this user name.
    pub(super) fn remaining(&mut self, client: &Client, user: &[u8], now: Duration) -> Option<u64> {
        while self.until.front().is_some_and(|(_, until)| *until <= now) {
            self.until.pop_front();
        }
        let until = self.until.get(&self.fingerprint(client, user))?;
        Some(retry_after(until.saturating_sub(now)))
    }

    pub(super) fn insert(&mut self, client: &Client, user: &[u8], now: Duration) {
        let fingerprint = self.fingerprint(client, user);
        if self.until.contains_key(&fingerprint) {
            return;
        }
        if self.until.len() >= Self::MAX_ENTRIES {
            self.until.pop_front();
        }
        self.until.insert(fingerprint, now.saturating_add(Self::PAUSE));
    }
}
