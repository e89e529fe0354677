//! Pairs that were verified in this process: by any worker, under any configuration.
//!
//! A pair counts as verified if its digest is stored, and the digest is of the user, the password and the very hash line of
//! the user list: who does not know the hash cannot make one up, whatever else he reads and writes, and a line that is gone
//! from the list is asked for no more.

use std::rc::Rc;

use super::{MAX_ENTRIES, Process, slot};
use crate::throttle::fingerprint::{Fingerprint, Purpose};
use crate::users::list::UserList;
use crate::users::pair::Pair;

/// The pairs that the process remembers.
pub(in crate::throttle) struct ProcessPairs(pub(in crate::throttle) Rc<Process>);

/// The most hashes that a pair is looked for under. Each takes a microsecond; who has more of them is hashed.
const MAX_DIGESTS: usize = 128;

impl ProcessPairs {
    /// Whether a pair was verified against a hash that its user has in these lists: one call of the store, and as many
    /// digests for every user, known or not.
    pub(in crate::throttle) fn contains<'l>(&self, pair: &Pair, lists: impl Iterator<Item = &'l UserList>) -> bool {
        let lists: Vec<_> = lists.collect();
        let digests = lists.iter().map(|list| list.max_hashes()).fold(0, usize::saturating_add);
        if digests > MAX_DIGESTS {
            return false;
        }
        let stored: Vec<[u8; 16]> = self.0.read(&self.slot(pair));
        let mut is_known = false;
        for list in lists {
            let mut hashes = list.hashes(pair.user());
            for _ in 0..list.max_hashes() {
                let (hash, counts) = hashes.next().map_or((list.any_hash(), false), |hash| (Some(hash), true));
                let digest = self.digest(pair, hash.unwrap_or_default()).bytes();
                is_known |= stored.contains(&digest) & counts;
            }
        }
        is_known
    }

    /// Remembers a pair that was verified against a hash line. The one that was verified first makes room.
    pub(in crate::throttle) fn insert(&self, pair: &Pair, hash: &str) {
        let digest = self.digest(pair, hash).bytes();
        self.0.change(&self.slot(pair), |stored: &mut Vec<[u8; 16]>| {
            stored.retain(|known| *known != digest);
            if stored.len() >= MAX_ENTRIES {
                stored.remove(0);
            }
            stored.push(digest);
            true
        });
    }

    fn slot(&self, pair: &Pair) -> String {
        slot("pairs", self.0.fingerprint(Purpose::Slot, &[pair.user(), pair.password()]))
    }

    fn digest(&self, pair: &Pair, hash: &str) -> Fingerprint {
        self.0.fingerprint(Purpose::Verified, &[pair.user(), pair.password(), hash.as_bytes()])
    }
}
