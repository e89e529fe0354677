//! What matching may do for one request.

use std::cell::Cell;

use super::readings::Readings;

/// The most steps for one request. A step is up to nine instructions, so these are about 25 million, or 4 ms.
const MAX_STEPS: usize = 3 << 20;

/// What it took to find the readings of a path that has several, in steps for each byte of it: the dearest path takes 447
/// instructions (`tests/module/test_work.py`).
const STEPS_OF_READINGS: usize = 50;

/// What rules and exceptions may still do for one request.
///
/// A path that costs more than there is counts as what nobody can read: rules cover it, and no exception takes it out.
#[derive(Debug)]
pub(crate) struct MatchBudget {
    steps: Cell<usize>,
}

impl MatchBudget {
    /// All that there is.
    pub(crate) fn new() -> Self {
        Self { steps: Cell::new(MAX_STEPS) }
    }

    /// What is left for a request whose path was read. Of a path that is unreadable nothing is matched.
    #[inline]
    pub(crate) fn behind_readings(path: &Readings<'_>) -> Self {
        if let Readings::Several(set) = path { Self::behind_bytes(set.sent()) } else { Self::new() }
    }

    #[cold]
    fn behind_bytes(sent: usize) -> Self {
        Self { steps: Cell::new(MAX_STEPS.saturating_sub(sent.saturating_mul(STEPS_OF_READINGS))) }
    }

    /// Whether nothing more is tried.
    pub(crate) fn is_spent(&self) -> bool {
        self.steps.get() == 0
    }

    /// Takes so many steps from it; `None` if there are not as many. Then nothing more is tried, however little it takes, so
    /// that more rules never make a request pass that fewer refuse.
    pub(crate) fn spend(&self, steps: usize) -> Option<()> {
        let left = self.steps.get().checked_sub(steps);
        self.steps.set(left.unwrap_or(0));
        left.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_STEPS, MatchBudget};
    use crate::matching::readings::Readings;

    #[test]
    fn what_the_readings_took_is_gone() {
        let left = |path: &str| {
            let readings = Readings::parse(b"GET", Some(path.as_bytes()));
            MatchBudget::behind_readings(&readings).steps.get()
        };
        for plain in ["/".to_owned(), format!("/{}", "a".repeat(100_000)), "/%zz".to_owned()] {
            assert_eq!(left(&plain), MAX_STEPS);
        }
        assert_eq!(left("/%61"), MAX_STEPS - 200);
        // Paths as they are leave nearly all of it, those as long as a proxy takes them a little.
        let escaped = |length: usize| format!("/%61{}", "a".repeat(length - 4));
        assert!(left(&escaped(4_000)) > MAX_STEPS / 10 * 9);
        assert!((1..MAX_STEPS / 10).contains(&left(&escaped(60_000))));
        assert_eq!(left(&escaped(100_000)), 0);
    }
}
