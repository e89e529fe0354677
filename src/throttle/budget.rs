//! How much processor time slow hashes may have, and when.
//!
//! A token bucket of time: it is refilled by a share of the time that passes, and every slice of hashing takes out of
//! it what the slice took on the clock. How long a slice may be is decided before it begins, so that other requests
//! never wait long:
//! - it is no longer than [`LONGEST_SLICE`], and no longer than the time since the last one (or, with a budget above
//!   half of the time, that time times share / (1 − share)), but at least [`SHORTEST_SLICE`];
//! - it is no longer than what the bucket holds; where that is less than [`SHORTEST_SLICE`] there is no slice.
//!
//! With ticks 4 ms apart and the default budget a slice is 1.3 ms long.
//!
//! A worker that has nothing else to do ([`Idleness`]) gives twice the budget, up to [`IDLE_MILLIS_PER_SECOND`]: its slices
//! are no longer, so nobody waits longer for one, but its ticks come sooner. Twice, because whoever sets a budget of 10 ms
//! a second does not mean half of a processor.
//!
//! Work is counted in nominal units; how long a unit takes is measured from the slices themselves, so a machine half as
//! fast gets as much of the processor, not twice as much.

use std::time::Duration;

use super::idleness::{Idleness, REST, SHORT_REST};
use crate::config::MAX_HASH_BUDGET_MS_PER_SECOND;
use crate::users::hash::Work;

/// The longest that others wait for one slice.
pub const LONGEST_SLICE: Duration = Duration::from_millis(2);

/// The shortest slice that is worth a tick.
pub const SHORTEST_SLICE: Duration = Duration::from_micros(250);

/// The bucket holds the budget of this time, [`LONGEST_SLICE`] at least.
const BURST: Duration = Duration::from_millis(100);

/// What an idle worker gives at most, unless the budget itself is higher.
const IDLE_MILLIS_PER_SECOND: u32 = 500;

/// The share of the time that slices of the longest kind have when ticks are [`REST`] apart.
const REACHABLE_MILLIS_PER_SECOND: u32 = 333;

/// The same when they are [`SHORT_REST`] apart and every seventh is late, as measured.
const REACHABLE_WHEN_IDLE: u32 = 450;

/// For how long after its last slice a worker is believed to be idle.
const FRESH: Duration = Duration::from_secs(1);

/// The processor time of slow hashes in one worker.
///
/// All times are those of one monotonic clock, with any origin. A time before the latest one counts as no time passed.
#[derive(Clone, Debug)]
pub struct Budget {
    millis_per_second: u32,
    /// Processor time that may be spent now.
    balance: Duration,
    /// Processor time that was spent beyond that.
    debt: Duration,
    /// When the bucket was last refilled.
    refilled_at: Duration,
    last_slice_end: Duration,
    /// How long a unit of work takes: [`UNIT`] nominal nanoseconds.
    ns_per_unit: u64,
    idleness: Idleness,
}

/// The work by which the speed of a machine is measured, in nominal nanoseconds.
const UNIT: u64 = 1_024;
/// The fastest and the slowest machine that are believed: eight times as fast as the one on which the constants of work
/// were measured, and sixteen times as slow.
const NS_PER_UNIT: (u64, u64) = (UNIT / 8, UNIT * 16);

impl Budget {
    /// A full bucket of `hash_budget_ms_per_second`, clamped to 1 and [`MAX_HASH_BUDGET_MS_PER_SECOND`].
    #[must_use]
    pub fn new(millis_per_second: u32, now: Duration) -> Self {
        let mut this = Self {
            millis_per_second: millis_per_second.clamp(1, MAX_HASH_BUDGET_MS_PER_SECOND),
            balance: Duration::ZERO,
            debt: Duration::ZERO,
            refilled_at: now,
            last_slice_end: now,
            ns_per_unit: UNIT,
            idleness: Idleness::default(),
        };
        this.balance = this.capacity();
        this
    }

    /// What the bucket holds when full.
    fn capacity(&self) -> Duration {
        share_of(BURST, self.millis_per_second).max(LONGEST_SLICE)
    }

    /// What hashes may have of each second now, in milliseconds.
    fn share(&self) -> u32 {
        let promised = self.millis_per_second;
        if self.idleness.is_idle() {
            promised.saturating_mul(2).min(IDLE_MILLIS_PER_SECOND).max(promised)
        } else {
            promised
        }
    }

    /// A rest begins after which another tick follows; how long it is to be.
    pub fn rest(&mut self, now: Duration) -> Duration {
        let rest = self.next_rest();
        self.idleness.rest(now, rest);
        rest
    }

    /// A request came, which the worker has to do beside hashing.
    pub fn request(&mut self) {
        self.idleness.request();
    }

    /// How long the rest before the next tick is to be. It changes with a tick alone.
    #[must_use]
    pub fn next_rest(&self) -> Duration {
        // A tick costs the worker something as well, so there are no more than are of use.
        let is_of_use = self.idleness.is_idle() && self.share() > REACHABLE_MILLIS_PER_SECOND;
        if is_of_use { SHORT_REST } else { REST }
    }

    fn refill(&mut self, now: Duration) {
        let gained = share_of(now.saturating_sub(self.refilled_at), self.share());
        if now.saturating_sub(self.last_slice_end) > FRESH {
            self.idleness.forget();
        }
        self.refilled_at = self.refilled_at.max(now);
        let paid = gained.min(self.debt);
        self.debt = self.debt.saturating_sub(paid);
        self.balance = self.balance.saturating_add(gained.saturating_sub(paid)).min(self.capacity());
    }

    /// How long a slice may take that begins now; nothing if it is too early.
    #[must_use]
    pub fn slice(&mut self, now: Duration) -> Option<Duration> {
        self.refill(now);
        self.idleness.tick(now);
        let rest = now.saturating_sub(self.last_slice_end);
        let others = MAX_HASH_BUDGET_MS_PER_SECOND.saturating_sub(self.share());
        let fair = rest.saturating_mul(self.share()).checked_div(others).unwrap_or(LONGEST_SLICE);
        let slice = fair.max(rest).clamp(SHORTEST_SLICE, LONGEST_SLICE).min(self.balance);
        (slice >= SHORTEST_SLICE).then_some(slice)
    }

    /// Whether a piece of work may be done at once, outside of any slice: it takes no longer than [`SHORTEST_SLICE`],
    /// and less than [`LONGEST_SLICE`] is missing in the bucket, so that many of them at one moment take no longer than
    /// one slice. [`Budget::spent`] records it like a slice.
    #[must_use]
    pub fn allows_at_once(&mut self, work: Work, now: Duration) -> bool {
        self.refill(now);
        let time = self.time_of(work);
        let reserve = self.capacity().saturating_sub(LONGEST_SLICE);
        time <= SHORTEST_SLICE && time <= self.balance.saturating_sub(reserve)
    }

    /// Records what a slice took and did: the bucket pays for it, and the speed of the machine is learned from it.
    pub fn spent(&mut self, began: Duration, ended: Duration, done: Work) {
        let took = ended.saturating_sub(began);
        self.refill(ended);
        let missing = took.saturating_sub(self.balance);
        self.balance = self.balance.saturating_sub(took);
        self.debt = self.debt.saturating_add(missing);
        self.last_slice_end = self.last_slice_end.max(ended);
        // Short spans say more about the clock than about the work.
        if took.as_micros() >= 100 && done > Work::ZERO {
            let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
            let measured = nanos.saturating_mul(UNIT).checked_div(done.nanos()).unwrap_or(UNIT);
            let (fastest, slowest) = NS_PER_UNIT;
            let mixed = self.ns_per_unit.saturating_mul(7).saturating_add(measured.clamp(fastest, slowest)).div_ceil(8);
            self.ns_per_unit = mixed.clamp(fastest, slowest);
        }
    }

    /// How much work fits into so much processor time, at the speed measured.
    #[must_use]
    pub fn work_in(&self, time: Duration) -> Work {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Work::from_nanos(nanos.saturating_mul(UNIT).checked_div(self.ns_per_unit).unwrap_or(nanos))
    }

    /// How much processor time that work takes, at the speed measured.
    #[must_use]
    pub fn time_of(&self, work: Work) -> Duration {
        Duration::from_nanos(work.nanos().saturating_mul(self.ns_per_unit).checked_div(UNIT).unwrap_or_default())
    }

    /// How long it takes on the clock until that work is done in slices, if the worker stays as idle as it is.
    #[must_use]
    pub fn wait_for(&self, work: Work) -> Duration {
        let is_idle = self.idleness.is_idle();
        let share = self.share().clamp(1, if is_idle { REACHABLE_WHEN_IDLE } else { REACHABLE_MILLIS_PER_SECOND });
        self.time_of(work).saturating_mul(1_000).checked_div(share).unwrap_or_default()
    }
}

/// So many milliseconds of each second of a span of time.
fn share_of(time: Duration, millis_per_second: u32) -> Duration {
    time.saturating_mul(millis_per_second).checked_div(1_000).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)] // A test that overflows fails.
mod tests {
    use super::*;

    const fn micros(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    /// Ticks so far apart, for ten seconds; the share of the time that was spent, per mille.
    fn run(share: u32, tick: Duration) -> u128 {
        let mut now = Duration::ZERO;
        let mut spent = Duration::ZERO;
        let mut budget = Budget::new(share, now);
        while now < Duration::from_secs(10) {
            now += tick;
            if let Some(slice) = budget.slice(now) {
                assert!((SHORTEST_SLICE..=LONGEST_SLICE).contains(&slice), "{slice:?}");
                budget.spent(now, now + slice, budget.work_in(slice));
                now += slice;
                spent += slice;
            }
        }
        spent.as_micros() / 10_000
    }

    #[test]
    fn holds_the_budget() {
        for (budget, tick) in
            [(1, 4_000), (10, 4_000), (250, 4_000), (250, 1_000), (250, 100), (500, 1_000), (900, 100)]
        {
            let share = run(budget, micros(tick));
            assert!(share <= u128::from(budget) * 104 / 100 + 1, "{budget} {tick} {share}");
            assert!(share >= u128::from(budget) * 80 / 100 || budget > 500, "{budget} {tick} {share}");
        }
        assert_eq!(run(1_000, micros(4_000)), 333);
    }

    /// Ten seconds of ticks that come so many microseconds after they were asked for, on a clock for timers that moves every
    /// 4 ms or not; the share of the time that was spent, per mille, and the longest slice.
    fn run_beside(share: u32, late: impl Fn(u32) -> u64, is_coarse: bool) -> (u128, Duration) {
        let (mut now, mut spent, mut longest) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        let mut budget = Budget::new(share, now);
        for tick in 0.. {
            if now >= Duration::from_secs(10) {
                break;
            }
            let asked = budget.rest(now);
            // The clock of Envoy's timers stands still in between.
            let coarse = |time: Duration| micros(u64::try_from(time.as_micros()).unwrap_or_default() / 4_000 * 4_000);
            let due = if is_coarse { coarse(now) + asked } else { now + asked };
            now += asked;
            while is_coarse && coarse(now) < due {
                now += micros(1_000);
            }
            now += micros(late(tick));
            if let Some(slice) = budget.slice(now) {
                longest = longest.max(slice);
                // A slice ends with a piece of work.
                let took = slice + micros(u64::from(tick) * 37 % 200);
                budget.spent(now, now + took, budget.work_in(slice));
                now += took;
                spent += took;
            }
        }
        (spent.as_micros() / 10_000, longest)
    }

    #[test]
    fn an_idle_worker_gives_twice_the_budget_up_to_a_half() {
        for (budget, least, most) in [(1, 1, 2), (10, 17, 21), (100, 180, 201), (250, 420, 505), (400, 420, 505)] {
            for is_coarse in [false, true] {
                let (share, longest) = run_beside(budget, |_| 60, is_coarse);
                assert!((least..=most).contains(&share), "{budget} {share} {is_coarse}");
                assert!(longest <= LONGEST_SLICE, "nobody waits longer for one slice");
            }
        }
    }

    #[test]
    fn a_budget_above_a_half_is_not_made_less() {
        assert!(run_beside(1_000, |_| 60, false).0 >= run_beside(500, |_| 60, false).0);
    }

    #[test]
    fn a_busy_worker_keeps_the_budget() {
        for budget in [10, 100, 250] {
            for late in [600, 1_000, 4_000, 20_000] {
                let (share, longest) = run_beside(budget, |_| late, false);
                assert!(share <= u128::from(budget) * 104 / 100, "{budget} {late} {share}");
                assert!(longest <= LONGEST_SLICE);
            }
            // Also one that is only now and then on time.
            assert!(
                run_beside(budget, |tick| if tick % 3 == 0 { 3_000 } else { 60 }, false).0
                    <= u128::from(budget) * 104 / 100
            );
        }
    }

    #[test]
    fn who_comes_while_a_worker_is_idle_waits_half_as_long() {
        let mut budget = Budget::new(250, Duration::ZERO);
        let mut now = Duration::ZERO;
        let second = Work::from_micros(1_000_000);
        assert_eq!(budget.wait_for(second), Duration::from_secs(4));
        for _ in 0..8 {
            now += budget.rest(now);
            let _ = budget.slice(now);
        }
        assert_eq!(budget.rest(now), SHORT_REST);
        assert!((micros(2_200_000)..micros(2_300_000)).contains(&budget.wait_for(second)));
        // What was so a second ago says nothing of now.
        budget.spent(now, now, Work::ZERO);
        now += micros(1_000_001);
        assert!(budget.allows_at_once(Work::from_micros(100), now));
        assert_eq!(budget.wait_for(second), Duration::from_secs(4));
        assert_eq!(budget.next_rest(), REST);
    }

    #[test]
    fn late_ticks_lose_no_budget() {
        assert!(run(250, micros(6_000)) >= 245);
    }

    #[test]
    fn a_slow_machine_gets_no_more_time() {
        let mut budget = Budget::new(250, Duration::ZERO);
        let mut now = Duration::ZERO;
        for _ in 0..100 {
            now += micros(4_000);
            let slice = budget.slice(now).unwrap();
            // Four times as slow as the constants say.
            let took = Duration::from_nanos(budget.work_in(slice).nanos() * 4);
            budget.spent(now, now + took, budget.work_in(slice));
            now += took;
            // Until the bucket is full again.
            now += micros(20_000);
        }
        assert!(budget.time_of(Work::from_micros(100)) > micros(390));
        assert!(budget.time_of(Work::from_micros(100)) < micros(410));
    }

    #[test]
    fn overspending_is_paid_back() {
        let mut budget = Budget::new(100, Duration::ZERO);
        budget.spent(Duration::ZERO, micros(110_000), Work::from_micros(110_000));
        assert_eq!(budget.slice(micros(120_000)), None);
        assert_eq!(budget.slice(micros(900_000)), None);
        assert!(budget.slice(micros(1_200_000)).is_some());
    }

    #[test]
    fn a_clock_that_runs_backwards_takes_no_time_away() {
        let mut budget = Budget::new(100, micros(1_000_000));
        assert_eq!(budget.slice(micros(5)), Some(SHORTEST_SLICE));
        budget.spent(micros(5), micros(3), Work::from_micros(1));
        assert!(budget.slice(micros(1_010_000)).is_some());
    }

    #[test]
    fn the_measured_speed_is_bounded() {
        let after = |took, done| {
            let mut budget = Budget::new(250, Duration::ZERO);
            (0..200).for_each(|_| budget.spent(Duration::ZERO, took, done));
            budget.time_of(Work::from_micros(1_000))
        };
        let fastest = after(micros(1_000), Work::from_micros(1_000_000));
        assert!((micros(125)..micros(135)).contains(&fastest), "{fastest:?}");
        assert_eq!(after(micros(1_000_000), Work::from_micros(1_000)), micros(16_000));
    }

    #[test]
    fn a_short_slice_and_an_idle_one_say_nothing_about_the_speed() {
        let mut budget = Budget::new(250, Duration::ZERO);
        budget.spent(Duration::ZERO, micros(4_000), Work::from_micros(1_000));
        let speed = |budget: &Budget| budget.time_of(Work::from_micros(1_000));
        let slow = speed(&budget);
        budget.spent(micros(5_000), micros(5_099), Work::from_micros(1));
        budget.spent(micros(6_000), micros(7_000), Work::ZERO);
        assert_eq!(speed(&budget), slow);
        budget.spent(micros(8_000), micros(8_100), Work::from_micros(1));
        assert!(speed(&budget) > slow);
    }
}
