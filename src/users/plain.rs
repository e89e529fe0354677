//! The plain pairs of all rules: found by a keyed hash, compared in constant time.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::hint::black_box;
use std::num::NonZeroU32;

use hashbrown::HashTable;

use super::list::list_digest;
use super::pair::Pair;
use crate::distinct::Distinct;

/// The users of all rules, one list a rule; equal lists are stored once.
///
/// Pairs and names are found by a keyed hash whose key is drawn when the lists are made, so how long a search takes
/// tells nothing about the pairs, and it takes as long for 100,000 users as for one. A pair is then compared in
/// constant time. An unknown user costs the same two searches as a wrong password.
pub struct PlainLists {
    key: RandomState,
    pairs: HashTable<ListedPair>,
    /// The hashes of list and user name.
    users: HashTable<u64>,
    /// What tells each list from others in every worker and configuration, in the order of the ids; empty if that is not
    /// asked for.
    digests: Vec<u64>,
}

/// Whether a [`PlainLists`] keeps a digest of each list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digests {
    /// It does: a lockout counts by them.
    Kept,
    /// It does not.
    None,
}

/// One of the lists of a [`PlainLists`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlainListId(NonZeroU32);

impl PlainListId {
    /// Its number among the lists.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0.get()
    }
}

struct ListedPair {
    hash: u64,
    list: PlainListId,
    pair: Pair,
}

/// What a user list says of a presented pair; of several lists the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The user is not in the list.
    UnknownUser,
    /// The user is in the list with another password.
    WrongPassword,
    /// The pair is in the list.
    Accepted,
}

impl PlainLists {
    /// Stores lists of pairs and tells under which id each is found that is not empty. The same user may stand in a list with several
    /// passwords.
    // Not inlined, like the other steps of loading: V8 compiles several small functions sooner than a large one.
    #[inline(never)]
    pub fn new(lists: impl IntoIterator<Item = Box<[Pair]>>, digests: Digests) -> (Self, Vec<Option<PlainListId>>) {
        let key = RandomState::new();
        let lists: Vec<Box<[Pair]>> = lists.into_iter().collect();
        // First, so that what that takes is given back before there are tables of pairs.
        let ids = ids(&key, &lists);
        let mut stored = Self { key, pairs: HashTable::new(), users: HashTable::new(), digests: Vec::new() };
        let mut next = PlainListId(NonZeroU32::MIN);
        for (list, id) in lists.into_iter().zip(&ids) {
            // They are numbered in the order in which they first stand here.
            if *id == Some(next) {
                if digests == Digests::Kept {
                    stored.digests.push(list_digest("credentials", next.number(), list.iter().map(Pair::user)));
                }
                stored.add(next, list);
                next = PlainListId(next.0.saturating_add(1));
            }
        }
        (stored, ids)
    }

    /// What tells a list from others in every worker and configuration; 0 if that was not asked for.
    #[must_use]
    pub fn digest(&self, list: PlainListId) -> u64 {
        let index = usize::try_from(list.number()).ok().and_then(|number| number.checked_sub(1));
        index.and_then(|index| self.digests.get(index)).copied().unwrap_or_default()
    }

    /// How many pairs are stored.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// Whether the list accepts this pair. Where somebody whom it accepts may be refused all the same, a wrong pair costs what
    /// a right one costs: `evenly`.
    #[must_use]
    pub fn verify(&self, list: PlainListId, presented: &Pair, evenly: bool) -> Verdict {
        let is_right = self.find(list, self.hash(list, presented.bytes()), presented).is_some();
        if is_right && !evenly {
            return Verdict::Accepted;
        }
        if evenly && !is_right {
            // The comparison of a right password.
            black_box(black_box(presented).is_same(presented));
        }
        let user = self.hash(list, presented.user());
        let is_known = self.users.find(user, |known| *known == user).is_some();
        match (is_right, is_known) {
            (true, _) => Verdict::Accepted,
            (false, true) => Verdict::WrongPassword,
            (false, false) => Verdict::UnknownUser,
        }
    }

    fn find(&self, list: PlainListId, hash: u64, pair: &Pair) -> Option<&ListedPair> {
        self.pairs.find(hash, |entry| entry.hash == hash && entry.list == list && entry.pair.is_same(pair))
    }

    /// The hash of a list and a user name, or a pair, in it. There is no colon in a name, and one in every pair.
    fn hash(&self, list: PlainListId, text: &[u8]) -> u64 {
        let mut hasher = self.key.build_hasher();
        hasher.write(text);
        // What is hashed is under the key; of lists it only has to be told which is which.
        hasher.finish().wrapping_add(u64::from(list.number()).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn add(&mut self, list: PlainListId, pairs: Box<[Pair]>) {
        for pair in pairs {
            let (user, hash) = (self.hash(list, pair.user()), self.hash(list, pair.bytes()));
            // Half empty: an unknown name is then found missing where a known one is found, at the first look.
            if self.users.capacity() < self.users.len().saturating_add(1).saturating_mul(2) {
                self.users.reserve(self.users.len().saturating_add(2), |known| *known);
            }
            self.users.entry(user, |known| *known == user, |known| *known).or_insert(user);
            // Once, however often it is listed: equal ones would be searched one after the other.
            if self.find(list, hash, &pair).is_none() {
                self.pairs.insert_unique(hash, ListedPair { hash, list, pair }, |entry| entry.hash);
            }
        }
    }
}

/// The ids of lists, of which equal ones have the same; `None` for an empty one.
fn ids(key: &RandomState, lists: &[Box<[Pair]>]) -> Vec<Option<PlainListId>> {
    let second_key = RandomState::new();
    let mut known = Distinct::default();
    let mut id = |list: &[Pair]| {
        // 128 bits under keys that nobody knows are as good as the lists themselves, and smaller.
        let (number, _) = known.add((digest(key, list), digest(&second_key, list)));
        PlainListId(NonZeroU32::MIN.saturating_add(u32::try_from(number).unwrap_or(u32::MAX)))
    };
    lists.iter().map(|list| (!list.is_empty()).then(|| id(list))).collect()
}

/// A digest of all pairs of a list.
fn digest(key: &RandomState, list: &[Pair]) -> u64 {
    let mut hasher = key.build_hasher();
    list.len().hash(&mut hasher);
    for pair in list {
        pair.bytes().hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::{Digests, PlainLists, Verdict};
    use crate::users::pair::Pair;

    fn pair(text: &str) -> Pair {
        Pair::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_list_accepts_its_pairs_and_tells_users_from_passwords() {
        let first = vec![pair("ok:test"), pair("ok:rotated"), pair("key:")];
        let second = vec![pair("other:test")];
        let (lists, ids) = PlainLists::new([first.into(), second.into()], Digests::None);
        for (list, presented, verdict) in [
            (0, "ok:test", Verdict::Accepted),
            (0, "ok:rotated", Verdict::Accepted),
            (0, "key:", Verdict::Accepted),
            (0, "ok:", Verdict::WrongPassword),
            (0, "ok:test2", Verdict::WrongPassword),
            (0, "key:test", Verdict::WrongPassword),
            (0, "o:k:test", Verdict::UnknownUser),
            (0, ":test", Verdict::UnknownUser),
            (0, "other:test", Verdict::UnknownUser),
            (1, "other:test", Verdict::Accepted),
            (1, "ok:test", Verdict::UnknownUser),
        ] {
            assert_eq!(lists.verify(ids[list].unwrap(), &pair(presented), false), verdict, "list {list}, {presented}");
        }
    }

    #[test]
    fn equal_lists_are_stored_once() {
        let list = || Box::from([pair("ok:test"), pair("key:")]);
        let (lists, ids) = PlainLists::new([list(), Box::from([pair("ok:test")]), list()], Digests::Kept);
        assert_eq!(lists.pairs(), 3);
        assert_eq!(ids[0], ids[2]);
        assert_ne!(ids[0], ids[1]);
        assert_eq!(PlainLists::new([Box::default(), list()], Digests::None).1[0], None, "an empty list knows nobody");
    }

    #[test]
    fn no_list_accepts_what_another_does_however_many_there_are() {
        let knows = |list: usize| list.is_multiple_of(2);
        let list = |number| -> Box<[Pair]> {
            let own = pair(&format!("user{number}:test"));
            if knows(number) { Box::from([own, pair("ok:test")]) } else { Box::from([own]) }
        };
        let (lists, ids) = PlainLists::new((0..1_000).map(list), Digests::None);
        for (number, id) in ids.iter().enumerate() {
            let expected = if knows(number) { Verdict::Accepted } else { Verdict::UnknownUser };
            assert_eq!(lists.verify(id.unwrap(), &pair("ok:test"), false), expected, "list {number}");
        }
    }
}
