//! Logins that take time: who waits for a hash, who comes too often, who was verified before.
//!
//! A [`Throttle`] belongs to one policy in one worker. It knows no proxy: requests are numbers, and the clock, the
//! client's address and the secret key are handed in. All times are those of one monotonic clock, with any origin.

mod budget;
mod cooldown;
mod fingerprint;
mod lockout;
mod queue;
mod retry_after;
#[cfg(test)]
mod tests;
mod verified;

use std::time::Duration;

use crate::decision::{Decision, HashedLogin, Login, Progress, Reason};
use crate::policy::{Policy, Rule};
use crate::request::Request;
use crate::request::client::Client;
use crate::users::hash::{Step, Work};
use crate::users::pair::Pair;
use crate::users::verification::Verification;
use budget::Budget;
use cooldown::Cooldown;
use fingerprint::Fingerprint;
use lockout::{Attempt, Locks};
use queue::{Admission, Limits, Queue, Task, Turn};
use verified::Verified;

/// A monotonic clock.
pub type Clock<'c> = &'c mut dyn FnMut() -> Duration;

/// The state of the logins of one policy.
pub struct Throttle {
    verified: Verified,
    locks: Option<Locks>,
    queue: Queue<QueuedLogin>,
    cooldown: Cooldown,
}

/// What becomes of a request.
pub enum Outcome<'p> {
    /// It is decided.
    Decided(Decision<'p>),
    /// It waits for a hash; [`Throttle::work`] decides it later.
    Waiting,
}

/// A login in the queue.
struct QueuedLogin {
    source: LoginSource,
    login: HashedLogin,
    verification: Verification,
    /// Under what the pair is remembered once it was verified.
    remembered: Fingerprint,
}

/// Who presents a login.
struct LoginSource {
    request: u32,
    client: Client,
    /// `None` where nobody is locked.
    attempt: Option<LoginAttempt>,
}

/// A login as the lockout counts it.
struct LoginAttempt {
    attempt: Attempt,
    /// The rules whose users it is for, as their places in the configuration: one of those that have the same users.
    rules: Vec<usize>,
}

impl LoginAttempt {
    /// Whether it is locked for any list that it is for, and for how many seconds.
    fn locked(&self, locks: &Locks, policy: &Policy, now: Duration) -> Option<u64> {
        let mut longest = None;
        for rule in self.rules.iter().filter_map(|rule| policy.rule(*rule)) {
            for list in policy.user_lists(rule) {
                longest = longest.max(locks.locked(&self.attempt, list, now));
            }
        }
        longest
    }

    /// Counts a failure for each list of the rule that refused it.
    fn failed(&self, locks: &mut Locks, policy: &Policy, rule: Option<&Rule>, now: Duration) {
        if let Some(rule) = rule {
            locks.failed(&self.attempt, &policy.user_lists(rule), now);
        }
    }

    /// Forgets its failures for the lists that accepted the pair.
    fn succeeded(&self, locks: &mut Locks, policy: &Policy, pair: &Pair) {
        for rule in self.rules.iter().filter_map(|rule| policy.rule(*rule)) {
            // Which lists accepted it takes longer to tell.
            if policy.user_lists(rule).into_iter().any(|list| locks.is_counted(&self.attempt, list)) {
                for list in policy.cleared_lists(rule, pair) {
                    locks.succeeded(&self.attempt, list);
                }
            }
        }
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

impl Throttle {
    /// The throttle of a policy. The key is random and a secret of this throttle.
    #[must_use]
    pub fn new(policy: &Policy, key: &[u8; 32], now: Duration) -> Self {
        let locks = |lockout| Locks::new(key, lockout, lockout::DEFAULT_CAPACITY);
        Self {
            verified: Verified::new(key, verified::DEFAULT_CAPACITY),
            locks: policy.lockout().map(locks),
            queue: Queue::new(Limits::default(), Budget::new(policy.hash_budget_ms_per_second(), now)),
            cooldown: Cooldown::new(key),
        }
    }

    /// Decides about a request, or lets it wait under its number. The client's address is asked for only if it counts.
    pub fn decide<'p>(
        &mut self,
        policy: &'p Policy,
        request: &Request<'p>,
        number: u32,
        client: impl FnOnce() -> Client,
        clock: Clock<'_>,
    ) -> Outcome<'p> {
        let mut login = match Login::from_request(policy, request) {
            Ok(login) => login,
            Err(decision) => return Outcome::Decided(decision),
        };
        let mut source = LoginSource { request: number, client: Client::UNKNOWN, attempt: None };
        let mut client = Some(client);
        if let Some(locks) = &self.locks {
            source.client = client.take().map_or(Client::UNKNOWN, |client| client());
            let attempt = locks.attempt(&source.client, login.user());
            let attempt = LoginAttempt { attempt, rules: login.rules_by_users() };
            if let Some(retry_after) = attempt.locked(locks, policy, clock()) {
                return Outcome::Decided(Decision::Throttled {
                    reason: Reason::Locked,
                    retry_after,
                    rule: login.rule(),
                });
            }
            source.attempt = Some(attempt);
        }
        if !self.cooldown.is_empty() {
            source.client = client.take().map_or(source.client, |client| client());
            if let Some(retry_after) = self.cooldown.remaining(&source.client, login.user(), clock()) {
                return Outcome::Decided(Decision::Throttled { reason: Reason::Busy, retry_after, rule: login.rule() });
            }
        }
        let progress = login.proceed();
        if let (Progress::Hashed(_), Some(client)) = (&progress, client) {
            source.client = client();
        }
        self.advance(policy, progress, source, clock).map_or(Outcome::Waiting, Outcome::Decided)
    }

    /// Does one slice of work and gives back the requests that are decided by it.
    pub fn work<'p>(&mut self, policy: &'p Policy, clock: Clock<'_>) -> Vec<(u32, Decision<'p>)> {
        let now = clock();
        let Self { verified, locks, queue, .. } = self;
        let lock =
            |locks: &Option<Locks>, source: &LoginSource| source.attempt.as_ref()?.locked(locks.as_ref()?, policy, now);
        // Logins that wait together must not all be tried before the first failure counts, nor all be hashed.
        let finished = queue.work(clock, &mut |turn| match turn {
            Turn::Begins(queued) if lock(locks, &queued.source).is_some() => Some(Step::Wrong),
            Turn::Begins(queued) => verified.contains(&queued.remembered).then_some(Step::Right),
            Turn::Ended(queued, Step::Wrong) => {
                if let (Some(locks), Some(attempt)) = (locks.as_mut(), &queued.source.attempt) {
                    attempt.failed(locks, policy, queued.login.hashing_rule(policy), now);
                }
                None
            }
            Turn::Ended(..) => None,
        });
        let finished: Vec<_> = finished
            .into_iter()
            .map(|(queued, step)| {
                let was_tried = step == Step::Right || queued.verification.state() != Step::Pending;
                let locked = if was_tried { None } else { lock(locks, &queued.source) };
                (queued, step, locked)
            })
            .collect();
        let mut decided = Vec::new();
        for (queued, step, locked) in finished {
            let request = queued.source.request;
            let decision = if let Some(retry_after) = locked {
                Some(Decision::Throttled { reason: Reason::Locked, retry_after, rule: queued.login.rule() })
            } else {
                match self.finish(policy, queued, step) {
                    // It was counted when it ended.
                    (_, Progress::Decided(decision)) if step == Step::Wrong => Some(decision),
                    (source, progress) => self.advance(policy, progress, source, clock),
                }
            };
            decided.extend(decision.map(|decision| (request, decision)));
        }
        decided
    }

    /// Takes a request back whose client is gone.
    pub fn forget(&mut self, number: u32) {
        self.queue.retain(&mut |queued| queued.source.request != number);
    }

    /// Takes all requests back that wait.
    pub fn forget_all(&mut self) -> Vec<u32> {
        let mut numbers = Vec::new();
        self.queue.retain(&mut |queued| {
            numbers.push(queued.source.request);
            false
        });
        numbers
    }

    /// Whether nothing waits, so that no [`Throttle::work`] is needed.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Brings a login to its decision, or into the queue.
    fn advance<'p>(
        &mut self,
        policy: &'p Policy,
        mut progress: Progress<'p>,
        mut source: LoginSource,
        clock: Clock<'_>,
    ) -> Option<Decision<'p>> {
        loop {
            let login = match progress {
                Progress::Decided(decision) => {
                    self.count(policy, &decision, &source, clock);
                    return Some(decision);
                }
                Progress::Hashed(login) => login,
            };
            let Some(users) = login.users_id(policy) else { return Some(Decision::NotConfigured) };
            let pair = login.pair();
            let remembered = self.verified.fingerprint(&users.to_le_bytes(), pair.user(), pair.password());
            if self.verified.contains(&remembered) {
                progress = login.verified(policy, true);
                continue;
            }
            let verification = login.verification(policy);
            let client = source.client;
            let queued = QueuedLogin { source, login, verification, remembered };
            match self.queue.submit(client, queued, clock) {
                Admission::Done(queued, step) => (source, progress) = self.finish(policy, queued, step),
                Admission::Queued => return None,
                Admission::Busy { task, retry_after } => {
                    self.cooldown.insert(&client, task.login.pair().user(), clock());
                    return Some(Decision::Throttled { reason: Reason::Busy, retry_after, rule: task.login.rule() });
                }
            }
        }
    }

    /// Remembers a pair that was verified, and nothing else.
    fn finish<'p>(&mut self, policy: &'p Policy, queued: QueuedLogin, step: Step) -> (LoginSource, Progress<'p>) {
        let QueuedLogin { source, login, remembered, .. } = queued;
        let right = step == Step::Right;
        if right {
            self.verified.insert(remembered);
        }
        (source, login.verified(policy, right))
    }

    /// Counts failures for the lockout: for each list of the rule that refuses.
    fn count(&mut self, policy: &Policy, decision: &Decision<'_>, source: &LoginSource, clock: Clock<'_>) {
        let (Some(locks), Some(attempt)) = (&mut self.locks, &source.attempt) else { return };
        match decision {
            Decision::Accepted { pair, .. } => attempt.succeeded(locks, policy, pair),
            Decision::Refused { rule, .. } => attempt.failed(locks, policy, policy.rule(*rule), clock()),
            _ => {}
        }
    }
}
