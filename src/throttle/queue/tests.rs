//! The queue of slow verifications, on a clock of its own.

#![allow(
    clippy::panic,
    clippy::similar_names,
    clippy::unchecked_time_subtraction,
    clippy::duration_suboptimal_units,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::cell::Cell;
use std::time::Duration;

use proptest::prelude::*;

use super::{Admission, Limits, Queue, Task, Turn};
use crate::config::DEFAULT_HASH_BUDGET_MS_PER_SECOND;
use crate::test_support::client;
use crate::throttle::budget::{Budget, LONGEST_SLICE};
use crate::users::hash::{Step, Work};

/// Work that takes its time on the clock that it is given.
struct Fake {
    name: u32,
    client: u32,
    total: Work,
    done: Work,
    end: Step,
    clock: &'static Cell<Duration>,
    /// How many times slower than nominal.
    slowness: u32,
}

/// The piece that is not divided.
const PIECE: Work = Work::from_micros(55);

impl Task for Fake {
    fn done_work(&self) -> Work {
        self.done
    }

    fn remaining(&self) -> Work {
        self.total.minus(self.done)
    }

    fn step(&mut self, budget: Work) -> Step {
        let mut now = Work::ZERO;
        while now < budget && self.done < self.total {
            let piece = PIECE.nanos().min(self.remaining().nanos());
            now = now.plus(Work::from_nanos(piece));
            self.done = self.done.plus(Work::from_nanos(piece));
            self.clock.set(self.clock.get() + Duration::from_nanos(piece) * self.slowness);
        }
        if self.done < self.total { Step::Pending } else { self.end }
    }
}

/// A worker: a queue and a clock.
struct Worker {
    queue: Queue<Fake>,
    clock: &'static Cell<Duration>,
    names: u32,
    slowness: u32,
}

impl Worker {
    fn new(limits: Limits, millis_per_second: u32) -> Self {
        let clock: &'static Cell<Duration> = Box::leak(Box::default());
        Self { queue: Queue::new(limits, Budget::new(millis_per_second, Duration::ZERO)), clock, names: 0, slowness: 1 }
    }

    fn now(&self) -> Duration {
        self.clock.get()
    }

    fn submit(&mut self, from: u32, millis: f64, end: Step) -> Admission<Fake> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let total = Work::from_micros((millis * 1_000.0) as u64);
        self.names += 1;
        let task = Fake {
            name: self.names,
            client: from,
            total,
            done: Work::ZERO,
            end,
            clock: self.clock,
            slowness: self.slowness,
        };
        let clock = self.clock;
        self.queue.submit(client(from), task, &mut || clock.get())
    }

    /// Submits a task that has to wait, and says its name.
    fn wait(&mut self, from: u32, millis: f64) -> u32 {
        match self.submit(from, millis, Step::Wrong) {
            Admission::Queued => self.names,
            Admission::Done(..) => panic!("done at once"),
            Admission::Busy { .. } => panic!("busy"),
        }
    }

    /// Takes a task out, and says whether it was there.
    fn remove(&mut self, name: u32) -> bool {
        !self.queue.take_where(&mut |task| task.name == name).is_empty()
    }

    /// Rests for 4 ms and works for a slice; the names of clients that are finished.
    fn tick(&mut self) -> Vec<(Fake, Step)> {
        assert!(self.now() < Duration::from_mins(10), "never done");
        self.clock.set(self.now() + Duration::from_millis(4));
        let (clock, began) = (self.clock, self.now());
        let finished = self.queue.work(&mut || clock.get(), &mut |_| None);
        let took = self.now() - began;
        assert!(took <= LONGEST_SLICE + Duration::from_micros(400) * self.slowness, "{took:?}");
        finished
    }

    /// The clients in the order in which their tasks end.
    fn drain(&mut self) -> Vec<u32> {
        let mut order = Vec::new();
        while !self.queue.is_empty() {
            order.extend(self.tick().into_iter().map(|(task, _)| task.client));
        }
        order
    }
}

#[test]
fn clients_take_turns() {
    let mut worker = Worker::new(Limits::default(), 250);
    for from in [1, 1, 1, 1, 2, 2, 3] {
        worker.wait(from, 5.0);
    }
    assert_eq!(worker.drain(), [1, 2, 3, 1, 2, 1, 1]);
}

#[test]
fn nobody_is_passed_by_those_who_come_later() {
    let mut worker = Worker::new(Limits::default(), 250);
    worker.wait(1, 5.0);
    worker.wait(1, 5.0);
    let mut order = Vec::new();
    for newcomer in 2..20 {
        worker.wait(newcomer, 5.0);
        while order.len() < newcomer as usize - 1 {
            order.extend(worker.tick().into_iter().map(|(task, _)| task.client));
        }
    }
    assert_eq!(order[..4], [1, 2, 1, 3]);
}

#[test]
fn a_task_that_was_begun_is_finished_first() {
    let mut worker = Worker::new(Limits::default(), 250);
    worker.wait(1, 50.0);
    worker.tick();
    worker.wait(2, 5.0);
    assert_eq!(worker.drain(), [1, 2]);
}

/// What bcrypt of the highest cost takes, 14; and of what is recommended, 10.
const MILLIS_14: f64 = 901.2;
const MILLIS_10: f64 = 56.4;

#[test]
fn a_lone_login_of_the_highest_cost_is_done_in_four_seconds() {
    let mut worker = Worker::new(Limits::default(), DEFAULT_HASH_BUDGET_MS_PER_SECOND);
    worker.wait(1, MILLIS_14);
    assert_eq!(worker.drain(), [1]);
    assert!((3_500..3_900).contains(&worker.now().as_millis()), "{:?}", worker.now());
}

#[test]
fn a_costly_task_goes_on_in_its_next_turn() {
    let mut worker = Worker::new(Limits::default(), 250);
    for (from, millis) in [(1, MILLIS_14), (2, MILLIS_10), (2, MILLIS_10), (3, MILLIS_14)] {
        worker.wait(from, millis);
    }
    let mut begun = Vec::new();
    while !worker.queue.is_empty() {
        worker.clock.set(worker.now() + Duration::from_millis(4));
        let clock = worker.clock;
        worker.queue.work(&mut || clock.get(), &mut |turn| {
            if let Turn::Begins(task) = turn {
                begun.push((task.client, task.done.nanos() / 1_000_000));
            }
            None
        });
    }
    // A turn ends with the step in which its work is done.
    let turns: Vec<_> = begun.iter().map(|(from, done)| (*from, done.div_ceil(10) * 10)).collect();
    assert_eq!(turns, [(1, 0), (2, 0), (3, 0), (1, 230), (2, 0), (3, 230), (1, 460), (3, 460), (1, 680), (3, 680)]);
}

#[test]
fn many_logins_of_the_highest_cost_delay_others_by_a_turn_each() {
    for clients in 1..=3 {
        let mut worker = Worker::new(Limits::default(), DEFAULT_HASH_BUDGET_MS_PER_SECOND);
        let (mut sent, mut asked, mut answered) = (0, Duration::ZERO, None);
        while answered.is_none() {
            assert!(worker.now() < Duration::from_secs(60), "starved by {clients}");
            // Each of the guessers has always another login waiting, as far as it is let in.
            sent += 1;
            worker.submit(sent % clients, MILLIS_14, Step::Wrong);
            if sent == 2_000 {
                asked = worker.now();
                assert!(matches!(worker.submit(1_000, MILLIS_10, Step::Right), Admission::Queued), "{clients}");
            }
            answered = worker.tick().into_iter().find(|(task, _)| task.client == 1_000).map(|_| worker.now() - asked);
        }
        let bound = Duration::from_millis(300) + Duration::from_millis(930) * clients;
        assert!(answered.unwrap() < bound, "{answered:?} behind {clients}");
    }
}

#[test]
fn a_turn_is_over_when_its_task_is_gone() {
    let mut worker = Worker::new(Limits::default(), 250);
    let names = [1, 1, 2].map(|from| worker.wait(from, 20.0));
    worker.tick();
    worker.remove(names[0]);
    worker.clock.set(worker.now() + Duration::from_millis(4));
    let clock = worker.clock;
    let mut begun = Vec::new();
    worker.queue.work(&mut || clock.get(), &mut |turn| {
        begun.extend(if let Turn::Begins(task) = turn { Some(task.name) } else { None });
        None
    });
    assert_eq!(begun, [names[2]], "nobody keeps a turn by giving up");
}

#[test]
fn who_is_gone_is_taken_out() {
    let mut worker = Worker::new(Limits::default(), 250);
    let names = [1, 1, 2, 3].map(|from| worker.wait(from, 20.0));
    worker.tick();
    assert!(worker.remove(names[0]), "the one in work");
    assert!(worker.remove(names[2]));
    assert!(!worker.remove(names[2]), "only once");
    assert_eq!(worker.queue.len(), 2);
    worker.wait(2, 20.0);
    assert_eq!(worker.drain(), [3, 1, 2]);
}

#[test]
fn some_are_taken_out_together() {
    let mut worker = Worker::new(Limits::default(), 250);
    for from in [1, 2, 1, 3] {
        worker.wait(from, 20.0);
    }
    worker.tick();
    let names = |tasks: Vec<Fake>| tasks.iter().map(|task| (task.client, task.name)).collect::<Vec<_>>();
    assert_eq!(names(worker.queue.take_where(&mut |task| task.client == 1)), [(1, 1), (1, 3)]);
    assert_eq!(worker.queue.len(), 2);
    assert_eq!(worker.drain(), [2, 3]);
    for from in [1, 2, 1] {
        worker.wait(from, 20.0);
    }
    worker.tick();
    assert_eq!(names(worker.queue.take_where(&mut |_| true)), [(1, 5), (1, 7), (2, 6)]);
    assert!(worker.queue.is_empty() && worker.drain().is_empty());
}

#[test]
fn a_task_can_be_answered_before_it_is_begun() {
    let mut worker = Worker::new(Limits::default(), 250);
    worker.wait(1, 20.0);
    worker.wait(2, 20.0);
    worker.clock.set(Duration::from_millis(4));
    let clock = worker.clock;
    let mut asked = Vec::new();
    let finished = worker.queue.work(&mut || clock.get(), &mut |turn| {
        let Turn::Begins(task) = turn else { return None };
        asked.push((task.client, task.name));
        (task.name == 1).then_some(Step::Right)
    });
    assert_eq!(asked, [(1, 1), (2, 2)]);
    assert_eq!(finished.iter().map(|(task, step)| (task.name, *step)).collect::<Vec<_>>(), [(1, Step::Right)]);
    assert_eq!(finished[0].0.done, Work::ZERO);
    assert_eq!(worker.drain(), [2]);
}

#[test]
fn a_tick_with_nothing_to_do_counts_as_rest() {
    let mut worker = Worker::new(Limits::default(), 250);
    worker.clock.set(Duration::from_secs(1));
    let clock = worker.clock;
    assert!(worker.queue.work(&mut || clock.get(), &mut |_| None).is_empty());
    worker.wait(1, 5.0);
    worker.queue.work(&mut || clock.get(), &mut |_| None);
    assert!(worker.now() >= Duration::from_secs(1) + LONGEST_SLICE, "as long a slice as there is");
}

#[test]
fn short_work_is_done_at_once_while_the_budget_has_it() {
    let mut worker = Worker::new(Limits::default(), 250);
    let at_once =
        (0..100).take_while(|_| matches!(worker.submit(1, 0.11, Step::Wrong), Admission::Done(_, Step::Wrong))).count();
    assert!((15..=25).contains(&at_once), "about a slice's worth at one moment, not {at_once}");
    assert_eq!(worker.queue.len(), 1, "the next one waits");
    assert!(matches!(worker.submit(2, 0.11, Step::Right), Admission::Queued), "and nobody overtakes it");
    assert!(!worker.drain().is_empty());
    assert!(matches!(worker.submit(1, 1.8, Step::Right), Admission::Queued), "longer work always waits");
}

#[test]
fn finished_work_needs_no_budget() {
    let mut worker = Worker::new(Limits { total: 0, ..Limits::default() }, 1);
    worker.clock.set(Duration::from_secs(1));
    assert!(matches!(worker.submit(1, 0.0, Step::Right), Admission::Done(_, Step::Right)));
}

/// How many of a client's tasks are let in, and what the next one hears.
fn fill(worker: &mut Worker, from: impl Fn(u32) -> u32, millis: f64) -> (u32, u64) {
    for count in 0..1_000 {
        match worker.submit(from(count), millis, Step::Wrong) {
            Admission::Busy { retry_after, .. } => return (count, retry_after),
            Admission::Done(..) => panic!("done at once"),
            Admission::Queued => {}
        }
    }
    panic!("never busy")
}

#[test]
fn the_wait_is_bounded() {
    // 56 ms at a quarter of the time is 224 ms: 13 of them before are less than three seconds.
    let mut worker = Worker::new(Limits::default(), 250);
    assert_eq!(fill(&mut worker, |_| 1, 56.0), (14, 1));
    assert!(matches!(worker.submit(2, 56.0, Step::Wrong), Admission::Queued), "another client is let in");
    let mut worker = Worker::new(Limits::default(), 250);
    assert_eq!(fill(&mut worker, |_| 1, 250.0), (4, 1), "three seconds are not too long");
    let mut worker = Worker::new(Limits::default(), 250);
    assert_eq!(fill(&mut worker, |from| from, 56.0).0, 14, "many clients wait no longer");
}

#[test]
fn clients_and_the_queue_are_bounded() {
    let mut worker = Worker::new(Limits::default(), 250);
    assert_eq!(fill(&mut worker, |_| 1, 2.0), (16, 1));
    let mut worker = Worker::new(Limits::default(), 250);
    assert_eq!(fill(&mut worker, |from| from, 2.0), (256, 3));
}

#[test]
fn the_first_is_always_let_in() {
    let mut worker = Worker::new(Limits::default(), 1);
    worker.wait(1, 400.0);
    assert!(matches!(worker.submit(2, 1.0, Step::Wrong), Admission::Busy { retry_after: 223, .. }));
}

/// Ten wrong logins a second of 56 ms each for ten seconds, and a right one from another client after five.
fn flood(slowness: u32, from: impl Fn(u32) -> u32) -> (u32, u32, Duration, Duration) {
    let mut worker = Worker::new(Limits::default(), DEFAULT_HASH_BUDGET_MS_PER_SECOND);
    worker.slowness = slowness;
    let (mut answered, mut busy, mut sent, mut accepted) = (0, 0, 0, None);
    let (mut asked, mut finished) = (None, Duration::ZERO);
    while worker.now() < Duration::from_secs(10) {
        while worker.now() >= Duration::from_millis(100) * sent {
            sent += 1;
            match worker.submit(from(sent), 56.0, Step::Wrong) {
                Admission::Busy { .. } => busy += 1,
                Admission::Queued => {}
                Admission::Done(..) => panic!("done at once"),
            }
        }
        if asked.is_none() && worker.now() >= Duration::from_secs(5) {
            asked = Some(worker.now());
            assert!(matches!(worker.submit(1_000_000, 56.0, Step::Right), Admission::Queued));
        }
        for (task, step) in worker.tick() {
            answered += 1;
            finished += Duration::from_nanos(task.done.nanos()) * slowness;
            if step == Step::Right {
                accepted = Some(worker.now() - asked.unwrap());
            }
        }
    }
    let length = u32::try_from(worker.queue.len()).unwrap();
    assert_eq!(answered + busy + length, sent + 1, "nobody is lost");
    (answered, busy, finished, accepted.unwrap())
}

/// caddy#3462, haproxy#1298, traefik#4791: slow hashes stalled everybody else.
#[test]
fn a_flood_from_one_client_delays_others_by_one_login() {
    let (answered, busy, finished, accepted) = flood(1, |_| 1);
    assert!(answered >= 40 && busy >= 40, "{answered} {busy}");
    // Of a budget of 2.5 s.
    assert!(finished >= Duration::from_millis(2_250) && finished <= Duration::from_millis(2_550), "{finished:?}");
    assert!(accepted < Duration::from_millis(600), "{accepted:?}");
}

#[test]
fn a_slow_machine_holds_the_budget_too() {
    let (answered, _, finished, accepted) = flood(3, |_| 1);
    assert!((10..=15).contains(&answered), "{answered}");
    assert!(finished >= Duration::from_millis(2_000) && finished <= Duration::from_millis(2_600), "{finished:?}");
    assert!(accepted < Duration::from_millis(1_800), "{accepted:?}");
}

#[test]
fn a_flood_from_three_clients_leaves_a_turn() {
    let (_, _, _, accepted) = flood(1, |number| number % 3);
    assert!(accepted < Duration::from_millis(1_200), "{accepted:?}");
}

#[test]
fn a_clock_that_stands_still_ends_a_slice() {
    let mut worker = Worker::new(Limits::default(), 250);
    worker.slowness = 0;
    worker.wait(1, 50.0);
    for _ in 0..200 {
        worker.tick();
    }
    assert!(worker.queue.is_empty());
    let finished = worker.queue.work(&mut || Duration::ZERO, &mut |_| None);
    assert!(finished.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes and goes, every task ends exactly one way.
    #[test]
    fn nobody_is_lost(events in prop::collection::vec((0..5_u8, 0..6_u32, 1..40_u32), 1..120)) {
        let mut worker = Worker::new(Limits { total: 20, per_client: 4, wait: Duration::from_secs(1), ..Limits::default() }, 250);
        let (mut open, mut ended) = (Vec::new(), 0);
        for (event, from, size) in events {
            match event {
                0 | 1 => match worker.submit(from, f64::from(size), Step::Wrong) {
                    Admission::Queued => open.push(worker.names),
                    Admission::Busy { .. } | Admission::Done(..) => ended += 1,
                },
                2 if !open.is_empty() => {
                    let name = open.swap_remove(size as usize % open.len());
                    ended += u32::from(worker.remove(name));
                }
                _ => ended += u32::try_from(worker.tick().len()).unwrap(),
            }
            prop_assert_eq!(usize::try_from(worker.names - ended).unwrap(), worker.queue.len());
            prop_assert!(worker.queue.len() <= 20);
        }
        ended += u32::try_from(worker.drain().len()).unwrap();
        prop_assert_eq!(ended, worker.names);
        prop_assert!(open.into_iter().all(|name| !worker.remove(name)));
    }
}
