//! How much processor time a piece of hashing is expected to take.

/// Nominal processor time: what a piece of work took when its constant was measured in a V8 of Envoy's kind.
///
/// It counts operations, not a clock, so it is the same in every run and on every machine; how long it really takes
/// here and now is measured while it is spent. The unit is a nanosecond because a round of MD5-crypt is a tenth of a
/// microsecond; the precision of the constants is that of one noisy machine, about a tenth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Work(u64);

impl Work {
    /// No work at all.
    pub const ZERO: Self = Self(0);

    /// As much work as fits into so many nanoseconds of the measured machine.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// As much work as fits into so many microseconds of the measured machine.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(1_000))
    }

    /// The work in nanoseconds of the measured machine.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left of this after `other`, or nothing.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The same piece, so many times.
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// How many pieces of this size it takes to spend at least `budget`.
    pub(crate) fn pieces_in(self, budget: Self) -> u32 {
        u32::try_from(budget.0.div_ceil(self.0.max(1))).unwrap_or(u32::MAX)
    }
}
