//! Verifications that wait for their turn.
//!
//! # Order
//!
//! Clients take turns; a client that comes anew joins at the end. A turn is one verification, or [`Limits::turn`] of
//! work on one that takes longer: then it goes on in the client's next turn. So someone who sends a hundred logins, or
//! one that takes seconds, delays others by one turn. Nothing is thrown away half done but what its client gave up
//! itself, or what a lock came upon. A verification that was begun holds the memory of a hash, four kilobytes at most.
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
    /// How long it may take until a task's first turn comes, on the clock.
    pub wait: Duration,
    /// The most work of a turn.
    pub turn: Work,
}

impl Default for Limits {
    /// 256 tasks, 16 of one client, three seconds before the first turn comes, and turns of 0.23 s of work.
    ///
    /// Three seconds leave room below the five that people and programs are said to bear, and below every timeout of
    /// Envoy's. A turn is what bcrypt of a cost of 12 takes (225.3 ms), the highest that draws no warning: whatever costs
    /// more is no worse for others than that, and whatever costs no more is done in one turn. A full queue is about
    /// 200 kB.
    fn default() -> Self {
        Self { total: 256, per_client: 16, wait: Duration::from_secs(3), turn: Work::from_micros(226_000) }
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
    /// The turn of a task begins; if this is answered, it is not worked on any more, and comes back with that answer.
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
    /// The clients that have tasks, the one whose turn it is in front.
    turns: VecDeque<ClientTasks<T>>,
    /// The work that is left of that turn; nothing before it begins.
    turn_left: Work,
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
        Self { limits, budget, turns: VecDeque::new(), turn_left: Work::ZERO }
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
        let own = self.turns.iter().find(|waiting| waiting.client == *client);
        let wait = self.budget.wait_for(self.before(own));
        if wait > self.limits.wait {
            return Some(retry_after(wait.saturating_sub(self.limits.wait)));
        }
        if own.is_some_and(|own| own.tasks.len() >= self.limits.per_client) || self.len() >= self.limits.total {
            // A turn of everybody's makes room.
            return Some(retry_after(self.budget.wait_for(self.before(None))));
        }
        None
    }

    /// The work that comes before the first turn of a new task: all of its client's own, and of every other client one
    /// turn more than those take.
    fn before(&self, own: Option<&ClientTasks<T>>) -> Work {
        let turns =
            own.map_or(0, |own| own.tasks.iter().map(|task| self.turns_of(task)).sum::<u64>()).saturating_add(1);
        let work = |waiting: &ClientTasks<T>| {
            let is_own = own.is_some_and(|own| own.client == waiting.client);
            let (mut work, mut turns) = (Work::ZERO, if is_own { u64::MAX } else { turns });
            for task in &waiting.tasks {
                let needed = self.turns_of(task);
                work = work.plus(if needed <= turns { task.remaining() } else { self.limits.turn.times(turns) });
                turns = turns.saturating_sub(needed);
                if turns == 0 {
                    break;
                }
            }
            work
        };
        self.turns.iter().map(work).fold(Work::ZERO, Work::plus)
    }

    /// How many turns a task takes.
    fn turns_of(&self, task: &T) -> u64 {
        u64::from(self.limits.turn.pieces_in(task.remaining())).max(1)
    }

    /// A task of a client.
    pub fn find(&mut self, client: &Client, wanted: &dyn Fn(&T) -> bool) -> Option<&mut T> {
        let own = self.turns.iter_mut().find(|waiting| waiting.client == *client)?;
        own.tasks.iter_mut().find(|task| wanted(task))
    }

    /// Asks about every task, in order, and takes those out that are wanted. A turn ends with its task, so that nobody
    /// keeps it by giving up one login after the other.
    pub fn take_where(&mut self, wanted: &mut dyn FnMut(&mut T) -> bool) -> Vec<T> {
        let mut taken = Vec::new();
        let mut is_interrupted = false;
        let mut is_first = self.turn_left > Work::ZERO;
        for waiting in &mut self.turns {
            for _ in 0..waiting.tasks.len() {
                let Some(mut task) = waiting.tasks.pop_front() else { break };
                if wanted(&mut task) {
                    is_interrupted |= is_first;
                    taken.push(task);
                } else {
                    waiting.tasks.push_back(task);
                }
                is_first = false;
            }
        }
        if is_interrupted {
            self.end_turn();
        }
        self.turns.retain(|waiting| !waiting.tasks.is_empty());
        taken
    }

    /// Ends the turn of the client in front, which then waits for its next one behind all others.
    fn end_turn(&mut self) {
        self.turn_left = Work::ZERO;
        if let Some(waiting) = self.turns.pop_front()
            && !waiting.tasks.is_empty()
        {
            self.turns.push_back(waiting);
        }
    }

    /// Takes the task out whose turn it is, and ends the turn.
    fn take_first(&mut self) -> Option<T> {
        let task = self.turns.front_mut()?.tasks.pop_front();
        self.end_turn();
        task
    }

    /// Does one slice of work, if the budget has one, and gives back what was finished, in order, each with
    /// [`Step::Right`] or [`Step::Wrong`].
    ///
    /// `turn` is asked before a turn begins: there the caller looks once more for a lock, or whether the pair was verified
    /// meanwhile. It is told each end at once, because a slice may hold many tasks, and the failure of one may lock the
    /// next.
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
            let Some(task) = self.turns.front_mut().and_then(|waiting| waiting.tasks.front_mut()) else { break };
            if self.turn_left == Work::ZERO {
                if let Some(answer) = turn(Turn::Begins(task)) {
                    finished.extend(self.take_first().map(|task| (task, answer)));
                    continue;
                }
                self.turn_left = self.limits.turn;
            }
            let before = task.done_work();
            let step = task.step(left.min(self.budget.work_in(SHORTEST_SLICE)));
            let work = task.done_work().minus(before);
            let then = clock();
            now = now.max(then);
            done = done.plus(work);
            left = left.minus(work.plus(Work::from_nanos(1)));
            self.turn_left = self.turn_left.minus(work);
            if step != Step::Pending {
                turn(Turn::Ended(task, step));
                finished.extend(self.take_first().map(|task| (task, step)));
            } else if self.turn_left == Work::ZERO {
                self.end_turn();
            }
        }
        if done > Work::ZERO {
            self.budget.spent(start, now, done);
        }
        finished
    }

    /// A request came, whether or not it has a task.
    pub fn request(&mut self) {
        self.budget.request();
    }

    /// A rest begins after which [`Queue::work`] follows; how long it is to be.
    pub fn rest(&mut self, now: Duration) -> Duration {
        self.budget.rest(now)
    }

    /// How long the rest before the next [`Queue::work`] is to be.
    #[must_use]
    pub fn next_rest(&self) -> Duration {
        self.budget.next_rest()
    }

    /// How many tasks there are.
    pub(super) fn len(&self) -> usize {
        self.turns.iter().map(|waiting| waiting.tasks.len()).sum()
    }

    /// Whether there is no task: then no tick is needed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }
}

#[cfg(test)]
mod tests;
