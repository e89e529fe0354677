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

/// The indexes of so many values in the order of the values: runs of them are merged to longer ones, until there is one.
fn order(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let is_behind = |one: Option<&usize>, other: Option<&usize>| {
        one.zip(other).is_some_and(|(one, other)| compare(*one, *other).is_gt())
    };
    // Most of what is sorted is one value.
    if count < 2 {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..count).collect();
    let mut merged = Vec::with_capacity(count);
    let mut length = 1_usize;
    while length < count {
        let mut rest = order.as_slice();
        while !rest.is_empty() {
            let (mut first, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            let (mut second, behind) = behind.split_at_checked(length).unwrap_or((behind, &[]));
            rest = behind;
            // Many configurations are in order already, or in the opposite one.
            let is_in_order = !is_behind(first.last(), second.first());
            if !is_in_order && is_behind(first.first(), second.last()) {
                mem::swap(&mut first, &mut second);
            } else if !is_in_order {
                while let (Some((one, ones)), Some((other, others))) = (first.split_first(), second.split_first()) {
                    if compare(*one, *other).is_gt() {
                        merged.push(*other);
                        second = others;
                    } else {
                        merged.push(*one);
                        first = ones;
                    }
                }
            }
            merged.extend_from_slice(first);
            merged.extend_from_slice(second);
        }
        mem::swap(&mut order, &mut merged);
        merged.clear();
        length = length.saturating_mul(2);
    }
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
    use std::cell::Cell;

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

    #[test]
    fn what_is_in_order_already_or_in_the_opposite_one_is_soon_sorted() {
        let values: Vec<u32> = (0..1_000).collect();
        for (mut values, at_most) in [(values.clone(), 1_000), (values.iter().rev().copied().collect(), 2_000)] {
            let comparisons = Cell::new(0);
            sort(&mut values, |one, other| {
                comparisons.set(comparisons.get() + 1);
                one.cmp(other)
            });
            assert!(values.is_sorted());
            assert!(comparisons.get() < at_most, "{}", comparisons.get());
        }
    }
}
