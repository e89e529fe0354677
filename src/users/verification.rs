//! One login checked against lists of users.
//!
//! # What is hidden, and what is not
//!
//! A login that fails costs the same whoever it named: as many operations of each scheme as the user of the list who
//! needs most of that scheme. A user with cheaper hashes, and one who is not in the list, get the difference as work for
//! nothing. A failure always does all of it, a success may end earlier.
//!
//! In a list of one scheme that is the work of its costliest user. In a list of several, say while a file is moved from
//! `$apr1$` to bcrypt, it is the costliest of each together, because only the same operations take the same time on every
//! machine.
//!
//! Not hidden: how dear the list's costliest user is; salts shorter than the list's longest of that scheme (at times a
//! block less for each round); the few nanoseconds of looking a name up among many.

use std::hint::black_box;

use super::hash::{Effort, Hash, Password, Step, Task, Work};
use super::list::UserList;

/// One login, checked against the hashes of its user in one list or several.
///
/// It owns what it needs, a few hundred bytes, and four kilobytes more while a
/// bcrypt hash is worked on: the lists may be dropped or replaced meanwhile.
pub struct Verification {
    password: Password,
    /// What is still to be done, the next one last.
    tasks: Vec<Task>,
    done: Work,
    total: Work,
    state: Step,
}

impl Verification {
    /// Prepares a login against the lists of one rule, and does at once what
    /// takes a microsecond: `{SHA}` and `{SSHA}`.
    ///
    /// With lists that hold nothing else (or with none) it is finished; see
    /// [`Verification::state`].
    #[must_use]
    pub fn new<'l>(lists: impl IntoIterator<Item = &'l UserList>, user: &[u8], password: &[u8]) -> Self {
        let password = Password::new(password);
        let len = password.bytes().len();
        let mut own = Vec::new();
        let mut padding = Vec::new();
        let mut total = Work::ZERO;
        for list in lists {
            let mut effort = Effort::default();
            let mut hashes = list.hashes(user).peekable();
            if hashes.peek().is_none() {
                // To read a hash takes a tenth of what it takes to verify `{SHA}`: that is done for nobody, too.
                let _ = black_box(list.any_hash().map(Hash::parse));
            }
            for hash in hashes.filter_map(|text| Hash::parse(text).ok()) {
                effort = effort.plus(hash.effort());
                let task = Task::genuine(&hash);
                // A right password is found soonest with the cheapest first.
                let work = task.remaining(len);
                let place = own.partition_point(|other: &Task| other.remaining(len) <= work);
                own.insert(place, task);
            }
            padding.extend(list.effort().minus(effort).decoys());
            total = total.plus(list.effort().work(len));
        }
        own.append(&mut padding);
        let (fast, mut tasks): (Vec<_>, Vec<_>) = own.into_iter().partition(Task::is_fast);
        tasks.reverse();
        let mut this = Self { password, tasks, done: Work::ZERO, total, state: Step::Pending };
        for mut task in fast {
            // None is left out once the right one is found: which of a user's
            // passwords it was is nobody's business.
            let (work, step) = task.work(&this.password, Work::from_nanos(1));
            this.done = this.done.plus(work);
            if step == Step::Right {
                this.state = Step::Right;
            }
        }
        this.settle();
        this
    }

    /// Ends when the password was found or nothing is left to try.
    fn settle(&mut self) {
        if self.state == Step::Right {
            self.tasks.clear();
        } else if self.tasks.is_empty() {
            self.state = Step::Wrong;
        }
    }

    /// Works for about `budget`, at most a quarter of a millisecond longer.
    ///
    /// Once it is finished, further steps do nothing and answer the same.
    pub fn step(&mut self, budget: Work) -> Step {
        let mut left = budget;
        while self.state == Step::Pending && left > Work::ZERO {
            let Some(task) = self.tasks.last_mut() else {
                break;
            };
            let (work, step) = task.work(&self.password, left);
            self.done = self.done.plus(work);
            left = left.minus(work);
            match step {
                Step::Pending => {}
                Step::Right => self.state = Step::Right,
                Step::Wrong => drop(self.tasks.pop()),
            }
            self.settle();
        }
        self.state
    }

    /// How far it has come, without doing anything.
    #[must_use]
    pub const fn state(&self) -> Step {
        self.state
    }

    /// The work done so far.
    #[must_use]
    pub const fn done_work(&self) -> Work {
        self.done
    }

    /// The most that is left to do; nothing once it is finished.
    #[must_use]
    pub fn remaining(&self) -> Work {
        if self.state == Step::Pending { self.total.minus(self.done) } else { Work::ZERO }
    }
}
