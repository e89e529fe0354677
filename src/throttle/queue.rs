//! Verifications that wait for their turn.
//!
//! # Order
//!
//! Clients take turns, one verification each; a client that comes anew joins at the end. So someone who sends a hundred
//! logins delays others by one. A verification that was begun is worked on until it is finished: nothing is thrown away
//! half done but what its client gave up itself, and only one at a time holds the memory of a hash.
//!
//! # Bounds
//!
//! A login is turned away, with the seconds after which another attempt makes sense, if the work before it would take
//! longer than [`Limits::wait`], or if its client or the queue is full. What is let in will be finished: nothing is
//! begun that is turned away later. The first in an empty queue is always let in, whatever it costs.
//!
//! # Slices
//!
//! [`Queue::work`] in every tick does one slice, see [`Budget`]. It looks at the clock every quarter of a millisecond
//! of work, so even the first slices on an unknown machine are not much too long.

use std::collections::VecDeque;
use std::time::Duration;

use super::budget::{Budget, SHORTEST_SLICE};
use super::retry_after::retry_after;
use crate::request::client::Client;
use crate::users::hash::{Step, Work};

/// What may wait in a queue: work that can be done in steps.
pub trait Task {
    /// The work done so far.
    fn done_work(&self) -> Work;

    /// The most that is left to do; never nothing before it is finished.
    fn remaining(&self) -> Work;

    /// Works for about `budget`.
    fn step(&mut self, budget: Work) -> Step;
}

/// The bounds of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many tasks may wait altogether.
    pub total: usize,
    /// How many of them may be one client's.
    pub per_client: usize,
    /// How long the work before a task may take, on the clock.
    pub wait: Duration,
}

impl Default for Limits {
    /// 256 tasks, 16 of one client, three seconds before the turn comes.
    ///
    /// Three seconds leave room below the five that people and programs are said to bear, and below every timeout of
    /// Envoy's. A full queue is about 200 kB.
    fn default() -> Self {
        Self { total: 256, per_client: 16, wait: Duration::from_secs(3) }
    }
}

/// What became of a task that was submitted.
pub enum Admission<T> {
    /// It was short enough to be done at once: [`Step::Right`] or [`Step::Wrong`].
    Done(T, Step),
    /// It waits.
    Queued,
    /// It was turned away.
    Busy {
        /// The task, untouched.
        task: T,
        /// Seconds after which an attempt makes sense, 1 at least: the number for `retry-after`.
        retry_after: u64,
    },
}

/// What [`Queue::work`] tells while it works.
pub enum Turn<'t, T> {
    /// A task is about to be begun; if this is answered, it is not worked on, and comes back with that answer.
    Begins(&'t T),
    /// A task was worked on to its end. The answer does not matter.
    Ended(&'t T, Step),
}

/// Tasks of many clients, worked on one after the other.
///
/// All times are those of one monotonic clock, with any origin. Whatever looks for something looks at each task that
/// waits: at most [`Limits::total`].
pub struct Queue<T> {
    limits: Limits,
    budget: Budget,
    /// The clients that have tasks waiting, the one whose turn is next in front.
    turns: VecDeque<ClientTasks<T>>,
    /// The task that was begun.
    current: Option<T>,
}

struct ClientTasks<T> {
    client: Client,
    /// The oldest in front; never none.
    tasks: VecDeque<T>,
}

impl<T: Task> Queue<T> {
    /// An empty queue.
    #[must_use]
    pub fn new(limits: Limits, budget: Budget) -> Self {
        Self { limits, budget, turns: VecDeque::new(), current: None }
    }

    /// Takes a task in, does it at once if that is short enough, or turns it away.
    ///
    /// At once means: no more than [`SHORTEST_SLICE`] of work, nobody waiting, and the budget has it. A single `$apr1$`
    /// is of that kind, so it costs no tick, and a flood of them costs no more than the budget. A task that is finished
    /// already costs nothing and always comes back as done.
    pub fn submit(&mut self, client: Client, mut task: T, clock: &mut dyn FnMut() -> Duration) -> Admission<T> {
        let work = task.remaining();
        if work == Work::ZERO {
            let step = task.step(work);
            return Admission::Done(task, step);
        }
        let began = clock();
        if self.is_empty() && self.budget.allows_at_once(work, began) {
            let before = task.done_work();
            let step = task.step(work);
            let ended = clock();
            self.budget.spent(began, ended, task.done_work().minus(before));
            if step != Step::Pending {
                return Admission::Done(task, step);
            }
        }
        if let Some(retry_after) = self.busy(&client) {
            return Admission::Busy { task, retry_after };
        }
        if let Some(waiting) = self.turns.iter_mut().find(|waiting| waiting.client == client) {
            waiting.tasks.push_back(task);
        } else {
            let mut tasks = VecDeque::with_capacity(1);
            tasks.push_back(task);
            self.turns.push_back(ClientTasks { client, tasks });
        }
        Admission::Queued
    }

    /// Whether a task of this client would be turned away now, and after how many seconds it makes sense to come again.
    /// The same for every user name.
    #[must_use]
    pub fn busy(&self, client: &Client) -> Option<u64> {
        let own = self.turns.iter().find(|waiting| waiting.client == *client).map_or(0, |waiting| waiting.tasks.len());
        let wait = self.budget.wait_for(self.before(own));
        if wait > self.limits.wait {
            return Some(retry_after(wait.saturating_sub(self.limits.wait)));
        }
        if own >= self.limits.per_client || self.waiting() >= self.limits.total {
            // A turn of everybody's makes room.
            return Some(retry_after(self.budget.wait_for(self.before(0))));
        }
        None
    }

    /// The work that comes before a new task of a client that has `own` waiting: all of those, and one more than that
    /// of every other client.
    fn before(&self, own: usize) -> Work {
        let current = self.current.as_ref().map_or(Work::ZERO, T::remaining);
        let before = self.turns.iter().flat_map(|waiting| waiting.tasks.iter().take(own.saturating_add(1)));
        before.fold(current, |sum, task| sum.plus(task.remaining()))
    }

    /// Asks about every task, the current one first, and takes out those that are not wanted any more.
    pub fn retain(&mut self, wanted: &mut dyn FnMut(&T) -> bool) {
        self.current.take_if(|current| !wanted(current));
        for waiting in &mut self.turns {
            waiting.tasks.retain(&mut *wanted);
        }
        self.turns.retain(|waiting| !waiting.tasks.is_empty());
    }

    /// The oldest task of the client whose turn it is; the client then waits for its next turn behind all others.
    fn take_next(&mut self) -> Option<T> {
        let mut waiting = self.turns.pop_front()?;
        let task = waiting.tasks.pop_front();
        if !waiting.tasks.is_empty() {
            self.turns.push_back(waiting);
        }
        task
    }

    /// How many tasks wait that were not begun.
    fn waiting(&self) -> usize {
        self.turns.iter().map(|waiting| waiting.tasks.len()).sum()
    }

    /// Does one slice of work, if the budget has one, and gives back what was finished, in order, each with
    /// [`Step::Right`] or [`Step::Wrong`].
    ///
    /// `turn` is asked before a task is begun: there the caller looks once more for a lock, or whether the pair was
    /// verified meanwhile. It is told each end at once, because a slice may hold many tasks, and the failure of one may
    /// lock the next.
    pub fn work(
        &mut self,
        clock: &mut dyn FnMut() -> Duration,
        turn: &mut dyn FnMut(Turn<'_, T>) -> Option<Step>,
    ) -> Vec<(T, Step)> {
        let mut finished = Vec::new();
        let start = clock();
        let Some(slice) = self.budget.slice(start) else {
            return finished;
        };
        // Counted in work as well as in time: a clock that stands still ends it too.
        let mut left = self.budget.work_in(slice);
        let mut done = Work::ZERO;
        let mut now = start;
        while now.saturating_sub(start) < slice && left > Work::ZERO {
            let mut current = match self.current.take() {
                Some(current) => current,
                None => match self.take_next() {
                    None => break,
                    Some(next) => match turn(Turn::Begins(&next)) {
                        None => next,
                        Some(answer) => {
                            finished.push((next, answer));
                            continue;
                        }
                    },
                },
            };
            let before = current.done_work();
            let step = current.step(left.min(self.budget.work_in(SHORTEST_SLICE)));
            let work = current.done_work().minus(before);
            let then = clock();
            now = now.max(then);
            done = done.plus(work);
            left = left.minus(work.plus(Work::from_nanos(1)));
            if step == Step::Pending {
                self.current = Some(current);
            } else {
                turn(Turn::Ended(&current, step));
                finished.push((current, step));
            }
        }
        if done > Work::ZERO {
            self.budget.spent(start, now, done);
        }
        finished
    }

    /// Whether there is no task: then no tick is needed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.turns.is_empty() && self.current.is_none()
    }
}

#[cfg(test)]
mod tests;
