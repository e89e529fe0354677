//! What matching may do for one request.

use std::cell::Cell;

/// The most steps for one request. A step is up to nine instructions, so these are about 25 million, or 4 ms.
const MAX_STEPS: usize = 3 << 20;

/// What rules and exceptions may still do for one request.
///
/// A path that costs more than there is counts as what nobody can read: rules cover it, and no exception takes it out.
#[derive(Debug)]
pub(crate) struct MatchBudget {
    steps: Cell<usize>,
}

impl MatchBudget {
    pub(crate) fn new() -> Self {
        Self { steps: Cell::new(MAX_STEPS) }
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
