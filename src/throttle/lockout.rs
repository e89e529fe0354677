//! Clients that failed too often with one user name of one list.
//!
//! After so many failures within a window, a client is answered `429` for that user, wherever that list is asked, without
//! a look at the password. Users that do not exist are counted like any other: the name that was sent counts, for every
//! list of the rule that refused it.
//!
//! The table is bounded, and what happens at its bounds is chosen so that neither lets a guesser go on, nor shuts out
//! others for good:
//! - A lock in force is never given up. When the table is full, the window that began first makes room.
//! - A client has at most [`ENTRIES_PER_CLIENT`] entries. Failures beyond them count on a tally that the client
//!   shares with one in [`TALLIES`] others, chosen by a secret key; when that is full, all of its clients are locked,
//!   for whatever has no entry of its own, as long as any lock lasts.
//! - When every entry is a lock in force, further clients count on their tallies too.
//!
//! A window begins with the first failure; the first failure after its end begins another. A lock ends by itself and
//! leaves nothing behind; attempts while it is in force do not prolong it.
//!
//! Verifications that take a while overlap: ask [`Locks::locked`] when a login arrives, and again before its
//! verification is worked on. Otherwise those that wait together are all tried.

use std::time::Duration;

use super::fingerprint::{Fingerprint, FingerprintMap, Keyed, LinkedMap, Purpose};
use super::retry_after::retry_after;
use crate::config::Lockout;
use crate::policy::UserListId;
use crate::request::client::Client;

/// How many entries the table has unless told otherwise. It takes memory as it fills.
pub const DEFAULT_CAPACITY: usize = 16_384;

/// How many user names of one client, each for one list, are counted one by one.
pub const ENTRIES_PER_CLIENT: usize = 16;

/// How many tallies there are for what finds no entry. They take memory when the first of them is needed.
pub const TALLIES: usize = 1_024;
const _: () = assert!(TALLIES.is_power_of_two());

/// A client and a user name, as fingerprints. Made by [`Locks::attempt`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    client: Fingerprint,
    user: Fingerprint,
}

impl Attempt {
    /// What its failures for a list are counted by.
    fn key(&self, list: UserListId) -> Fingerprint {
        self.user.tweaked(match list {
            UserListId::Credentials(id) => u64::from(id.number()).wrapping_mul(2),
            UserListId::Htpasswd(number) => u64::from(number).wrapping_mul(2).wrapping_add(1),
        })
    }
}

/// The failures of clients, and the locks in force.
///
/// All times are those of one monotonic clock, with any origin.
pub struct Locks {
    keyed: Keyed,
    threshold: Lockout,
    capacity: usize,
    /// What is counted and not locked; the window that began first in front.
    windows: LinkedMap<Counted>,
    /// Locks; the one that ends first in front, because all last equally long.
    in_force: LinkedMap<Counted>,
    /// How many entries a client has in both.
    clients: FingerprintMap<usize>,
    tallies: Vec<Count>,
}

/// An entry of the table.
#[derive(Clone, Copy)]
struct Counted {
    client: Fingerprint,
    count: Count,
}

/// Failures within a window, or a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    Failures { number: u32, since: Duration },
    LockedUntil(Duration),
}

impl Default for Count {
    fn default() -> Self {
        Self::Failures { number: 0, since: Duration::ZERO }
    }
}

impl Count {
    /// Counts a failure; says whether it was the one that locks.
    pub(super) fn fail(&mut self, threshold: &Lockout, now: Duration) -> bool {
        if self.remaining(now).is_some() {
            return false;
        }
        let (number, since) = match *self {
            Self::Failures { number: number @ 1.., since } if now.saturating_sub(since) < threshold.window => {
                (number.saturating_add(1), since)
            }
            _ => (1, now),
        };
        let locks = number >= threshold.failures;
        *self = if locks {
            Self::LockedUntil(now.saturating_add(threshold.lock))
        } else {
            Self::Failures { number, since }
        };
        locks
    }

    /// Whether its window, or its lock, is over.
    pub(super) fn has_ended(&self, threshold: &Lockout, now: Duration) -> bool {
        match *self {
            Self::Failures { since, .. } => now.saturating_sub(since) >= threshold.window,
            Self::LockedUntil(_) => self.remaining(now).is_none(),
        }
    }

    /// How long the lock still lasts, if there is one.
    pub(super) fn remaining(&self, now: Duration) -> Option<Duration> {
        match *self {
            Self::Failures { .. } => None,
            Self::LockedUntil(until) => until.checked_sub(now).filter(|remaining| !remaining.is_zero()),
        }
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
            windows: LinkedMap::default(),
            in_force: LinkedMap::default(),
            clients: FingerprintMap::default(),
            tallies: Vec::new(),
        }
    }

    /// The fingerprints of a client and the user name that it sent.
    #[must_use]
    pub fn attempt(&self, client: &Client, user: &[u8]) -> Attempt {
        let client = client.bytes();
        Attempt {
            client: self.keyed.fingerprint(Purpose::Client, &[&client]),
            user: self.keyed.fingerprint(Purpose::Attempt, &[&client, user]),
        }
    }

    /// Whether this attempt is locked for a list, and if so for how many seconds, 1 at least: the number for `retry-after`.
    #[must_use]
    pub fn locked(&self, attempt: &Attempt, list: UserListId, now: Duration) -> Option<u64> {
        let key = attempt.key(list);
        let count = match self.in_force.get(&key) {
            Some(lock) => lock.count,
            None if self.windows.contains_key(&key) => return None,
            None => *self.tallies.get(tally(attempt))?,
        };
        count.remaining(now).map(retry_after)
    }

    /// Counts a failed verification for the lists that were asked.
    pub fn failed(&mut self, attempt: &Attempt, lists: &[UserListId], now: Duration) {
        self.expire(now);
        let mut is_tallied = false;
        for list in lists {
            let key = attempt.key(*list);
            if self.in_force.contains_key(&key) {
                continue;
            }
            if !self.windows.contains_key(&key) && !self.admit(&attempt.client, key) {
                is_tallied = true;
            } else if let Some(counted) = self.windows.get_mut(&key)
                && counted.count.fail(&self.threshold, now)
                && let Some(lock) = self.windows.remove(&key)
            {
                self.in_force.insert(key, lock);
            }
        }
        // One failure, however many lists have no entry.
        if is_tallied {
            self.tallies.resize(TALLIES, Count::default());
            if let Some(count) = self.tallies.get_mut(tally(attempt)) {
                count.fail(&self.threshold, now);
            }
        }
    }

    /// Whether failures of this attempt are counted for a list, and it is not locked.
    #[must_use]
    pub fn is_counted(&self, attempt: &Attempt, list: UserListId) -> bool {
        self.windows.contains_key(&attempt.key(list))
    }

    /// Forgets the failures of a client with a user name for a list, once that is known to have accepted it. A lock in
    /// force stays: whoever is locked is not verified.
    pub fn succeeded(&mut self, attempt: &Attempt, list: UserListId) {
        if let Some(counted) = self.windows.remove(&attempt.key(list)) {
            self.release(&counted.client);
        }
    }

    fn len(&self) -> usize {
        self.windows.len().saturating_add(self.in_force.len())
    }

    /// Makes an entry of a client; says whether the table's bounds allow it.
    fn admit(&mut self, client: &Fingerprint, key: Fingerprint) -> bool {
        if self.clients.get(client).is_some_and(|entries| *entries >= ENTRIES_PER_CLIENT) {
            return false;
        }
        if self.len() >= self.capacity {
            let Some((_, oldest)) = self.windows.pop_front() else { return false };
            self.release(&oldest.client);
        }
        self.windows.insert(key, Counted { client: *client, count: Count::default() });
        let entries = self.clients.entry(*client).or_default();
        *entries = entries.saturating_add(1);
        true
    }

    /// Drops windows and locks that have ended.
    fn expire(&mut self, now: Duration) {
        while let Some((_, first)) = self.windows.front()
            && first.count.has_ended(&self.threshold, now)
            && let Some((_, ended)) = self.windows.pop_front()
        {
            self.release(&ended.client);
        }
        while let Some((_, first)) = self.in_force.front()
            && first.count.has_ended(&self.threshold, now)
            && let Some((_, ended)) = self.in_force.pop_front()
        {
            self.release(&ended.client);
        }
    }

    /// Notes that an entry of a client is gone.
    fn release(&mut self, client: &Fingerprint) {
        if let Some(entries) = self.clients.get_mut(client) {
            *entries = entries.saturating_sub(1);
            if *entries == 0 {
                self.clients.remove(client);
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
