//! Who is locked: by what this worker counted, and by what the process did.

use std::cell::Cell;
use std::time::Duration;

use super::fingerprint::Fingerprint;
use super::lockout::{Attempt, Count, Locks};
use super::retry_after::retry_after;
use super::shared::locks::{ProcessLocks, remaining};
use crate::config::Lockout;
use crate::decision::Login;
use crate::policy::{Policy, Rule, UserListId, UsersKey};
use crate::request::client::Client;
use crate::users::pair::Pair;

/// The failures of clients, for each list that refused them.
pub(super) struct Lockouts {
    worker: Locks,
    process: ProcessLocks,
    threshold: Lockout,
}

/// A login as the lockout counts it.
pub(super) struct LoginAttempt {
    worker: Attempt,
    process: Fingerprint,
    /// The rules whose users it is for, as their places in the configuration: one of those that have the same users.
    rules: Vec<usize>,
    /// The first rule that is asked.
    pub(super) rule: usize,
    /// Whether the process had counted failures when it was asked.
    is_counted: Cell<bool>,
}

impl LoginAttempt {
    /// What tells the users that it is for from those of others.
    pub(super) fn users(&self, policy: &Policy) -> Vec<UsersKey> {
        self.asked(policy).map(Rule::users_key).collect()
    }

    /// How many rules it names.
    pub(super) fn rules(&self) -> usize {
        self.rules.len()
    }

    fn asked<'p>(&self, policy: &'p Policy) -> impl Iterator<Item = &'p Rule> {
        self.rules.iter().filter_map(|rule| policy.rule(*rule))
    }

    /// What its failures for a list are counted by in the process.
    fn key(&self, policy: &Policy, list: UserListId) -> Fingerprint {
        self.process.tweaked(policy.list_digest(list))
    }
}

impl Lockouts {
    pub(super) fn new(worker: Locks, process: ProcessLocks, threshold: Lockout) -> Self {
        Self { worker, process, threshold }
    }

    /// A login of a client.
    pub(super) fn attempt<'p>(&self, client: &Client, login: &mut Login<'p>, policy: &'p Policy) -> LoginAttempt {
        let rules = login.rules_by_users(policy);
        let user = login.pair().user();
        LoginAttempt {
            worker: self.worker.attempt(client, user),
            process: self.process.attempt(client, user),
            rules,
            rule: login.rule(),
            is_counted: Cell::new(false),
        }
    }

    /// Whether a login is locked for any list that it is for, and for how many seconds.
    pub(super) fn locked(&self, attempt: &LoginAttempt, policy: &Policy, now: Duration) -> Option<u64> {
        let mut longest = None;
        for list in attempt.asked(policy).flat_map(|rule| policy.user_lists(rule)) {
            let of_worker = self.worker.locked(&attempt.worker, list, now);
            let of_process = || match self.process.get(attempt.key(policy, list), now)? {
                Count::Failures { .. } => {
                    attempt.is_counted.set(true);
                    None
                }
                lock @ Count::LockedUntil(_) => remaining(&lock, &self.threshold, now).map(retry_after),
            };
            longest = longest.max(of_worker.or_else(of_process));
        }
        longest
    }

    /// Counts a failure for each list of the rule that refused it. Says for how many seconds the login is locked if other
    /// workers had counted enough before: then it is answered like one that came later.
    pub(super) fn failed(
        &mut self,
        attempt: &LoginAttempt,
        policy: &Policy,
        rule: Option<&Rule>,
        now: Duration,
    ) -> Option<u64> {
        // A rule on trial locks nobody.
        let rule = rule.filter(|rule| !rule.is_dry_run())?;
        let lists = policy.user_lists(rule);
        self.worker.failed(&attempt.worker, &lists, now);
        let locked = |list: &UserListId| self.process.failed(attempt.key(policy, *list), &self.threshold, now);
        lists.iter().filter_map(locked).max().map(retry_after)
    }

    /// Forgets its failures for the lists that accepted the pair.
    pub(super) fn succeeded(&mut self, attempt: &LoginAttempt, policy: &Policy, pair: &Pair, now: Duration) {
        for rule in attempt.asked(policy) {
            // Which lists accepted it takes longer to tell.
            let is_counted = |list| self.worker.is_counted(&attempt.worker, list);
            if attempt.is_counted.get() || policy.user_lists(rule).into_iter().any(is_counted) {
                for list in policy.cleared_lists(rule, pair) {
                    self.worker.succeeded(&attempt.worker, list);
                    self.process.succeeded(attempt.key(policy, list), now);
                }
            }
        }
    }
}
