//! Logins that take time: who waits for a hash, who comes too often, who was verified before.
//!
//! A [`Throttle`] belongs to one policy in one worker. It knows no proxy: requests are numbers, and the clock, the
//! client's address and the secret key are handed in. All times are those of one monotonic clock, with any origin.

mod budget;
mod cooldown;
mod fingerprint;
mod idleness;
mod lockout;
mod lockouts;
mod login;
mod memory;
mod queue;
mod retry_after;
mod shared;
#[cfg(test)]
mod tests;
mod verified;

use std::rc::Rc;
use std::time::Duration;

use crate::decision::{Decision, Login, Progress, Reason, SourceAddress};
use crate::policy::Policy;
use crate::request::Request;
use crate::request::client::Client;
use crate::users::hash::Step;
use budget::Budget;
use cooldown::Cooldown;
use lockout::Locks;
use lockouts::Lockouts;
use login::{LoginSource, QueuedLogin, WaitingLogin};
use memory::Memory;
use queue::{Admission, Limits, Queue, Turn};
use shared::Process;
pub use shared::SharedData;
use shared::locks::ProcessLocks;

/// A monotonic clock.
pub type Clock<'c> = &'c mut dyn FnMut() -> Duration;

/// The state of the logins of one policy.
pub struct Throttle {
    memory: Memory,
    locks: Option<Lockouts>,
    queue: Queue<QueuedLogin>,
    cooldown: Cooldown,
    /// Passwords that were hashed and compared since they were last told.
    verifications: u32,
}

/// What becomes of a request.
pub enum Outcome<'p> {
    /// It is decided.
    Decided(Decision<'p>),
    /// It waits for a hash; [`Throttle::work`] decides it later.
    Waiting,
}

impl Throttle {
    /// The throttle of a policy. The key is random and a secret: this throttle's, and the process's if that has none yet.
    #[must_use]
    pub fn new(policy: &Policy, key: &[u8; 32], shared: Box<dyn SharedData>, now: Duration) -> Self {
        let (has_slow_hashes, lockout) = (policy.has_slow_hashes(), policy.lockout());
        let process = (has_slow_hashes || lockout.is_some()).then(|| Rc::new(Process::new(shared, key)));
        let locks = lockout.zip(process.clone()).map(|(threshold, process)| {
            let locks = Locks::new(key, threshold, lockout::DEFAULT_CAPACITY);
            Lockouts::new(locks, ProcessLocks(process), threshold)
        });
        Self {
            memory: Memory::new(key, process.filter(|_| has_slow_hashes)),
            locks,
            queue: Queue::new(Limits::default(), Budget::new(policy.hash_budget_ms_per_second(), now)),
            cooldown: Cooldown::new(key),
            verifications: 0,
        }
    }

    /// Decides about a request, or lets it wait under its number. The client's address is asked for only if it counts.
    pub fn decide<'p>(
        &mut self,
        policy: &'p Policy,
        request: &Request<'p>,
        number: u32,
        source_address: SourceAddress<'_>,
        clock: Clock<'_>,
    ) -> Outcome<'p> {
        self.queue.request();
        let mut login = match Login::from_request(policy, request, source_address) {
            Ok(login) => login,
            Err(decision) => return Outcome::Decided(decision),
        };
        let mut source = LoginSource { request: number, client: Client::UNKNOWN, attempt: None };
        let mut client = Some(|| source_address().map_or(Client::UNKNOWN, Client::from_ip));
        if let Some(locks) = &self.locks {
            source.client = client.take().map_or(Client::UNKNOWN, |mut client| client());
            let attempt = locks.attempt(&source.client, &mut login, policy);
            if let Some(retry_after) = locks.locked(&attempt, policy, clock()) {
                return Outcome::Decided(Decision::Throttled {
                    reason: Reason::Locked,
                    retry_after,
                    rule: login.rule(),
                });
            }
            source.attempt = Some(attempt);
        }
        // Rules on trial turn nobody away.
        if !self.cooldown.is_empty() && !login.rules_by_users(policy).is_empty() {
            source.client = client.take().map_or(source.client, |mut client| client());
            if let Some(retry_after) = self.cooldown.remaining(&source.client, login.pair(), clock()) {
                return Outcome::Decided(Decision::Throttled { reason: Reason::Busy, retry_after, rule: login.rule() });
            }
        }
        let progress = login.proceed(policy);
        if let (Progress::Hashed(_), Some(mut client)) = (&progress, client) {
            source.client = client();
        }
        self.advance(policy, progress, source, clock).map_or(Outcome::Waiting, Outcome::Decided)
    }

    /// Does one slice of work and gives back the requests that are decided by it.
    pub fn work<'p>(&mut self, policy: &'p Policy, clock: Clock<'_>) -> Vec<(u32, Decision<'p>)> {
        let now = clock();
        let Self { memory, locks, queue, verifications, .. } = self;
        let lock = |locks: &Option<Lockouts>, source: &LoginSource| {
            locks.as_ref()?.locked(source.attempt.as_ref()?, policy, now)
        };
        // Requests whose failure came after that of others who locked them in another worker.
        let mut late = Vec::new();
        // Logins that wait together must not all be tried before the first failure counts, nor all be hashed.
        let mut finished = queue.work(clock, &mut |turn| match turn {
            Turn::Begins(queued) if lock(locks, &queued.first().source).is_some() => Some(Step::Wrong),
            Turn::Begins(queued) => {
                let login = &queued.first().login;
                let fingerprint = memory.fingerprint(policy, login);
                memory.contains(policy, login, fingerprint).then_some(Step::Right)
            }
            Turn::Ended(queued, Step::Right) if queued.first().login.may_pass(policy) => {
                *verifications = verifications.saturating_add(1);
                // Others may have locked the user meanwhile, in this worker or in another.
                if let Some(retry_after) = lock(locks, &queued.first().source) {
                    late.push((queued.first().source.request, retry_after));
                } else if let Some(hash) = queued.found(policy) {
                    memory.insert(policy, &queued.first().login, hash);
                }
                None
            }
            Turn::Ended(queued, _) => {
                *verifications = verifications.saturating_add(1);
                // Counted once for all who wait; a right pair of a user whom the rule does not let in is refused as well.
                let WaitingLogin { source, login } = queued.first();
                if let (Some(locks), Some(attempt)) = (locks.as_mut(), &source.attempt)
                    && let Some(retry_after) = locks.failed(attempt, policy, login.hashing_rule(policy), now)
                {
                    late.push((source.request, retry_after));
                }
                None
            }
        });
        // Whoever else waits with a pair that was verified now need not wait for a turn.
        if finished.iter().any(|(_, step)| *step == Step::Right) {
            let others = queue.take_where(&mut |queued| memory.contains_here(policy, &queued.first().login));
            finished.extend(others.into_iter().map(|queued| {
                let is_locked = lock(locks, &queued.first().source).is_some();
                (queued, if is_locked { Step::Wrong } else { Step::Right })
            }));
        }
        let finished: Vec<_> = finished
            .into_iter()
            .map(|(queued, mut step)| {
                // A list may change while its logins wait: a line that is gone is nothing.
                if queued.state() == Step::Right && queued.found(policy).is_none() {
                    step = Step::Wrong;
                }
                let was_tried = step == Step::Right || queued.state() != Step::Pending;
                let source = &queued.first().source;
                let came_late = || late.iter().find(|(request, _)| *request == source.request);
                let locked = if was_tried { came_late().map(|(_, seconds)| *seconds) } else { lock(locks, source) };
                (queued, step, locked)
            })
            .collect();
        let mut decided = Vec::new();
        for (queued, step, locked) in finished {
            for WaitingLogin { source, login } in queued.into_logins() {
                let request = source.request;
                let decision = if let Some(retry_after) = locked {
                    Some(Decision::Throttled { reason: Reason::Locked, retry_after, rule: login.rule() })
                } else {
                    let is_accepted = step == Step::Right && login.may_pass(policy);
                    if is_accepted {
                        self.cooldown.exempt(&source.client, login.pair());
                    }
                    let was_counted = !is_accepted && !login.is_on_trial(policy);
                    match login.verified(policy, step == Step::Right) {
                        // It was counted when it ended.
                        Progress::Decided(decision) if was_counted => Some(decision),
                        progress => self.advance(policy, progress, source, clock),
                    }
                };
                decided.extend(decision.map(|decision| (request, decision)));
            }
        }
        decided
    }

    /// Takes a request back whose client is gone.
    pub fn forget(&mut self, number: u32) {
        self.queue.take_where(&mut |queued| !queued.forget(number));
    }

    /// Takes all requests back that wait.
    pub fn forget_all(&mut self) -> Vec<u32> {
        let taken = self.queue.take_where(&mut |_| true);
        taken.iter().flat_map(QueuedLogin::requests).collect()
    }

    /// How long the rest before the next [`Throttle::work`] is to be.
    #[must_use]
    pub fn next_rest(&self) -> Duration {
        self.queue.next_rest()
    }

    /// The same, where it begins now.
    pub fn rest(&mut self, now: Duration) -> Duration {
        self.queue.rest(now)
    }

    /// Whether nothing waits, so that no [`Throttle::work`] is needed.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// How many verified logins are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.memory.len()
    }

    /// How many passwords were hashed and compared since the last time.
    #[must_use]
    pub fn take_verifications(&mut self) -> u32 {
        std::mem::take(&mut self.verifications)
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
                Progress::Decided(decision) => return Some(self.counted(policy, decision, &source, clock)),
                Progress::Hashed(login) => login,
            };
            let fingerprint = self.memory.fingerprint(policy, &login);
            if self.memory.contains(policy, &login, fingerprint) {
                self.cooldown.exempt(&source.client, login.pair());
                progress = login.verified(policy, true);
                continue;
            }
            let client = source.client;
            let waiting = WaitingLogin { source, login };
            if let Some(queued) = self.queue.find(&client, &|queued| queued.is_for(&waiting, &fingerprint, policy)) {
                if !queued.is_full() {
                    queued.share(waiting);
                    return None;
                }
                (source, progress) = self.turn_away(policy, waiting, 1, clock);
                continue;
            }
            let verification = waiting.login.verification(policy);
            match self.queue.submit(client, QueuedLogin::new(waiting, verification, fingerprint), clock) {
                Admission::Queued => return None,
                Admission::Busy { task, retry_after } => {
                    (source, progress) = self.turn_away(policy, task.into_first(), retry_after, clock);
                }
                Admission::Done(queued, step) => {
                    self.verifications = self.verifications.saturating_add(1);
                    if let Some(hash) = queued.found(policy) {
                        self.memory.insert(policy, &queued.first().login, hash);
                    }
                    let WaitingLogin { source: from, login } = queued.into_first();
                    if step == Step::Right && login.may_pass(policy) {
                        self.cooldown.exempt(&client, login.pair());
                    }
                    (source, progress) = (from, login.verified(policy, step == Step::Right));
                }
            }
        }
    }

    /// Tells a client to come again with this login, unless the rule that would hash it is on trial.
    fn turn_away<'p>(
        &mut self,
        policy: &'p Policy,
        waiting: WaitingLogin,
        retry_after: u64,
        clock: Clock<'_>,
    ) -> (LoginSource, Progress<'p>) {
        let WaitingLogin { source, login } = waiting;
        if !login.is_on_trial(policy) {
            self.cooldown.insert(&source.client, login.pair(), clock());
        }
        let progress = login.throttled(policy, Reason::Busy, retry_after);
        (source, progress)
    }

    /// A decision, counted for the lockout. A failure that comes after those of others, who locked the user in another
    /// worker, is answered like a login that comes later.
    fn counted<'p>(
        &mut self,
        policy: &'p Policy,
        decision: Decision<'p>,
        source: &LoginSource,
        clock: Clock<'_>,
    ) -> Decision<'p> {
        let (Some(locks), Some(attempt)) = (&mut self.locks, &source.attempt) else { return decision };
        match &decision {
            Decision::Accepted { pair, .. } => locks.succeeded(attempt, policy, pair, clock()),
            Decision::Refused { rule, .. } => {
                if let Some(retry_after) = locks.failed(attempt, policy, policy.rule(*rule), clock()) {
                    return Decision::Throttled { reason: Reason::Locked, retry_after, rule: attempt.rule };
                }
            }
            _ => {}
        }
        decision
    }
}
