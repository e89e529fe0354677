//! A verification, cut into steps.

use sha2::{Sha256, Sha512};

use super::bcrypt::Expansion;
use super::md5_crypt::{Marker, Md5Crypt, Md5Setting};
use super::rounds::Rounds;
use super::salt::Salt;
use super::sha_crypt::ShaSetting;
use super::sha1::SaltedSha1;
use super::{Hash, Kind, LONGEST_PASSWORD, Password, Work};

/// How far a verification has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is work left to do.
    Pending,
    /// The password is the right one.
    Right,
    /// It is not.
    Wrong,
}

/// The verification of one hash, cut into steps, or a decoy: as much work for nothing. It holds four kilobytes while a
/// bcrypt hash is worked on. It may be dropped at any time.
pub(crate) struct HashJob {
    kind: Computation,
    /// Whether a right password counts; it does not in decoys. The comparison is made all the same, so that it is
    /// neither optimised away nor seen on a clock.
    pub(super) right_counts: bool,
}

enum Computation {
    Sha1(SaltedSha1),
    Md5(Rounds<Md5Setting>),
    Bcrypt(Expansion),
    Sha256(Rounds<ShaSetting<Sha256>>),
    Sha512(Rounds<ShaSetting<Sha512>>),
}

impl HashJob {
    /// The verification of a hash.
    pub(crate) fn genuine(hash: &Hash) -> Self {
        let kind = match &hash.0 {
            Kind::Sha1(hash) => Computation::Sha1(*hash),
            Kind::Md5(hash) => Computation::Md5(Rounds::new(hash.setting, 1, Md5Crypt::rounds(), &hash.digest)),
            Kind::Bcrypt(hash) => Computation::Bcrypt(hash.rounds_of(1, hash.rounds())),
            Kind::Sha256(hash) => {
                Computation::Sha256(Rounds::new(ShaSetting::new(hash.salt), 1, hash.rounds, &hash.digest))
            }
            Kind::Sha512(hash) => {
                Computation::Sha512(Rounds::new(ShaSetting::new(hash.salt), 1, hash.rounds, &hash.digest))
            }
        };
        Self { kind, right_counts: true }
    }

    pub(crate) const fn is_fast(&self) -> bool {
        matches!(self.kind, Computation::Sha1(_))
    }

    /// What is left to do for a password of that length.
    pub(crate) fn remaining(&self, password_len: usize) -> Work {
        match &self.kind {
            Computation::Sha1(_) => SaltedSha1::cost(password_len),
            Computation::Md5(rounds) => rounds.remaining(password_len),
            Computation::Bcrypt(expansion) => expansion.remaining(),
            Computation::Sha256(rounds) => rounds.remaining(password_len),
            Computation::Sha512(rounds) => rounds.remaining(password_len),
        }
    }

    /// Works until the budget is spent or the task is finished, at most a quarter of a millisecond longer; says how
    /// much was done. The longest piece is the first stage of `$5$` with the longest password; with one of 72 bytes or
    /// less it is a round of bcrypt, 55 µs.
    pub(crate) fn work(&mut self, password: &Password, budget: Work) -> (Work, Step) {
        let bytes = password.bytes();
        let (done, right) = match &mut self.kind {
            Computation::Sha1(hash) => (SaltedSha1::cost(bytes.len()), Some(hash.right(bytes))),
            Computation::Md5(rounds) => {
                let done = rounds.work(bytes, budget);
                (done, rounds.finished().then(|| rounds.right()))
            }
            Computation::Bcrypt(expansion) => {
                let done = expansion.work(bytes, budget);
                (done, expansion.finished().then(|| expansion.right()))
            }
            Computation::Sha256(rounds) => {
                let done = rounds.work(bytes, budget);
                (done, rounds.finished().then(|| rounds.right()))
            }
            Computation::Sha512(rounds) => {
                let done = rounds.work(bytes, budget);
                (done, rounds.finished().then(|| rounds.right()))
            }
        };
        let step = match right {
            None => Step::Pending,
            Some(right) if right & self.right_counts & password.usable() => Step::Right,
            Some(_) => Step::Wrong,
        };
        (done, step)
    }
}

/// Hashing, by what has to be done: the work of one hash, of a user's hashes, or of a list's costliest failure.
///
/// Two efforts that are equal are the same operations in the same number, and so cost the same on any machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Effort {
    /// Single SHA-1s.
    sha1: u32,
    md5: Share,
    bcrypt: Share,
    sha256: Share,
    sha512: Share,
}

/// The part of an effort that one scheme has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Share {
    /// First stages: one for each hash.
    starts: u32,
    rounds: u32,
    /// The longest salt, which decoys then have too.
    salt: u8,
}

impl Share {
    fn combine(self, other: Self, number: fn(u32, u32) -> u32) -> Self {
        Self {
            starts: number(self.starts, other.starts),
            rounds: number(self.rounds, other.rounds),
            salt: self.salt.max(other.salt),
        }
    }

    const fn is_nothing(self) -> bool {
        self.starts == 0 && self.rounds == 0
    }
}

impl Hash {
    /// What has to be done to verify a password.
    pub(crate) fn effort(&self) -> Effort {
        let share = |rounds, salt| Share { starts: 1, rounds, salt };
        let mut effort = Effort::default();
        match &self.0 {
            Kind::Sha1(_) => effort.sha1 = 1,
            Kind::Md5(hash) => effort.md5 = share(Md5Crypt::rounds(), hash.setting.salt.len()),
            Kind::Bcrypt(hash) => effort.bcrypt = share(hash.rounds(), 16),
            Kind::Sha256(hash) => effort.sha256 = share(hash.rounds, hash.salt.len()),
            Kind::Sha512(hash) => effort.sha512 = share(hash.rounds, hash.salt.len()),
        }
        effort
    }
}

impl Effort {
    fn combine(self, other: Self, number: fn(u32, u32) -> u32) -> Self {
        Self {
            sha1: number(self.sha1, other.sha1),
            md5: self.md5.combine(other.md5, number),
            bcrypt: self.bcrypt.combine(other.bcrypt, number),
            sha256: self.sha256.combine(other.sha256, number),
            sha512: self.sha512.combine(other.sha512, number),
        }
    }

    /// One after the other.
    pub(crate) fn plus(self, other: Self) -> Self {
        self.combine(other, u32::saturating_add)
    }

    /// As much of each operation as the one that has more of it.
    pub(crate) fn max(self, other: Self) -> Self {
        self.combine(other, u32::max)
    }

    /// What this has beyond `other`, with the salts of the longer.
    pub(crate) fn minus(self, other: Self) -> Self {
        self.combine(other, u32::saturating_sub)
    }

    /// Whether there is more to do than single SHA-1s.
    pub(crate) fn is_slow(self) -> bool {
        self != Self { sha1: self.sha1, ..Self::default() }
    }

    /// What it costs with a password of so many bytes.
    pub(crate) fn work(self, password_len: usize) -> Work {
        let len = password_len.min(LONGEST_PASSWORD);
        self.decoys().map(|job| job.remaining(len)).fold(Work::ZERO, Work::plus)
    }

    /// Jobs that do all of it and end wrong.
    pub(crate) fn decoys(self) -> impl Iterator<Item = HashJob> {
        let sha1 = (0..self.sha1).map(|_| Computation::Sha1(SaltedSha1::blank()));
        let md5 = (!self.md5.is_nothing()).then(|| {
            let Share { starts, rounds, salt } = self.md5;
            let setting = Md5Setting { marker: Marker::Apache, salt: Salt::blank(salt) };
            Computation::Md5(Rounds::new(setting, starts, rounds, &[0; 16]))
        });
        let bcrypt = (!self.bcrypt.is_nothing())
            .then(|| Computation::Bcrypt(Expansion::blank(self.bcrypt.starts, self.bcrypt.rounds)));
        let sha256 = (!self.sha256.is_nothing()).then(|| {
            let Share { starts, rounds, salt } = self.sha256;
            Computation::Sha256(Rounds::new(ShaSetting::new(Salt::blank(salt)), starts, rounds, &[0; 32]))
        });
        let sha512 = (!self.sha512.is_nothing()).then(|| {
            let Share { starts, rounds, salt } = self.sha512;
            Computation::Sha512(Rounds::new(ShaSetting::new(Salt::blank(salt)), starts, rounds, &[0; 64]))
        });
        sha1.chain(md5).chain(bcrypt).chain(sha256).chain(sha512).map(|kind| HashJob { kind, right_counts: false })
    }
}
