//! The life of requests under one configuration: decided at once, or paused until their password is verified.
//!
//! A [`Session`] knows no proxy: what it asks of one stands behind [`Host`]. Requests are the numbers of their contexts.
//!
//! What Envoy does when a configuration changes: it makes a root context for the new one, in the same virtual machine where
//! module, environment and `vm_id` are the same, and sends new connections to new listeners. The root context of the old
//! configuration stays and keeps its timer for as long as a request of its listeners lives, so whoever waits there is
//! answered by the configuration that was in force when the request came. It never configures a root context twice; other
//! hosts may, and [`Session::close`] is for them.

use std::cell::{RefCell, RefMut};
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

use hashbrown::HashMap;
use log::error;

use crate::decision::{Decision, Reason};
use crate::policy::Policy;
use crate::request::Request;
use crate::request::client::parse_source_address;
use crate::response::Response;
use crate::telemetry::{Event, events};
use crate::throttle::{Outcome, Throttle};

/// How often hashes are worked on while any wait. Envoy's timers are no finer on a usual kernel.
const TICK: Duration = Duration::from_millis(4);

/// What a session asks of the proxy.
pub trait Host {
    /// The time of a monotonic clock, from any beginning.
    fn now(&self) -> Duration;

    /// The address of the client whose request is being handled, with or without a port, as Envoy's `source.address` has
    /// it; `None` if there is none.
    fn source_address(&self) -> Option<Vec<u8>>;

    /// Asks for [`Session::on_tick`] so often; zero ends it.
    ///
    /// # Errors
    /// That the proxy did not do it.
    fn set_tick_period(&self, period: Duration) -> Result<(), HostError>;

    /// Makes a request the one that is being handled.
    ///
    /// # Errors
    /// That the request is gone.
    fn select(&self, request: u32) -> Result<(), HostError>;

    /// Lets the request go on to the upstream that is being handled and was paused.
    ///
    /// # Errors
    /// That the proxy did not do it.
    fn resume(&self) -> Result<(), HostError>;

    /// Answers the request that is being handled, in the place of the upstream.
    ///
    /// # Errors
    /// That the proxy did not do it.
    fn respond(&self, response: &Response<'_>) -> Result<(), HostError>;

    /// Removes all lines of a header from the request that is being handled.
    ///
    /// # Errors
    /// That the proxy did not do it.
    fn remove_header(&self, name: &[u8]) -> Result<(), HostError>;

    /// Counts something.
    fn count(&self, event: Event);

    /// Gives the request that is being handled a header, in the place of all lines of it.
    ///
    /// # Errors
    /// That the proxy did not do it.
    fn set_header(&self, name: &[u8], value: &[u8]) -> Result<(), HostError>;
}

/// A call that the proxy did not carry out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostError {
    /// The function of the ABI.
    pub call: &'static str,
    /// What it answered; 0 would be success.
    pub status: u32,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered {}", self.call, self.status)
    }
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    /// It goes on to the upstream.
    Passed,
    /// It was answered in the place of the upstream.
    Answered,
    /// It is paused until its password is verified.
    Waiting,
}

/// One configuration and the requests that wait under it.
pub struct Session {
    /// `None` until there is a valid configuration.
    configured: Option<Configured>,
}

struct Configured {
    policy: Policy,
    waiting: RefCell<Waiting>,
}

struct Waiting {
    throttle: Throttle,
    /// Every request that was paused and is not over.
    states: States,
}

/// Where requests stand, by the numbers of their contexts. The proxy chooses those, so the hash needs no key.
type States = HashMap<u32, RequestState, BuildHasherDefault<Number>>;

/// Takes a number for its hash, spread over all bits.
#[derive(Default)]
struct Number(u64);

impl Hasher for Number {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        // Numbers are all that is hashed.
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Session {
    /// A session without a valid configuration: nothing is known to be open, so every request is answered `503`.
    #[must_use]
    pub fn not_configured() -> Self {
        Self { configured: None }
    }

    /// The session of a policy. The key is random and a secret of this session.
    #[must_use]
    pub fn new(policy: Policy, key: &[u8; 32], now: Duration) -> Self {
        let throttle = Throttle::new(&policy, key, now);
        let waiting = RefCell::new(Waiting { throttle, states: States::default() });
        Self { configured: Some(Configured { policy, waiting }) }
    }

    /// Decides about a request by its headers, a serialized [header map](crate::header_map), and carries that out, or lets
    /// it wait.
    pub fn on_request(&self, host: &impl Host, number: u32, headers: &[u8], has_body: bool) -> RequestState {
        let Some(configured) = &self.configured else { return refuse(host, &Decision::NotConfigured) };
        let policy = &configured.policy;
        let mut request = Request { has_body, ..Request::default() };
        if request.read(headers, &policy.options().headers).is_none() {
            error!("basic_auth: headers that are no header map: a request of which nothing is known is refused");
            return refuse(host, &Decision::NotConfigured);
        }
        let source_address = &mut || parse_source_address(&host.source_address()?);
        if !policy.needs_throttle() {
            return configured.carry_out(host, &request, &policy.decide_from(&request, source_address));
        }
        let Some(mut waiting) = configured.waiting() else { return refuse(host, &Decision::NotConfigured) };
        let was_idle = waiting.throttle.is_idle();
        let outcome = waiting.throttle.decide(policy, &request, number, source_address, &mut || host.now());
        if let Outcome::Decided(decision) = outcome {
            drop(waiting);
            return configured.carry_out(host, &request, &decision);
        }
        let mut ready = remove_claims(host, &request);
        if was_idle && ready.is_ok() {
            ready = host.set_tick_period(TICK);
        }
        if let Err(error) = ready {
            waiting.throttle.forget(number);
            drop(waiting);
            error!("basic_auth: {error}: a request that would have to wait is refused");
            return refuse(host, &Decision::NotConfigured);
        }
        waiting.states.insert(number, RequestState::Waiting);
        RequestState::Waiting
    }

    /// Where a request stands that had to wait.
    #[must_use]
    pub fn state(&self, number: u32) -> RequestState {
        let waiting = self.configured.as_ref().and_then(Configured::waiting);
        waiting.and_then(|waiting| waiting.states.get(&number).copied()).unwrap_or(RequestState::Waiting)
    }

    /// Does a slice of the waiting work, and tells the requests that are decided by it.
    pub fn on_tick(&self, host: &impl Host) {
        let Some(configured) = &self.configured else { return };
        let Some(mut waiting) = configured.waiting() else { return };
        let decided = waiting.throttle.work(&configured.policy, &mut || host.now());
        // What is told to a request may end it, or hand over its body, and both come back to this session.
        drop(waiting);
        for (number, decision) in decided {
            configured.tell(host, number, &decision);
        }
        let is_idle = configured.waiting().is_some_and(|waiting| waiting.throttle.is_idle());
        if is_idle {
            stop_timer(host);
        }
    }

    /// Answers every request that waits, because another configuration takes the place of this one: `429`, come again.
    pub fn close(&self, host: &impl Host) {
        let Some(configured) = &self.configured else { return };
        let Some(mut waiting) = configured.waiting() else { return };
        let numbers = waiting.throttle.forget_all();
        drop(waiting);
        for number in &numbers {
            configured.tell(host, *number, &Decision::Throttled { reason: Reason::Busy, retry_after: 1, rule: 0 });
        }
        stop_timer(host);
    }

    /// A request that had to wait is over, perhaps because its client is gone: nothing more is hashed for it.
    pub fn on_end(&self, number: u32) {
        if let Some(mut waiting) = self.configured.as_ref().and_then(Configured::waiting)
            && waiting.states.remove(&number) == Some(RequestState::Waiting)
        {
            waiting.throttle.forget(number);
        }
    }
}

impl Configured {
    /// Those who wait. Nobody else has them in hand, unless the proxy calls in the midst of a call that it was not told of.
    fn waiting(&self) -> Option<RefMut<'_, Waiting>> {
        let waiting = self.waiting.try_borrow_mut();
        if let Err(error) = &waiting {
            error!("basic_auth: {error}: the proxy called while another call was being handled");
        }
        waiting.ok()
    }

    fn set_state(&self, number: u32, state: RequestState) {
        if let Some(known) = self.waiting().as_mut().and_then(|waiting| waiting.states.get_mut(&number)) {
            *known = state;
        }
    }

    /// Carries a decision out on a request that waits.
    fn tell(&self, host: &impl Host, number: u32, decision: &Decision<'_>) {
        if let Err(error) = host.select(number) {
            error!("basic_auth: {error}: a request that waited is gone");
            return;
        }
        if decision.reason().is_some() {
            self.set_state(number, RequestState::Answered);
            refuse(host, decision);
            return;
        }
        if let Err(error) = self.tell_upstream(host, decision) {
            error!("basic_auth: {error}: a request that was accepted is refused");
            self.set_state(number, RequestState::Answered);
            refuse(host, &Decision::NotConfigured);
            return;
        }
        count(host, decision);
        // Before it goes on: its body may follow within that very call.
        self.set_state(number, RequestState::Passed);
        if let Err(error) = host.resume() {
            self.set_state(number, RequestState::Waiting);
            error!("basic_auth: {error}: a request that was accepted stays paused");
        }
    }

    /// Carries a decision out on the request that is being handled, before it had to wait.
    fn carry_out(&self, host: &impl Host, request: &Request<'_>, decision: &Decision<'_>) -> RequestState {
        // Most requests need nothing more.
        if matches!(decision, Decision::Pass) && request.username_headers.is_empty() {
            return RequestState::Passed;
        }
        if decision.reason().is_some() {
            return refuse(host, decision);
        }
        if let Err(error) = remove_claims(host, request).and_then(|()| self.tell_upstream(host, decision)) {
            error!("basic_auth: {error}: a request that may pass is refused");
            return refuse(host, &Decision::NotConfigured);
        }
        count(host, decision);
        RequestState::Passed
    }

    /// Writes into a request that goes on what the upstream learns of the decision.
    fn tell_upstream(&self, host: &impl Host, decision: &Decision<'_>) -> Result<(), HostError> {
        let Decision::Accepted { pair, hide_credential, .. } = decision else { return Ok(()) };
        let names = &self.policy.options().headers;
        if *hide_credential {
            host.remove_header(names.credential.as_bytes())?;
        }
        match &names.username {
            // What is no text would be read in as many ways as there are backends. Control characters are in no pair.
            Some(name) if str::from_utf8(pair.user()).is_ok() => host.set_header(name.as_bytes(), pair.user()),
            _ => Ok(()),
        }
    }
}

/// Ends the ticks: an idle one costs the proxy as much as twenty requests cost this filter.
fn stop_timer(host: &impl Host) {
    if let Err(error) = host.set_tick_period(Duration::ZERO) {
        error!("basic_auth: {error}: the timer goes on although nothing waits");
    }
}

/// Removes the headers by which a client claims to be a user.
fn remove_claims(host: &impl Host, request: &Request<'_>) -> Result<(), HostError> {
    let mut rest = request.username_headers.as_slice();
    while let Some((name, after)) = rest.split_first() {
        // One call removes all lines of a header.
        if !after.contains(name) {
            host.remove_header(name)?;
        }
        rest = after;
    }
    Ok(())
}

/// Answers the request that is being handled in the place of the upstream.
fn refuse(host: &impl Host, decision: &Decision<'_>) -> RequestState {
    count(host, decision);
    if let Some(response) = decision.response()
        && let Err(error) = host.respond(&response)
    {
        error!("basic_auth: {error}: a request that was refused with {} stays paused", response.status);
    }
    RequestState::Answered
}

fn count(host: &impl Host, decision: &Decision<'_>) {
    for event in events(decision) {
        host.count(event);
    }
}
