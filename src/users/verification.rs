//! One login checked against lists of users.
//!
//! # What is hidden, and what is not
//!
//! A login that fails costs the same whoever it named: as many operations of each scheme as the user of the list who
//! needs most of that scheme. A user with cheaper hashes, and one who is not in the list, get the difference as decoys.
//! A failure always does all of it, a success may end earlier.
//!
//! In a list of one scheme that is the work of its costliest user. In a list of several, say while a file is moved from
//! `$apr1$` to bcrypt, it is the costliest of each together, because only the same operations take the same time on
//! every machine.
//!
//! Not hidden: what the list's costliest user costs; salts shorter than the list's longest of that scheme (at times a
//! block less for each round); the few nanoseconds of looking a name up among many.

use std::hint::black_box;

use super::hash::{Effort, Hash, HashJob, Password, Step, Work};
use super::list::UserList;

/// One login, checked against the hashes of its user in one list or several.
///
/// It owns what it needs, a few hundred bytes, and four kilobytes more while a bcrypt hash is worked on: the lists may
/// be dropped or replaced meanwhile.
pub struct Verification {
    password: Password,
    /// What is still to be done, the next one last.
    jobs: Vec<ListedJob>,
    done: Work,
    total: Work,
    /// The hash of the user's that the password is right for.
    found: Option<Box<str>>,
    end: End,
}

/// The work on one hash of the user's, as it is listed, or decoys. By the end the list may be another one.
struct ListedJob {
    hash: Option<Box<str>>,
    job: HashJob,
}

/// When a verification ends in which the password is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As soon as that is known.
    WhenFound,
    /// After as much work as a wrong one takes, so that nobody can tell by the time.
    WhenAllIsDone,
}

impl Verification {
    /// Prepares a login against the lists of one rule, and does at once what takes a microsecond: `{SHA}` and `{SSHA}`.
    ///
    /// With lists that hold nothing else (or with none) it is finished; see [`Verification::state`].
    #[must_use]
    pub fn new<'l>(lists: impl IntoIterator<Item = &'l UserList>, user: &[u8], password: &[u8], end: End) -> Self {
        let password = Password::new(password);
        let len = password.bytes().len();
        let mut own = Vec::new();
        let mut padding = Vec::new();
        let mut total = Work::ZERO;
        for list in lists {
            let mut effort = Effort::default();
            let mut hashes = list.hashes(user).peekable();
            if hashes.peek().is_none() {
                // Reading a hash takes a tenth of what it takes to verify `{SHA}`, so one is read for an unknown user,
                // too.
                let _ = black_box(list.any_hash().map(Hash::parse));
            }
            for (text, hash) in hashes.filter_map(|text| Some((text, Hash::parse(text).ok()?))) {
                effort = effort.plus(hash.effort());
                let job = HashJob::genuine(&hash);
                // A right password is found soonest with the cheapest first.
                let work = job.remaining(len);
                let index = own.partition_point(|other: &ListedJob| other.job.remaining(len) <= work);
                own.insert(index, ListedJob { hash: Some(text.into()), job });
            }
            padding.extend(list.effort().minus(effort).decoys().map(|job| ListedJob { hash: None, job }));
            total = total.plus(list.effort().work(len));
        }
        own.append(&mut padding);
        let (fast, mut jobs): (Vec<_>, Vec<_>) = own.into_iter().partition(|listed| listed.job.is_fast());
        jobs.reverse();
        let mut this = Self { password, jobs, done: Work::ZERO, total, found: None, end };
        for ListedJob { hash, mut job } in fast {
            // None is left out once the right one is found: how long it takes must not tell which of a user's passwords
            // it was.
            let (work, step) = job.work(&this.password, Work::from_nanos(1));
            this.done = this.done.plus(work);
            this.found = this.found.or(hash.filter(|_| step == Step::Right));
        }
        this.finish();
        this
    }

    /// Leaves the rest undone once the password was found, if that may be told.
    fn finish(&mut self) {
        if self.found.is_some() && self.end == End::WhenFound {
            self.jobs.clear();
        }
    }

    /// Works for about `budget`, at most a quarter of a millisecond longer.
    ///
    /// Once it is finished, further steps do nothing and answer the same.
    pub fn step(&mut self, budget: Work) -> Step {
        let mut left = budget;
        while left > Work::ZERO
            && let Some(ListedJob { hash, job }) = self.jobs.last_mut()
        {
            let (work, step) = job.work(&self.password, left);
            self.done = self.done.plus(work);
            left = left.minus(work);
            if step != Step::Pending {
                self.found = self.found.take().or(hash.take().filter(|_| step == Step::Right));
                self.jobs.pop();
                self.finish();
            }
        }
        self.state()
    }

    /// How far it has come, without doing anything.
    #[must_use]
    pub const fn state(&self) -> Step {
        match self.jobs.is_empty() {
            false => Step::Pending,
            true if self.found.is_some() => Step::Right,
            true => Step::Wrong,
        }
    }

    /// The hash of the user's, as it is listed, that the password was found right for.
    #[must_use]
    pub fn found(&self) -> Option<&str> {
        self.found.as_deref()
    }

    /// The work done so far.
    #[must_use]
    pub const fn done_work(&self) -> Work {
        self.done
    }

    /// The most that is left to do; nothing once it is finished.
    #[must_use]
    pub fn remaining(&self) -> Work {
        if self.jobs.is_empty() { Work::ZERO } else { self.total.minus(self.done) }
    }
}
