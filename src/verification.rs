//! A list of users, and one login checked against it.
//!
//! # What is hidden, and what is not
//!
//! A login that fails costs the same whoever it named: as many operations of
//! each scheme as the user of the list who needs most of that scheme. A user
//! with cheaper hashes, and one who is not in the list, get the difference as
//! work for nothing. [`Verification::total_work`] is that sum; a failure always
//! does all of it, a success may end earlier.
//!
//! In a list of one scheme that is the work of its costliest user. In a list of
//! several, say while a file is moved from `$apr1$` to bcrypt, it is the
//! costliest of each together, because only the same operations take the same
//! time on every machine.
//!
//! Not hidden: how dear the list's costliest user is; salts shorter than the
//! list's longest of that scheme (at times a block less for each round); the
//! few nanoseconds of looking a name up among many.

use std::hint::black_box;

use crate::hash::{Effort, Hash, Password, Step, Task, Work};
use crate::htpasswd::{HtpasswdError, Line, Problem, lines};

/// The most hashes that one user may have. Rotation needs two.
pub const HASHES_PER_USER: usize = 8;

/// The most that one user's hashes may cost together, with a short password:
/// two of the dearest kind.
pub const WORK_PER_USER: Work = Work::from_micros(512_000);

/// The users of one htpasswd text.
///
/// The text is kept as it is, with four bytes of index for each line: a hundred
/// thousand users need little more than their text. Hashes are read from it
/// again when they are needed, in well under a microsecond. No `Debug`.
pub struct UserList {
    text: Box<str>,
    /// Where lines begin, in the order of user and hash.
    index: Box<[u32]>,
    effort: Effort,
}

impl UserList {
    /// Reads htpasswd text, see [`crate::htpasswd`].
    ///
    /// The same user may stand there more than once with different hashes: any
    /// of them is accepted, so that a password can be changed while both work.
    /// Lines that repeat one another count once.
    ///
    /// # Errors
    ///
    /// The first line that cannot be used, or a text without users.
    pub fn parse(text: impl Into<Box<str>>) -> Result<Self, HtpasswdError> {
        let text: Box<str> = text.into();
        if u32::try_from(text.len()).is_err() {
            return Err(HtpasswdError { line: 0, problem: Problem::TooLong });
        }
        let mut found = Vec::new();
        for line in lines(&text) {
            let line = line?;
            if let Err(error) = Hash::parse(line.hash) {
                return Err(HtpasswdError { line: line.number, problem: Problem::Hash(error) });
            }
            found.push(line);
        }
        if found.is_empty() {
            return Err(HtpasswdError { line: 0, problem: Problem::NoUser });
        }
        found.sort_unstable_by_key(|line| (line.user, line.hash, line.number));
        found.dedup_by_key(|line| (line.user, line.hash));

        let mut effort = Effort::default();
        for user in found.chunk_by(|one, other| one.user == other.user) {
            let line = user.iter().map(|line| line.number).max().unwrap_or_default();
            if user.len() > HASHES_PER_USER {
                return Err(HtpasswdError { line, problem: Problem::TooManyHashes });
            }
            let own = user
                .iter()
                .filter_map(|line| Hash::parse(line.hash).ok())
                .fold(Effort::default(), |sum, hash| sum.plus(hash.effort()));
            if own.work(SHORT_PASSWORD) > WORK_PER_USER {
                return Err(HtpasswdError { line, problem: Problem::TooDear });
            }
            effort = effort.max(own);
        }
        let index = found.iter().filter_map(|line| u32::try_from(line.start).ok()).collect();
        Ok(Self { text, index, effort })
    }

    /// Whether the user is in the list. For the log and the counters alone: an
    /// answer must not depend on it.
    #[must_use]
    pub fn contains(&self, user: &[u8]) -> bool {
        self.hashes(user).next().is_some()
    }

    /// How many different lines there are.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.index.len()
    }

    /// What a failed login costs, with a password of so many bytes.
    #[must_use]
    pub fn cost(&self, password_len: usize) -> Work {
        self.effort.work(password_len)
    }

    /// The user's hashes, as text.
    fn hashes<'l>(&'l self, user: &[u8]) -> impl Iterator<Item = &'l str> {
        let line = |&start: &u32| {
            let start = usize::try_from(start).unwrap_or(usize::MAX);
            Line::at(&self.text, start).unwrap_or_default()
        };
        let first = self.index.partition_point(|start| line(start).0.as_bytes() < user);
        let rest = self.index.get(first..).unwrap_or_default();
        let count = rest.partition_point(|start| line(start).0.as_bytes() == user);
        rest.get(..count).unwrap_or_default().iter().map(move |start| line(start).1)
    }
}

/// The length that [`WORK_PER_USER`] is reckoned with.
const SHORT_PASSWORD: usize = 16;

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
                let first = list.index.first().and_then(|start| Line::at(&list.text, usize::try_from(*start).ok()?));
                let _ = black_box(first.map(|(_, hash)| Hash::parse(hash)));
            }
            for hash in hashes.filter_map(|text| Hash::parse(text).ok()) {
                effort = effort.plus(hash.effort());
                let task = Task::genuine(&hash);
                // A right password is found soonest with the cheapest first.
                let work = task.remaining(len);
                let place = own.partition_point(|other: &Task| other.remaining(len) <= work);
                own.insert(place, task);
            }
            padding.extend(list.effort.minus(effort).decoys());
            total = total.plus(list.effort.work(len));
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

    /// Works for about `budget`, at most [`crate::hash::LONGEST_PIECE`] longer.
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

    /// The work of a failure: the same for every user name with a password of
    /// this length.
    #[must_use]
    pub const fn total_work(&self) -> Work {
        self.total
    }

    /// The most that is left to do; nothing once it is finished.
    #[must_use]
    pub fn remaining(&self) -> Work {
        if self.state == Step::Pending { self.total.minus(self.done) } else { Work::ZERO }
    }
}
