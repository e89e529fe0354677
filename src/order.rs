//! Sorting while a configuration is loaded.
//!
//! The standard library makes its sorts anew for every type, each of them several kilobytes of the module. This one is made
//! once: it knows values by their indexes, and asks which of two comes first.

use std::cmp::Ordering;
use std::mem;

/// Sorts values; equal ones stay in their order.
pub(crate) fn sort<T>(values: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let order = order(values.len(), &|one, other| match (values.get(one), values.get(other)) {
        (Some(one), Some(other)) => compare(one, other),
        _ => Ordering::Equal,
    });
    arrange(order, &mut |one, other| {
        if let Ok([one, other]) = values.get_disjoint_mut([one, other]) {
            mem::swap(one, other);
        }
    });
}

/// The indexes of so many values in the order of the values.
fn order(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|one, other| compare(*one, *other));
    order
}

/// Brings the value at each of these indexes to the place that its index has here, in fewer swaps than there are values.
fn arrange(mut order: Vec<usize>, swap: &mut dyn FnMut(usize, usize)) {
    for first in 0..order.len() {
        let mut place = first;
        while let Some(from) = order.get_mut(place) {
            // What belongs here is looked for no more.
            let next = mem::replace(from, place);
            if next == first {
                break;
            }
            swap(place, next);
            place = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::sort;

    proptest! {
        /// Few keys, so that many are equal; the texts tell them apart, and are moved rather than copied.
        #[test]
        fn values_are_sorted_as_the_standard_library_sorts_them(keys in vec(0_u8..40, 0..200)) {
            let mut sorted: Vec<(u8, String)> =
                keys.into_iter().zip(0..).map(|(key, number): (u8, u32)| (key, number.to_string())).collect();
            let mut expected = sorted.clone();
            sort(&mut sorted, |(one, _), (other, _)| one.cmp(other));
            expected.sort_by_key(|(key, _)| *key);
            prop_assert_eq!(sorted, expected);
        }
    }

    #[test]
    fn few_values_are_sorted() {
        for (mut values, sorted) in [
            (vec![], &[][..]),
            (vec![1], &[1]),
            (vec![2, 1], &[1, 2]),
            (vec![3, 1, 2], &[1, 2, 3]),
            (vec![2, 3, 1], &[1, 2, 3]),
            (vec![5, 4, 3, 2, 1], &[1, 2, 3, 4, 5]),
        ] {
            sort(&mut values, u32::cmp);
            assert_eq!(values, sorted);
        }
    }
}
