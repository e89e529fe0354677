//! Failures and locks of the whole process.
//!
//! They come on top of those that each worker counts for itself: a slot may be full of other locks, and whoever can write
//! to the store can take a lock away, but not the worker's own.

use std::rc::Rc;
use std::time::Duration;

use super::{MAX_ENTRIES, Process, slot};
use crate::config::Lockout;
use crate::request::client::Client;
use crate::throttle::fingerprint::{Fingerprint, Purpose};
use crate::throttle::lockout::Count;

/// The failures of clients, as the process counts them.
///
/// All times are those of the process's monotonic clock.
pub(in crate::throttle) struct ProcessLocks(pub(in crate::throttle) Rc<Process>);

/// An entry as it is stored: a fingerprint, the number of failures (0 for a lock), and the nanoseconds since when they
/// count, or until when the lock lasts.
type Entry = [u8; 28];

/// How far the time of another worker may be ahead: each looks at the clock once for a slice of work, or for a request.
const SKEW: Duration = Duration::from_secs(1);

impl ProcessLocks {
    /// What the failures of a client with a user name are counted by; [tweaked](Fingerprint::tweaked) for each list.
    pub(in crate::throttle) fn attempt(&self, client: &Client, user: &[u8]) -> Fingerprint {
        self.0.fingerprint(Purpose::Attempt, &[&client.bytes(), user])
    }

    /// What was counted, if anything.
    pub(in crate::throttle) fn get(&self, key: Fingerprint, now: Duration) -> Option<Count> {
        let stored: Vec<Entry> = self.0.read(&slot("locks", key));
        stored.iter().find(|entry| fingerprint(entry) == key).map(count).filter(|count| is_honest(count, now))
    }

    /// Counts a failure; for how long its lock still lasts if it came too late.
    pub(in crate::throttle) fn failed(&self, key: Fingerprint, threshold: &Lockout, now: Duration) -> Option<Duration> {
        let mut locked = None;
        self.0.change(&slot("locks", key), |stored: &mut Vec<Entry>| {
            let known = stored.iter().position(|entry| fingerprint(entry) == key);
            let known = known.map(|index| count(&stored.remove(index)));
            let mut counted = known.filter(|count| is_honest(count, now)).unwrap_or_default();
            locked = remaining(&counted, threshold, now);
            if locked.is_some() {
                return false;
            }
            counted.fail(threshold, now);
            make_room(stored, threshold, now);
            if stored.len() < MAX_ENTRIES {
                stored.push(entry(key, counted));
            }
            true
        });
        locked
    }

    /// Forgets failures, but no lock.
    pub(in crate::throttle) fn succeeded(&self, key: Fingerprint, now: Duration) {
        self.0.change(&slot("locks", key), |stored: &mut Vec<Entry>| {
            let before = stored.len();
            stored.retain(|entry| fingerprint(entry) != key || count(entry).remaining(now).is_some());
            stored.len() < before
        });
    }
}

/// How long a lock still lasts, if it is one.
pub(in crate::throttle) fn remaining(count: &Count, threshold: &Lockout, now: Duration) -> Option<Duration> {
    let remaining = count.remaining(now)?;
    // By the clock of whoever locked it may be a little more than it should.
    Some(if remaining <= threshold.lock.saturating_add(SKEW) { remaining.min(threshold.lock) } else { remaining })
}

/// Takes out what has ended and, if that is not enough, the failures that began first.
fn make_room(stored: &mut Vec<Entry>, threshold: &Lockout, now: Duration) {
    if stored.len() < MAX_ENTRIES {
        return;
    }
    stored.retain(|entry| !count(entry).has_ended(threshold, now));
    if stored.len() >= MAX_ENTRIES
        && let Some(oldest) = stored.iter().position(|entry| count(entry).remaining(now).is_none())
    {
        stored.remove(oldest);
    }
}

/// Whether any configuration could have counted so: another one may lock for longer. What somebody else wrote must lock
/// nobody for ever.
fn is_honest(count: &Count, now: Duration) -> bool {
    let soon = now.saturating_add(SKEW);
    match *count {
        Count::Failures { since, .. } => since <= soon,
        Count::LockedUntil(until) => until <= soon.saturating_add(Lockout::MAX_LOCK),
    }
}

fn entry(key: Fingerprint, count: Count) -> Entry {
    let (number, time) = match count {
        Count::Failures { number, since } => (number, since),
        Count::LockedUntil(until) => (0, until),
    };
    let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let mut entry = Entry::default();
    let bytes = key.bytes().into_iter().chain(number.to_le_bytes()).chain(nanoseconds.to_le_bytes());
    entry.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    entry
}

fn fingerprint(entry: &Entry) -> Fingerprint {
    Fingerprint::from_bytes(entry.first_chunk().copied().unwrap_or_default())
}

fn count(entry: &Entry) -> Count {
    let number = entry.get(16..20).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
    let nanoseconds = entry.last_chunk().copied().map_or(0, u64::from_le_bytes);
    let time = Duration::from_nanos(nanoseconds);
    if number == 0 { Count::LockedUntil(time) } else { Count::Failures { number, since: time } }
}
