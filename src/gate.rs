//! Logins that take time: who waits for a hash, who comes too often, who was verified before.
//!
//! A [`Gate`] belongs to one policy in one worker. It knows no proxy: requests are numbers, and the clock, the client's
//! address and the secret key are handed in. All times are those of one monotonic clock, from any beginning.

use std::collections::VecDeque;
use std::time::Duration;

use crate::budget::Budget;
use crate::client::Client;
use crate::decision::{Decision, HashedLogin, Login, Progress, Reason};
use crate::hash::{Step, Work};
use crate::keyed::{Fingerprint, FingerprintMap, Keyed, Purpose};
use crate::lockout::{self, Attempt, Lockout, whole_seconds};
use crate::policy::Policy;
use crate::queue::{Admission, Limits, Queue, Task, Turn};
use crate::request::Request;
use crate::verification::Verification;
use crate::verified::{self, Verified};

/// A monotonic clock.
pub type Clock<'c> = &'c mut dyn FnMut() -> Duration;

/// The state of the logins of one policy.
pub struct Gate {
    verified: Verified,
    lockout: Option<Lockout>,
    queue: Queue<Waiting>,
    turned_away: TurnedAway,
}

/// What becomes of a request at the gate.
pub enum Passage<'p> {
    /// It is decided.
    Decided(Decision<'p>),
    /// It waits for a hash; [`Gate::work`] decides it later.
    Waiting,
}

/// A login in the queue.
struct Waiting {
    visitor: Visitor,
    login: HashedLogin,
    verification: Verification,
    /// Under what the pair is remembered once it was verified.
    remembered: verified::Pair,
}

/// Who presents a login.
#[derive(Clone, Copy)]
struct Visitor {
    request: u32,
    client: Client,
    attempt: Option<Attempt>,
}

impl Task for Waiting {
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

impl Gate {
    /// The gate of a policy. The key is random and a secret of this gate.
    #[must_use]
    pub fn new(policy: &Policy, key: &[u8; 32], now: Duration) -> Self {
        let lockout = |threshold| Lockout::new(key, threshold, lockout::DEFAULT_CAPACITY);
        Self {
            verified: Verified::new(key, verified::DEFAULT_CAPACITY),
            lockout: policy.lockout().map(lockout),
            queue: Queue::new(Limits::default(), Budget::new(policy.hash_budget_ms_per_second(), now)),
            turned_away: TurnedAway::new(key),
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
    ) -> Passage<'p> {
        let login = match Login::of(policy, request) {
            Ok(login) => login,
            Err(decision) => return Passage::Decided(decision),
        };
        let mut visitor = Visitor { request: number, client: Client::UNKNOWN, attempt: None };
        let mut client = Some(client);
        if let Some(lockout) = &self.lockout {
            visitor.client = client.take().map_or(Client::UNKNOWN, |client| client());
            let attempt = lockout.attempt(&visitor.client, login.user());
            if let Some(retry_after) = lockout.locked(&attempt, clock()) {
                return Passage::Decided(Decision::Delayed { reason: Reason::Locked, retry_after, rule: login.rule() });
            }
            visitor.attempt = Some(attempt);
        }
        if !self.turned_away.is_empty() {
            visitor.client = client.take().map_or(visitor.client, |client| client());
            if let Some(retry_after) = self.turned_away.rest(&visitor.client, login.user(), clock()) {
                return Passage::Decided(Decision::Delayed { reason: Reason::Busy, retry_after, rule: login.rule() });
            }
        }
        let progress = login.proceed();
        if let (Progress::Hashed(_), Some(client)) = (&progress, client) {
            visitor.client = client();
        }
        self.settle(policy, progress, visitor, clock).map_or(Passage::Waiting, Passage::Decided)
    }

    /// Does one slice of work and gives back the requests that are decided by it.
    pub fn work<'p>(&mut self, policy: &'p Policy, clock: Clock<'_>) -> Vec<(u32, Decision<'p>)> {
        let now = clock();
        let Self { verified, lockout, queue, .. } = self;
        let lock =
            |lockout: &Option<Lockout>, visitor: &Visitor| lockout.as_ref()?.locked(visitor.attempt.as_ref()?, now);
        // Logins that wait together must not all be tried before the first failure counts, nor all be hashed.
        let finished = queue.work(clock, &mut |turn| match turn {
            Turn::Begins(_, waiting) if lock(lockout, &waiting.visitor).is_some() => Some(Step::Wrong),
            Turn::Begins(_, waiting) => verified.contains(&waiting.remembered).then_some(Step::Right),
            Turn::Ended(waiting, Step::Wrong) => {
                if let (Some(lockout), Some(attempt)) = (lockout.as_mut(), &waiting.visitor.attempt) {
                    lockout.failed(attempt, now);
                }
                None
            }
            Turn::Ended(..) => None,
        });
        let finished: Vec<_> = finished
            .into_iter()
            .map(|(waiting, step)| {
                let was_tried = step == Step::Right || waiting.verification.state() != Step::Pending;
                let locked = if was_tried { None } else { lock(lockout, &waiting.visitor) };
                (waiting, step, locked)
            })
            .collect();
        let mut decided = Vec::new();
        for (waiting, step, locked) in finished {
            let visitor = waiting.visitor;
            let decision = if let Some(retry_after) = locked {
                Some(Decision::Delayed { reason: Reason::Locked, retry_after, rule: waiting.login.rule() })
            } else {
                match self.conclude(policy, waiting, step) {
                    // It was counted when it ended.
                    Progress::Decided(decision) if step == Step::Wrong => Some(decision),
                    progress => self.settle(policy, progress, visitor, clock),
                }
            };
            decided.extend(decision.map(|decision| (visitor.request, decision)));
        }
        decided
    }

    /// Takes a request back whose client is gone.
    pub fn forget(&mut self, number: u32) {
        self.queue.remove_where(|waiting| waiting.visitor.request == number);
    }

    /// Whether nothing waits, so that no [`Gate::work`] is needed.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Brings a login to its decision, or into the queue.
    fn settle<'p>(
        &mut self,
        policy: &'p Policy,
        mut progress: Progress<'p>,
        visitor: Visitor,
        clock: Clock<'_>,
    ) -> Option<Decision<'p>> {
        loop {
            let login = match progress {
                Progress::Decided(decision) => {
                    self.count(&decision, visitor, clock);
                    return Some(decision);
                }
                Progress::Hashed(login) => login,
            };
            let Some(users) = login.users_id(policy) else { return Some(Decision::NotConfigured) };
            let pair = login.pair();
            let remembered = self.verified.pair(&users.to_le_bytes(), pair.user(), pair.password());
            if self.verified.contains(&remembered) {
                progress = login.verified(policy, true);
                continue;
            }
            let verification = login.verification(policy);
            let waiting = Waiting { visitor, login, verification, remembered };
            match self.queue.submit(visitor.client, waiting, clock) {
                Admission::Done(waiting, step) => progress = self.conclude(policy, waiting, step),
                Admission::Waiting(_) => return None,
                Admission::Busy { task, retry_after } => {
                    self.turned_away.insert(&visitor.client, task.login.pair().user(), clock());
                    return Some(Decision::Delayed { reason: Reason::Busy, retry_after, rule: task.login.rule() });
                }
            }
        }
    }

    /// Remembers a pair that was verified, and nothing else.
    fn conclude<'p>(&mut self, policy: &'p Policy, waiting: Waiting, step: Step) -> Progress<'p> {
        let right = step == Step::Right;
        if right {
            self.verified.insert(waiting.remembered);
        }
        waiting.login.verified(policy, right)
    }

    /// Counts failures for the lockout.
    fn count(&mut self, decision: &Decision<'_>, visitor: Visitor, clock: Clock<'_>) {
        let (Some(lockout), Some(attempt)) = (&mut self.lockout, &visitor.attempt) else { return };
        match decision {
            Decision::Accepted { .. } => lockout.succeeded(attempt),
            Decision::Refused { .. } => drop(lockout.failed(attempt, clock())),
            _ => {}
        }
    }
}

/// Clients and user names that were told to come again, until they may.
///
/// A login that is turned away was compared all the same with what costs nothing: pairs verified before, plain
/// passwords, `{SHA}`. Without a pause, whoever keeps the queue full could guess those at any speed, with no hash
/// spent and no failure counted.
struct TurnedAway {
    keyed: Keyed,
    until: FingerprintMap<Duration>,
    /// The same, the one that ends first in front.
    order: VecDeque<Fingerprint>,
}

impl TurnedAway {
    /// How long they have to stay away.
    const PAUSE: Duration = Duration::from_secs(1);
    /// How many there may be, of about 50 bytes each; the oldest makes room.
    const MOST: usize = 8_192;

    fn new(key: &[u8; 32]) -> Self {
        Self { keyed: Keyed::new(key), until: FingerprintMap::default(), order: VecDeque::new() }
    }

    fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    fn fingerprint(&self, client: &Client, user: &[u8]) -> Fingerprint {
        self.keyed.fingerprint(Purpose::Attempt, &[&client.bytes(), user])
    }

    /// For how many seconds a client still has to stay away with this user name.
    fn rest(&mut self, client: &Client, user: &[u8], now: Duration) -> Option<u64> {
        while self.order.front().is_some_and(|first| self.until.get(first).is_none_or(|until| *until <= now)) {
            self.remove_first();
        }
        let until = self.until.get(&self.fingerprint(client, user))?;
        Some(whole_seconds(until.saturating_sub(now)))
    }

    fn insert(&mut self, client: &Client, user: &[u8], now: Duration) {
        let fingerprint = self.fingerprint(client, user);
        if self.until.contains_key(&fingerprint) {
            return;
        }
        if self.order.len() >= Self::MOST {
            self.remove_first();
        }
        self.until.insert(fingerprint, now.saturating_add(Self::PAUSE));
        self.order.push_back(fingerprint);
    }

    fn remove_first(&mut self) {
        if let Some(first) = self.order.pop_front() {
            self.until.remove(&first);
        }
    }
}
