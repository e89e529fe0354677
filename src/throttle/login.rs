//! Logins that wait, and what the lockout counts them by.

use std::mem;

use super::fingerprint::Fingerprint;
use super::lockouts::LoginAttempt;
use super::queue::Task;
use crate::decision::HashedLogin;
use crate::policy::{Policy, Rule};
use crate::request::client::Client;
use crate::users::hash::{Step, Work};
use crate::users::verification::Verification;

/// A verification, and the logins that wait for it: of one client, with one pair, for the same users.
pub(super) struct QueuedLogin {
    first: WaitingLogin,
    others: Vec<WaitingLogin>,
    /// What the others take, in bytes.
    others_bytes: usize,
    verification: Verification,
    /// Whether the login that came first was given up while its verification was under way. It goes on to its end, so that
    /// nobody guesses uncounted by hanging up.
    is_given_up: bool,
    /// What the pair is remembered by once it was verified.
    pub(super) fingerprint: Fingerprint,
}

/// A login that waits for a verification.
pub(super) struct WaitingLogin {
    pub(super) source: LoginSource,
    pub(super) login: HashedLogin,
}

/// Who presents a login.
pub(super) struct LoginSource {
    pub(super) request: u32,
    pub(super) client: Client,
    /// `None` where nobody is locked.
    pub(super) attempt: Option<LoginAttempt>,
}

impl WaitingLogin {
    /// About what it takes in memory, in bytes.
    fn bytes(&self) -> usize {
        let rules = self.source.attempt.as_ref().map_or(0, LoginAttempt::rules);
        let indexes = rules.saturating_add(self.login.rest()).saturating_mul(size_of::<usize>());
        let pair = self.login.pair();
        let pair = pair.user().len().saturating_add(pair.password().len());
        size_of::<Self>().saturating_add(pair).saturating_add(indexes)
    }
}

impl QueuedLogin {
    /// How many logins share a verification. Each takes about 200 bytes, but for long pairs and many rules.
    const MAX_LOGINS: usize = 256;
    /// How many bytes they may take: who presents pairs of 40 kB must not make the module hold megabytes for each.
    const MAX_BYTES: usize = 128 << 10;

    pub(super) fn new(first: WaitingLogin, verification: Verification, fingerprint: Fingerprint) -> Self {
        Self { first, others: Vec::new(), others_bytes: 0, verification, is_given_up: false, fingerprint }
    }

    /// The login that came first.
    pub(super) fn first(&self) -> &WaitingLogin {
        &self.first
    }

    /// Only the login that came first: for one that never waited.
    pub(super) fn into_first(self) -> WaitingLogin {
        self.first
    }

    /// Those that still wait, in the order in which they came.
    pub(super) fn into_logins(self) -> impl Iterator<Item = WaitingLogin> {
        [self.first].into_iter().skip(usize::from(self.is_given_up)).chain(self.others)
    }

    /// The hash of its user's that the password was found right for, if that is listed still.
    pub(super) fn found(&self, policy: &Policy) -> Option<&str> {
        self.verification.found().filter(|hash| self.first.login.has_hash(policy, hash))
    }

    /// How far the verification has come.
    pub(super) fn state(&self) -> Step {
        self.verification.state()
    }

    /// Whether another login of the same client may wait for this verification: it presents the same pair to the same
    /// users, and the same lists decide whether it is locked.
    pub(super) fn is_for(&self, login: &WaitingLogin, fingerprint: &Fingerprint, policy: &Policy) -> bool {
        let users = |login: &HashedLogin| login.hashing_rule(policy).map(Rule::users_key);
        let rules = |source: &LoginSource| source.attempt.as_ref().map(|attempt| attempt.users(policy));
        self.fingerprint == *fingerprint
            && users(&self.first.login) == users(&login.login)
            && self.first.login.may_pass(policy) == login.login.may_pass(policy)
            && self.first.login.is_on_trial(policy) == login.login.is_on_trial(policy)
            && rules(&self.first.source) == rules(&login.source)
    }

    /// Whether no more logins may share this verification.
    pub(super) fn is_full(&self) -> bool {
        self.others.len().saturating_add(1) >= Self::MAX_LOGINS || self.others_bytes >= Self::MAX_BYTES
    }

    /// Lets another login wait for this verification.
    pub(super) fn share(&mut self, login: WaitingLogin) {
        self.others_bytes = self.others_bytes.saturating_add(login.bytes());
        self.others.push(login);
    }

    /// The numbers of the requests that wait.
    pub(super) fn requests(&self) -> impl Iterator<Item = u32> {
        let logins = [&self.first].into_iter().skip(usize::from(self.is_given_up)).chain(&self.others);
        logins.map(|login| login.source.request)
    }

    /// Takes a request back; says whether the verification goes on: for others, or because it was begun and failures count.
    pub(super) fn forget(&mut self, request: u32) -> bool {
        if !self.is_given_up && self.first.source.request == request {
            let mut others = mem::take(&mut self.others).into_iter();
            if let Some(next) = others.next() {
                self.first = next;
                self.others = others.collect();
            } else {
                let counts = self.first.source.attempt.is_some();
                self.is_given_up = counts && self.verification.done_work() > Work::ZERO;
                return self.is_given_up;
            }
        } else {
            self.others.retain(|login| login.source.request != request);
        }
        self.others_bytes = self.others.iter().map(WaitingLogin::bytes).fold(0, usize::saturating_add);
        true
    }
}

impl Task for QueuedLogin {
    fn done_work(&self) -> Work {
        self.verification.done_work()
    }

    fn remaining(&self) -> Work {
        self.verification.remaining()
    }

    fn step(&mut self, budget: Work) -> Step {
        self.verification.step(budget)
    }
}
