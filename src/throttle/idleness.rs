//! Whether a worker has anything else to do, told by its ticks and by the requests between them.
//!
//! A worker is one loop over what there is to do. A tick that comes when it was asked for found nothing else in its way:
//! whatever had come during the slice before was done within the rest. One that comes late had to wait for that. A rest is
//! long enough for many requests, so those that came count as well: a worker that is half busy is not idle.
//!
//! Envoy's clock for timers moves every 4 ms on a usual kernel. So a tick that is asked for 2 ms after a slice of 2 ms comes
//! on time, but every seventh or so, whose rest began when the clock had just moved, comes 2 ms late for that reason
//! alone. Hence one late tick says little, and one in four does.

use std::time::Duration;

/// How long a worker rests from hashing between two ticks.
pub const REST: Duration = Duration::from_millis(4);

/// The same where it has nothing else to do, and hashing may have more than ticks so far apart can give.
pub const SHORT_REST: Duration = Duration::from_millis(2);

/// By how much a tick may miss its time, requests counted as [`REQUEST`] each.
const TOLERANCE: Duration = Duration::from_micros(500);

/// What a request keeps Envoy busy for, its answer included. So about 1,200 requests a second make a worker busy.
const REQUEST: Duration = Duration::from_micros(100);

/// How many more ticks have to come on time than three times those that come late, until a worker is idle.
const CERTAIN: u8 = 8;

/// What a late tick takes away again.
const LATE: u8 = 3;

/// What the ticks of a worker told.
#[derive(Clone, Debug, Default)]
pub struct Idleness {
    /// When the rest began, and how long it was to be; `None` where no tick follows.
    rest: Option<(Duration, Duration)>,
    /// How many requests came since then.
    requests: u32,
    certainty: u8,
    is_idle: bool,
}

impl Idleness {
    /// A rest begins that is to be so long.
    pub fn rest(&mut self, now: Duration, asked: Duration) {
        self.rest = Some((now, asked));
        self.requests = 0;
    }

    /// A request came, whatever it is.
    pub fn request(&mut self) {
        self.requests = self.requests.saturating_add(1);
    }

    /// A tick begins. Says nothing of the worker if it is the first after a time without any.
    pub fn tick(&mut self, now: Duration) {
        let Some((since, asked)) = self.rest.take() else { return };
        let late =
            now.saturating_sub(since).saturating_sub(asked).saturating_add(REQUEST.saturating_mul(self.requests));
        if late <= TOLERANCE {
            self.certainty = self.certainty.saturating_add(1).min(CERTAIN);
        } else {
            self.certainty = self.certainty.saturating_sub(LATE);
        }
        match self.certainty {
            0 => self.is_idle = false,
            CERTAIN => self.is_idle = true,
            // In between it is what it was.
            _ => {}
        }
    }

    /// Nothing is known of the worker any more.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Whether the worker has had nothing else to do of late.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.is_idle
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)] // A test that overflows fails.
mod tests {
    use super::*;

    /// What is known after ticks that come so many microseconds late.
    fn after(late: impl IntoIterator<Item = u64>) -> bool {
        let (mut idleness, mut now) = (Idleness::default(), Duration::ZERO);
        for late in late {
            idleness.rest(now, REST);
            now += REST + Duration::from_micros(late);
            idleness.tick(now);
        }
        idleness.is_idle()
    }

    #[test]
    fn a_worker_is_idle_when_its_ticks_come_on_time() {
        assert!(!after([100; 7]));
        assert!(after([100; 8]));
        assert!(after([500; 8]) && !after([501; 100]));
    }

    #[test]
    fn a_late_tick_says_little_and_three_in_a_row_are_enough() {
        let idle = || [100; 8].into_iter();
        assert!(after(idle().chain([2_100])));
        assert!(after(idle().chain([2_100, 2_100])));
        assert!(!after(idle().chain([2_100, 2_100, 2_100])));
    }

    #[test]
    fn one_late_tick_in_seven_is_the_clock_and_one_in_three_is_a_busy_worker() {
        let mixed = |on_time: usize| (0..200).map(move |tick| if tick % (on_time + 1) == 0 { 2_100 } else { 100 });
        assert!(after(mixed(6)) && after(mixed(4)));
        assert!(!after(mixed(2)) && !after(mixed(1)));
        assert!(!after([100; 8].into_iter().chain(mixed(2))), "nor does it stay idle");
    }

    #[test]
    fn a_worker_with_many_requests_is_busy_though_its_ticks_come_on_time() {
        let idle_beside = |requests: u32| {
            let mut idleness = Idleness::default();
            for tick in 0..100 {
                idleness.rest(Duration::from_millis(4 * tick), REST);
                (0..requests).for_each(|_| idleness.request());
                idleness.tick(Duration::from_micros(4_000 * (tick + 1) + 60));
            }
            idleness.is_idle()
        };
        assert!(idle_beside(0) && idle_beside(4));
        assert!(!idle_beside(5) && !idle_beside(1_000));
    }

    #[test]
    fn without_a_rest_before_it_a_tick_says_nothing() {
        let mut idleness = Idleness::default();
        (0..100).for_each(|tick| idleness.tick(Duration::from_millis(4 * tick)));
        assert!(!idleness.is_idle());
        for tick in 0..8 {
            idleness.rest(Duration::from_millis(4 * tick), REST);
            idleness.tick(Duration::from_millis(4 * tick + 4));
        }
        idleness.tick(Duration::from_secs(9));
        assert!(idleness.is_idle());
        idleness.forget();
        assert!(!idleness.is_idle());
    }

    #[test]
    fn a_clock_that_runs_backwards_is_not_late() {
        let mut idleness = Idleness::default();
        for _ in 0..8 {
            idleness.rest(Duration::from_secs(5), REST);
            idleness.tick(Duration::from_secs(1));
        }
        assert!(idleness.is_idle());
    }
}
