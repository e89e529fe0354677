//! The options at the top of a configuration.

use std::time::Duration;

/// The default of `hash_budget_ms_per_second`: a quarter of a worker.
///
/// Measured with 1 ms of work in a tick, this leaves other requests within 2 ms at the 99th percentile; a lone login with
/// a bcrypt hash of cost 10 then takes 0.23 s, and a worker verifies four of them a second, or 140 of `$6$`.
pub(crate) const DEFAULT_HASH_BUDGET_MS_PER_SECOND: u32 = 250;

/// The highest `hash_budget_ms_per_second`, in milliseconds: all of the time, as far as slices of 2 ms in each tick go,
/// which is about a third.
pub const MAX_HASH_BUDGET_MS_PER_SECOND: u32 = 1_000;

/// `lockout`: when a client is locked, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockout {
    /// That many failures lock; 0 counts as 1.
    pub failures: u32,
    /// All of them within this time from the first on.
    pub window: Duration,
    /// How long the lock lasts.
    pub lock: Duration,
}
