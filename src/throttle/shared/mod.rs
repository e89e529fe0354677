//! What all workers of a process know together: pairs that were verified, failures and locks.
//!
//! A proxy has a store that all of its workers and all of its configurations can read and write, and so can every other
//! module under the same `vm_id`. So nothing that is found there is believed for what it says, and what has not the form
//! that this module writes counts as nothing: `pairs` and `locks` say what that comes to.
//!
//! The store never forgets a key, so the keys are few: [`SLOTS`] of each kind, each with a few entries, found by keyed
//! digests. The key of those is drawn once for the process.

pub(super) mod locks;
pub(super) mod pairs;
#[cfg(test)]
pub(super) mod tests;

use super::fingerprint::{Fingerprint, Keyed, Purpose};

/// The store of the proxy.
pub trait SharedData {
    /// What is stored under a key, and its version, which is never 0.
    fn get(&self, key: &str) -> Option<(Box<[u8]>, u32)>;

    /// Stores a value, if what is there has that version still; says whether it did. A key that is not there takes any
    /// version but 0.
    fn set(&self, key: &str, value: &[u8], version: u32) -> bool;
}

/// Under how many keys entries of a kind are stored.
const SLOTS: u64 = 1_024;

/// How many entries a slot holds.
const MAX_ENTRIES: usize = 8;

/// The key of the secret under which digests are made, and the beginning of all other keys. The number changes when what
/// is stored takes another form: an old and a new version of this module may run side by side.
const KEY: &str = "basic_auth.1";

/// A version that no value has, for a key that is not there: another worker's value is then left alone.
const ABSENT: u32 = u32::MAX;

/// How often a change is tried that others come before: more often than a proxy has workers that change one slot.
const MAX_TRIES: usize = 16;

/// The store, and the secret of the process.
pub(super) struct Process {
    shared: Box<dyn SharedData>,
    keyed: Keyed,
}

impl Process {
    /// Takes the secret of the process, or makes `random` that, if there is none yet.
    pub(super) fn new(shared: Box<dyn SharedData>, random: &[u8; 32]) -> Self {
        let stored = || shared.get(KEY).map(|(value, version)| (<[u8; 32]>::try_from(&*value), version));
        let mut found = stored();
        if !matches!(found, Some((Ok(_), _))) {
            shared.set(KEY, random, found.map_or(ABSENT, |(_, version)| version));
            // Another worker may have come before.
            found = stored();
        }
        // Without a secret in common this worker remembers for itself alone.
        let key = found.and_then(|(key, _)| key.ok()).unwrap_or(*random);
        Self { shared, keyed: Keyed::new(&key) }
    }

    fn fingerprint(&self, purpose: Purpose, parts: &[&[u8]]) -> Fingerprint {
        self.keyed.fingerprint(purpose, parts)
    }

    /// The entries of a slot.
    fn read<const N: usize>(&self, slot: &str) -> Vec<[u8; N]> {
        self.shared.get(slot).map(|(value, _)| entries(&value)).unwrap_or_default()
    }

    /// Changes the entries of a slot, the oldest of which stands first. `edit` says whether anything is to be changed; it is
    /// asked again with what others have made of them, if they came before.
    fn change<const N: usize>(&self, slot: &str, mut edit: impl FnMut(&mut Vec<[u8; N]>) -> bool) {
        for _ in 0..MAX_TRIES {
            let (value, version) = self.shared.get(slot).unwrap_or((Box::default(), ABSENT));
            let mut entries = entries(&value);
            if !edit(&mut entries) || self.shared.set(slot, entries.as_flattened(), version) {
                return;
            }
        }
    }
}

/// Where entries with a fingerprint are stored.
fn slot(kind: &str, fingerprint: Fingerprint) -> String {
    format!("{KEY}.{kind}.{}", fingerprint.word() % SLOTS)
}

/// The entries in a slot; none if it has not the form of one.
fn entries<const N: usize>(value: &[u8]) -> Vec<[u8; N]> {
    let (entries, rest) = value.as_chunks();
    if rest.is_empty() && entries.len() <= MAX_ENTRIES { entries.to_vec() } else { Vec::new() }
}
