//! Distinct values, numbered while a configuration is loaded.
//!
//! The libraries make their hash tables anew for every type, each of them two kilobytes of the module. The one here is made
//! once: it knows values by their numbers, and asks which of those with its hash is the one that is looked for.

use std::borrow::Borrow;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};

use hashbrown::HashTable;

/// Values of which no two are equal, numbered from zero in the order in which they came. The key of their hashes is drawn
/// for each collection, so nobody can choose values that are slow to find.
pub(crate) struct Distinct<T> {
    key: RandomState,
    numbers: Numbers,
    values: Vec<T>,
}

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Self { key: RandomState::new(), numbers: Numbers::default(), values: Vec::new() }
    }
}

impl<T: Hash + Eq> Distinct<T> {
    /// The number of a value, and whether it is new here.
    pub(crate) fn add(&mut self, value: T) -> (usize, bool) {
        let Self { key, numbers, values } = self;
        let hash = hash_of(key, &value);
        if let Some(number) = numbers.find(hash, &|number| values.get(number) == Some(&value)) {
            return (number, false);
        }
        let number = values.len();
        values.push(value);
        numbers.add(hash, number);
        (number, true)
    }

    /// The number of a value that is here.
    pub(crate) fn find<Q: Hash + Eq + ?Sized>(&self, value: &Q) -> Option<usize>
    where
        T: Borrow<Q>,
    {
        let is_same = |number| self.values.get(number).map(Borrow::borrow) == Some(value);
        self.numbers.find(hash_of(&self.key, value), &is_same)
    }

    /// The value here that equals another.
    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, value: &Q) -> Option<&T>
    where
        T: Borrow<Q>,
    {
        self.values.get(self.find(value)?)
    }
}

impl<T> Distinct<T> {
    /// All values, by their numbers.
    pub(crate) fn into_values(self) -> Vec<T> {
        self.values
    }
}

fn hash_of<T: Hash + ?Sized>(key: &RandomState, value: &T) -> u64 {
    hash_of_written(key, &|hasher| value.hash(hasher))
}

/// The hash of what is written.
#[inline(never)]
fn hash_of_written(key: &RandomState, write: &dyn Fn(&mut DefaultHasher)) -> u64 {
    let mut hasher = key.build_hasher();
    write(&mut hasher);
    hasher.finish()
}

/// The numbers of values, by their hashes.
#[derive(Default)]
struct Numbers(HashTable<Numbered>);

struct Numbered {
    /// Half of the hash, which is enough.
    hash: u32,
    number: u32,
}

impl Numbered {
    fn new(hash: u64, number: usize) -> Self {
        let [first, second, third, fourth, ..] = hash.to_le_bytes();
        let hash = u32::from_le_bytes([first, second, third, fourth]);
        Self { hash, number: u32::try_from(number).unwrap_or(u32::MAX) }
    }

    /// A hash for the table, which looks at either end of it.
    fn spread(&self) -> u64 {
        u64::from(self.hash) | u64::from(self.hash).rotate_left(32)
    }

    fn number(&self) -> usize {
        usize::try_from(self.number).unwrap_or(usize::MAX)
    }
}

impl Numbers {
    #[inline(never)]
    fn find(&self, hash: u64, is_same: &dyn Fn(usize) -> bool) -> Option<usize> {
        let wanted = Numbered::new(hash, 0);
        let found = self.0.find(wanted.spread(), |known| known.hash == wanted.hash && is_same(known.number()));
        found.map(Numbered::number)
    }

    #[inline(never)]
    fn add(&mut self, hash: u64, number: usize) {
        let new = Numbered::new(hash, number);
        self.0.insert_unique(new.spread(), new, Numbered::spread);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::Distinct;

    proptest! {
        /// Few different texts, so that many come again.
        #[test]
        fn values_are_numbered_as_they_are_found_one_by_one(texts in vec("[a-c]{0,3}", 0..200), other in "[a-d]{0,3}") {
            let (mut distinct, mut expected) = (Distinct::<Box<str>>::default(), Vec::<Box<str>>::new());
            for text in texts {
                let text: Box<str> = text.into();
                let known = expected.iter().position(|known| *known == text);
                prop_assert_eq!(distinct.find(&*text), known);
                prop_assert_eq!(distinct.add(text.clone()), (known.unwrap_or(expected.len()), known.is_none()));
                if known.is_none() {
                    expected.push(text);
                }
            }
            let known = expected.iter().position(|known| **known == *other);
            prop_assert_eq!(distinct.find(&*other), known);
            prop_assert_eq!(distinct.get(&*other).map(|found| &**found), known.map(|_| &*other));
            prop_assert_eq!(distinct.into_values(), expected);
        }
    }

    #[test]
    fn many_values_are_found_again() {
        let mut distinct = Distinct::default();
        for value in 0..10_000_usize {
            assert_eq!(distinct.add((value, 7_u64)), (value, true));
        }
        for value in 0..10_000 {
            assert_eq!(distinct.add((value, 7)), (value, false));
            assert_eq!(distinct.find(&(value, 8)), None);
        }
    }

    #[test]
    fn each_collection_has_its_own_key() {
        let [one, other] = [(); 2].map(|()| Distinct::<u8>::default());
        assert_ne!(super::hash_of(&one.key, &0), super::hash_of(&other.key, &0));
    }
}
