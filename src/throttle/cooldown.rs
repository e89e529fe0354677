//! Clients that were told to come again later.

use std::collections::VecDeque;
use std::time::Duration;

use super::fingerprint::{Fingerprint, FingerprintMap, Keyed, Purpose};
use super::retry_after::retry_after;
use crate::request::client::Client;

/// Clients and user names that were told to come again, until they may.
///
/// A login that is turned away was compared all the same with what costs nothing: pairs verified before, plain
/// passwords, `{SHA}`. Without a pause, whoever keeps the queue full could guess those at any speed, with no hash
/// spent and no failure counted.
pub(super) struct Cooldown {
    keyed: Keyed,
    until: FingerprintMap<Duration>,
    /// The same, the one that ends first in front.
    order: VecDeque<Fingerprint>,
}

impl Cooldown {
    /// How long they have to stay away.
    const PAUSE: Duration = Duration::from_secs(1);
    /// How many there may be, of about 50 bytes each; the oldest makes room.
    const MAX_ENTRIES: usize = 8_192;

    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self { keyed: Keyed::new(key), until: FingerprintMap::default(), order: VecDeque::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    fn fingerprint(&self, client: &Client, user: &[u8]) -> Fingerprint {
        self.keyed.fingerprint(Purpose::Attempt, &[&client.bytes(), user])
    }

    /// For how many seconds a client still has to stay away with this user name.
    pub(super) fn remaining(&mut self, client: &Client, user: &[u8], now: Duration) -> Option<u64> {
        while self.order.front().is_some_and(|first| self.until.get(first).is_none_or(|until| *until <= now)) {
            self.remove_first();
        }
        let until = self.until.get(&self.fingerprint(client, user))?;
        Some(retry_after(until.saturating_sub(now)))
    }

    pub(super) fn insert(&mut self, client: &Client, user: &[u8], now: Duration) {
        let fingerprint = self.fingerprint(client, user);
        if self.until.contains_key(&fingerprint) {
            return;
        }
        if self.order.len() >= Self::MAX_ENTRIES {
            self.remove_first();
        }
        self.until.insert(fingerprint, now.saturating_add(Self::PAUSE));
        self.order.push_back(fingerprint);
    }

    fn remove_first(&mut self) {
        if let Some(first) = self.order.pop_front() {
            self.until.remove(&first);
        }
    }
}
