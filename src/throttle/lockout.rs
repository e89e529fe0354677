//! Clients that failed too often with one user name.
//!
//! After so many failures within a window, a client is answered `429` for that
//! user without a look at the password. Users that do not exist are counted
//! like any other; it is the name that was sent which counts.
//!
//! The table is bounded, and what happens at its bounds is chosen so that
//! neither lets a guesser go on, nor shuts out others for good:
//! - A lock in force is never given up. When the table is full, the count that
//!   was begun first makes room.
//! - A client has at most [`ENTRIES_PER_CLIENT`] entries. Failures with further
//!   names count on a tally that the client shares with one in
//!   [`TALLIES`] others, chosen by a secret key; when that is full, all of its
//!   clients are locked, for every name without an entry of its own, as long as
//!   any lock lasts.
//! - When every entry is a lock in force, further clients count on their
//!   tallies too.
//!
//! Counted is from the first failure on: a window ends, and the next failure
//! begins a new one. A lock ends by itself and leaves nothing behind; attempts
//! while it is in force do not prolong it.
//!
//! Verifications that take a while overlap: ask [`Locks::locked`] when a login
//! arrives, and again before its verification is worked on, else those that
//! wait together are all tried.

use std::time::Duration;

use super::fingerprint::{Fingerprint, FingerprintMap, Keyed, Purpose};
use super::retry_after::retry_after;
use super::slab::{Chain, Slab};
use crate::config::Lockout;
use crate::request::client::Client;

/// As many entries as the table has unless told otherwise; 4.3 MiB
/// when full, a failure each; the table takes memory as it fills.
pub const DEFAULT_CAPACITY: usize = 16_384;

/// How many user names of one client are counted one by one.
pub const ENTRIES_PER_CLIENT: usize = 16;

/// How many tallies there are for what finds no entry; 32 kilobytes when one
/// of them is needed.
pub const TALLIES: usize = 1_024;
const _: () = assert!(TALLIES.is_power_of_two());

/// A client and a user name, as fingerprints. Made by [`Locks::attempt`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    client: Fingerprint,
    pair: Fingerprint,
}

/// The failures of clients, and the locks in force.
///
/// All times are those of one monotonic clock, from any beginning.
pub struct Locks {
    keyed: Keyed,
    threshold: Lockout,
    capacity: usize,
    places: FingerprintMap<u32>,
    clients: FingerprintMap<Vec<u32>>,
    entries: Slab<Entry>,
    /// Entries that are not locked, the window that began first in front.
    counting: Chain,
    /// Locks, the one that ends first in front: all last equally long.
    locked: Chain,
    tallies: Vec<Count>,
}

#[derive(Clone, Copy)]
struct Entry {
    attempt: Attempt,
    count: Count,
}

/// Failures within a window, or a lock.
#[derive(Clone, Copy, Default)]
struct Count {
    failures: u32,
    since: Duration,
    until: Option<Duration>,
}

impl Count {
    /// Counts a failure; says whether it was the one that locks.
    fn fail(&mut self, threshold: &Lockout, now: Duration) -> bool {
        if self.rest(now).is_some() {
            return false;
        }
        if self.until.is_some() || now.saturating_sub(self.since) >= threshold.window {
            *self = Self::default();
        }
        if self.failures == 0 {
            self.since = now;
        }
        self.failures = self.failures.saturating_add(1);
        let locks = self.failures >= threshold.failures;
        if locks {
            self.until = Some(now.saturating_add(threshold.lock));
        }
        locks
    }

    /// How long the lock lasts still, if there is one.
    fn rest(&self, now: Duration) -> Option<Duration> {
        self.until?.checked_sub(now).filter(|rest| !rest.is_zero())
    }
}

impl Locks {
    /// An empty table under a random key, with so many entries at most.
    #[must_use]
    pub fn new(key: &[u8; 32], threshold: Lockout, capacity: usize) -> Self {
        Self {
            keyed: Keyed::new(key),
            threshold,
            capacity,
            places: FingerprintMap::default(),
            clients: FingerprintMap::default(),
            entries: Slab::default(),
            counting: Chain::default(),
            locked: Chain::default(),
            tallies: Vec::new(),
        }
    }

    /// The fingerprints of a client and the user name that it sent.
    #[must_use]
    pub fn attempt(&self, client: &Client, user: &[u8]) -> Attempt {
        let client = client.bytes();
        Attempt {
            client: self.keyed.fingerprint(Purpose::Client, &[&client]),
            pair: self.keyed.fingerprint(Purpose::Attempt, &[&client, user]),
        }
    }

    /// Whether this attempt is locked, and if so for how many seconds, 1 at
    /// least: the number for `retry-after`.
    #[must_use]
    pub fn locked(&self, attempt: &Attempt, now: Duration) -> Option<u64> {
        let count = match self.places.get(&attempt.pair) {
            Some(&place) => self.entries.get(place).map(|entry| entry.count),
            None => self.tallies.get(tally(attempt)).copied(),
        };
        count?.rest(now).map(retry_after)
    }

    /// Counts a failed verification. Says for how many seconds the attempt is
    /// locked, if it is from now on or was before.
    pub fn failed(&mut self, attempt: &Attempt, now: Duration) -> Option<u64> {
        self.expire(now);
        if let Some(place) = self.places.get(&attempt.pair).copied().or_else(|| self.admit(attempt)) {
            if let Some(entry) = self.entries.get_mut(place)
                && entry.count.fail(&self.threshold, now)
            {
                self.entries.move_over(&mut self.counting, &mut self.locked, place);
            }
        } else {
            self.tallies.resize(TALLIES, Count::default());
            if let Some(count) = self.tallies.get_mut(tally(attempt)) {
                count.fail(&self.threshold, now);
            }
        }
        self.locked(attempt, now)
    }

    /// Forgets the failures of a client with a user name, once it was right.
    /// A lock in force stays: whoever is locked is not verified.
    pub fn succeeded(&mut self, attempt: &Attempt) {
        if let Some(&place) = self.places.get(&attempt.pair)
            && self.entries.get(place).is_some_and(|entry| entry.count.until.is_none())
        {
            self.forget(place);
        }
    }

    /// A new entry for an attempt, unless the table's bounds forbid it.
    fn admit(&mut self, attempt: &Attempt) -> Option<u32> {
        let of_client = self.clients.get(&attempt.client).map_or(0, Vec::len);
        if of_client >= ENTRIES_PER_CLIENT {
            return None;
        }
        if self.places.len() >= self.capacity {
            self.forget(self.counting.first()?);
        }
        let entry = Entry { attempt: *attempt, count: Count::default() };
        let place = self.entries.insert(&mut self.counting, entry);
        self.places.insert(attempt.pair, place);
        self.clients.entry(attempt.client).or_default().push(place);
        Some(place)
    }

    /// Drops windows and locks that have ended.
    fn expire(&mut self, now: Duration) {
        while let Some(place) = self.counting.first()
            && let Some(entry) = self.entries.get(place)
            && now.saturating_sub(entry.count.since) >= self.threshold.window
        {
            self.forget(place);
        }
        while let Some(place) = self.locked.first()
            && let Some(entry) = self.entries.get(place)
            && entry.count.rest(now).is_none()
        {
            self.forget(place);
        }
    }

    fn forget(&mut self, place: u32) {
        let Some(entry) = self.entries.get(place) else {
            return;
        };
        let chain = if entry.count.until.is_some() { &mut self.locked } else { &mut self.counting };
        let Some(Entry { attempt, .. }) = self.entries.remove(chain, place) else {
            return;
        };
        self.places.remove(&attempt.pair);
        if let Some(places) = self.clients.get_mut(&attempt.client) {
            places.retain(|&other| other != place);
            if places.is_empty() {
                self.clients.remove(&attempt.client);
            }
        }
    }
}

/// Which tally the client of an attempt shares.
fn tally(attempt: &Attempt) -> usize {
    usize::try_from(attempt.client.word() & (TALLIES as u64).wrapping_sub(1)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
