//! The life of requests under one configuration: decided at once, or paused until their password is verified.
//!
//! A [`Session`] knows no proxy: what it asks of one stands behind [`Host`]. Requests are the numbers of their contexts.
//!
//! Lists of users that are fetched come while requests are handled, and hold from then on.
//!
//! What Envoy does when a configuration changes: it makes a root context for the new one, in the same virtual machine where
//! module, environment and `vm_id` are the same, and sends new connections to new listeners. The root context of the old
//! configuration stays and keeps its timer for as long as a request of its listeners lives, so whoever waits there is
//! answered by the configuration that was in force when the request came. It never configures a root context twice; other
//! hosts may, and [`Session::close`] is for them.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::fmt;
use std::time::Duration;

use hashlink::LinkedHashMap;
use log::{debug, error, info, warn};

use crate::decision::{Decision, Reason};
use crate::fetch::{self, Fetched, Fetches};
use crate::host::HostError;
use crate::policy::Policy;
use crate::request::Request;
use crate::request::client::parse_source_address;
use crate::request::number::{ByNumber, NumberHash};
use crate::response::Response;
use crate::telemetry::{Account, Event, Levels, MetricHost, Metrics, Wave};
use crate::throttle::{Outcome, SharedData, Throttle};
use crate::users::fetched::FetchSource;

/// How soon a tick comes that no throttle has a time for.
const SOON: Duration = Duration::from_millis(4);

/// How long after something was counted the proxy is told. A tick costs it as much as twenty requests cost this filter, so
/// there is none where nothing is counted.
const REPORT: Duration = Duration::from_secs(1);

/// How many requests that no rule covers are counted before the proxy is told, if nothing else is.
const MAX_UNTOLD_PASSES: u32 = 1_024;

/// What a session asks of the proxy.
pub trait Host: MetricHost {
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

    /// Gives the request that is being handled a header, in the place of all lines of it.
    ///
    /// # Errors
    /// That the proxy did not do it.
    fn set_header(&self, name: &[u8], value: &[u8]) -> Result<(), HostError>;

    /// Lets the proxy know something about the request that is being handled, for its access log.
    ///
    /// # Errors
    /// That the proxy did not do it.
    fn set_property(&self, name: &str, value: &[u8]) -> Result<(), HostError>;

    /// Asks for a list of users, and for [`Session::on_fetched`] when the answer is there, or none comes. The etag goes as
    /// `if-none-match`.
    ///
    /// # Errors
    /// That the proxy did not do it.
    fn fetch(&self, source: &FetchSource, etag: Option<&str>) -> Result<u32, HostError>;
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
    /// The plugin's name with a colon and a space, for log lines; may be empty.
    plugin: String,
    /// What the timer of the proxy was last set to; `None` when nothing more is to be asked of it.
    timer: Cell<Option<Duration>>,
    /// Requests that no rule covered, counted apart: they are the most.
    passes: Cell<u32>,
    told: RefCell<Told>,
}

/// What was counted and is to be told.
struct Told {
    metrics: Metrics,
    wave: Wave,
}

struct Configured {
    /// Changed by what is fetched, and by nothing else.
    policy: RefCell<Policy>,
    waiting: RefCell<Waiting>,
    fetches: RefCell<Fetches>,
}

struct Waiting {
    throttle: Throttle,
    /// Every request that was paused and is not over.
    states: ByNumber<RequestState>,
    /// When those of them were paused that still wait, the first in front.
    since: LinkedHashMap<u32, Duration, NumberHash>,
}

impl Session {
    /// A session without a valid configuration: nothing is known to be open, so every request is answered `503`.
    #[must_use]
    pub fn not_configured() -> Self {
        Self::with(None, Metrics::default())
    }

    /// The session of a policy. The key is random and a secret: this session's, and the process's if that has none yet.
    #[must_use]
    // Not inlined, like the other steps of loading: V8 compiles several small functions sooner than a large one.
    #[inline(never)]
    pub fn new(policy: Policy, key: &[u8; 32], shared: Box<dyn SharedData>, now: Duration) -> Self {
        let throttle = Throttle::new(&policy, key, shared, now);
        let waiting = Waiting { throttle, states: ByNumber::default(), since: LinkedHashMap::default() };
        let metrics = Metrics::new(&policy);
        let fetches = RefCell::new(Fetches::new(policy.fetch_sources().len()));
        let configured = Configured { policy: RefCell::new(policy), waiting: RefCell::new(waiting), fetches };
        Self::with(Some(configured), metrics)
    }

    fn with(configured: Option<Configured>, metrics: Metrics) -> Self {
        let told = RefCell::new(Told { metrics, wave: Wave::default() });
        let (timer, passes) = (Cell::new(Some(Duration::ZERO)), Cell::new(0));
        Self { configured, plugin: String::new(), timer, passes, told }
    }

    /// The same, with what its log lines begin with.
    #[must_use]
    pub fn named(self, plugin: String) -> Self {
        Self { plugin, ..self }
    }

    /// Asks for a first tick, in which the proxy learns what is in force, and lists of users are asked for. What is only
    /// tried never has one.
    pub fn start(&self, host: &impl Host) {
        if self.has_fetches()
            && let Err(error) = self.set_timer(host, SOON)
        {
            error!("basic_auth: {}{error}: no users are fetched", self.plugin);
        }
        self.report_soon(host);
    }

    /// Whether there are lists to fetch.
    fn has_fetches(&self) -> bool {
        let fetches = self.configured.as_ref().and_then(|configured| configured.fetches.try_borrow().ok());
        fetches.is_some_and(|fetches| !fetches.is_empty())
    }

    /// Takes the answer to a [`Host::fetch`]: its serialized header map, empty if none came, and its body.
    pub fn on_fetched(&self, host: &impl Host, token: u32, headers: &[u8], body: Vec<u8>) {
        let Some(configured) = &self.configured else { return };
        let Some(policy) = configured.policy() else { return };
        let Ok(mut fetches) = configured.fetches.try_borrow_mut() else { return };
        let source = |index| Some((policy.fetch_sources().nth(index)?, policy.fetched_users(index)));
        let outcome = fetches.answered(host.now(), token, source, headers, body);
        drop(policy);
        drop(fetches);
        if let Some(outcome) = outcome {
            self.take_fetched(host, configured, outcome);
        }
    }

    /// Asks for the lists of users that are due.
    fn fetch(&self, host: &impl Host, configured: &Configured) {
        let Some(policy) = configured.policy() else { return };
        let Ok(mut fetches) = configured.fetches.try_borrow_mut() else { return };
        if fetches.is_empty() {
            return;
        }
        let failed = fetches.ask(host.now(), policy.fetch_sources(), |source, etag| host.fetch(source, etag));
        drop(policy);
        drop(fetches);
        for failed in failed {
            self.take_fetched(host, configured, failed);
        }
    }

    /// Puts users into force that were fetched, and tells what else there is to be told.
    fn take_fetched(&self, host: &impl Host, configured: &Configured, fetched: Fetched) {
        let event = if let Fetched::Failed { .. } = fetched { Event::FetchFailed } else { Event::Fetched };
        if let Some(mut told) = self.told() {
            told.metrics.count(event, 1);
        }
        self.report_soon(host);
        match fetched {
            Fetched::Unchanged | Fetched::Failed { is_new: false, .. } => {}
            Fetched::Failed { index, error, .. } => {
                let Some(policy) = configured.policy() else { return };
                let path = policy.fetch_path(index);
                let stays = match policy.fetched_users(index) {
                    Some(_) => "the users of before stay",
                    None => "until they come, its rules refuse",
                };
                warn!("basic_auth: {}{path}: no users were fetched: {error}; {stays}", self.plugin);
            }
            Fetched::New { index, users } => {
                let Ok(mut policy) = configured.policy.try_borrow_mut() else {
                    error!(
                        "basic_auth: the proxy called while another call was being handled: users are not changed yet"
                    );
                    if let Ok(mut fetches) = configured.fetches.try_borrow_mut() {
                        fetches.not_taken(index, host.now());
                    }
                    return;
                };
                let lines = users.lines();
                policy.set_fetched_users(index, users);
                let path = policy.fetch_path(index);
                info!("basic_auth: {}{path}: fetched {lines} credentials", self.plugin);
            }
        }
    }

    /// Tells the proxy that a configuration was refused, at once: there may be no tick.
    pub fn config_refused(&self, host: &impl Host) {
        if let Some(mut told) = self.told() {
            told.metrics.count(Event::ConfigRefused, 1);
            told.metrics.close(host);
        }
    }

    /// Decides about a request by its headers, a serialized [header map](crate::header_map), and carries that out, or lets
    /// it wait.
    pub fn on_request(&self, host: &impl Host, number: u32, headers: &[u8], has_body: bool) -> RequestState {
        let Some(configured) = &self.configured else { return self.refuse(host, None, &Decision::NotConfigured) };
        let Some(policy) = configured.policy() else { return self.refuse(host, None, &Decision::NotConfigured) };
        let policy = &*policy;
        let mut request = Request { has_body, ..Request::default() };
        if request.read(headers, &policy.options().headers).is_none() {
            error!("basic_auth: headers that are no header map: a request of which nothing is known is refused");
            return self.refuse(host, Some(policy), &Decision::NotConfigured);
        }
        let source_address = &mut || parse_source_address(&host.source_address()?);
        if !policy.needs_throttle() {
            return self.carry_out(host, policy, &request, &policy.decide_from(&request, source_address));
        }
        let Some(mut waiting) = configured.waiting() else {
            return self.refuse(host, Some(policy), &Decision::NotConfigured);
        };
        let outcome = waiting.throttle.decide(policy, &request, number, source_address, &mut || host.now());
        if let Outcome::Decided(decision) = outcome {
            drop(waiting);
            return self.carry_out(host, policy, &request, &decision);
        }
        let period = waiting.throttle.next_rest();
        let ready = remove_claims(host, &request).and_then(|()| self.set_timer(host, period));
        if let Err(error) = ready {
            waiting.throttle.forget(number);
            drop(waiting);
            error!("basic_auth: {error}: a request that would have to wait is refused");
            return self.refuse(host, Some(policy), &Decision::NotConfigured);
        }
        waiting.states.insert(number, RequestState::Waiting);
        waiting.since.insert(number, host.now());
        RequestState::Waiting
    }

    /// Where a request stands that had to wait.
    #[must_use]
    pub fn state(&self, number: u32) -> RequestState {
        let waiting = self.configured.as_ref().and_then(Configured::waiting);
        waiting.and_then(|waiting| waiting.states.get(&number).copied()).unwrap_or(RequestState::Waiting)
    }

    /// Does a slice of the waiting work, tells the requests that are decided by it, and tells the proxy what was counted.
    pub fn on_tick(&self, host: &impl Host) {
        let mut has_work = false;
        if let Some(configured) = &self.configured {
            self.fetch(host, configured);
            let (Some(policy), Some(mut waiting)) = (configured.policy(), configured.waiting()) else { return };
            let decided = waiting.throttle.work(&policy, &mut || host.now());
            // What is told to a request may end it, or hand over its body, and both come back to this session.
            drop(waiting);
            for (number, decision) in decided {
                self.tell(host, configured, &policy, number, &decision);
            }
            drop(policy);
            has_work = configured.waiting().is_some_and(|waiting| !waiting.throttle.is_idle());
        }
        let is_due = self.report(host);
        // Last, for the proxy counts the time to the next tick from the end of this one.
        let rest = |configured: &Configured| Some(configured.waiting()?.throttle.rest(host.now()));
        let period = match (has_work, is_due) {
            (true, _) => self.configured.as_ref().and_then(rest).unwrap_or(SOON),
            (false, _) if self.has_fetches() => fetch::LOOK,
            (false, true) => REPORT,
            (false, false) => Duration::ZERO,
        };
        if let Err(error) = self.set_timer(host, period) {
            error!("basic_auth: {error}: the timer is not as it should be");
        }
    }

    /// Answers every request that waits, because another configuration takes the place of this one: `429`, come again. And
    /// takes back what the proxy was told of this session.
    pub fn close(&self, host: &impl Host) {
        if let Some(configured) = &self.configured
            && let (Some(policy), Some(mut waiting)) = (configured.policy(), configured.waiting())
        {
            let numbers = waiting.throttle.forget_all();
            drop(waiting);
            for number in &numbers {
                let decision = Decision::Throttled { reason: Reason::Busy, retry_after: 1, rule: 0 };
                self.tell(host, configured, &policy, *number, &decision);
            }
        }
        if let Some(mut told) = self.told() {
            told.metrics.count(Event::Passed, self.passes.take());
            told.metrics.close(host);
        }
        if let Err(error) = self.set_timer(host, Duration::ZERO) {
            error!("basic_auth: {error}: the timer goes on although nothing waits");
        }
        // Another session has it now.
        self.timer.set(None);
    }

    /// A request that had to wait is over, perhaps because its client is gone: nothing more is hashed for it.
    pub fn on_end(&self, number: u32) {
        if let Some(mut waiting) = self.configured.as_ref().and_then(Configured::waiting) {
            waiting.since.remove(&number);
            if waiting.states.remove(&number) == Some(RequestState::Waiting) {
                waiting.throttle.forget(number);
            }
        }
    }

    /// Asks for ticks so often, if that is not how it is.
    fn set_timer(&self, host: &impl Host, period: Duration) -> Result<(), HostError> {
        if self.timer.get().is_some_and(|set| set != period) {
            host.set_tick_period(period)?;
            self.timer.set(Some(period));
        }
        Ok(())
    }

    /// Asks for a tick if there is none, because something was counted.
    #[inline]
    fn report_soon(&self, host: &impl Host) {
        if self.timer.get() == Some(Duration::ZERO)
            && let Err(error) = self.set_timer(host, REPORT)
            && let Some(mut told) = self.told()
        {
            told.metrics.note(Err(error));
        }
    }

    /// Tells the proxy what was counted and measured. Says whether another look is due although nothing may happen.
    fn report(&self, host: &impl Host) -> bool {
        let Some(mut told) = self.told() else { return false };
        let Told { metrics, wave } = &mut *told;
        let now = host.now();
        let mut levels = Levels::default();
        if let Some(configured) = &self.configured
            && let Some(mut waiting) = configured.waiting()
        {
            levels = waiting.levels(now);
            levels.fetch_age_seconds = configured.fetches.try_borrow().map_or(0, |fetches| fetches.age(now).as_secs());
            metrics.count(Event::Verification, waiting.throttle.take_verifications());
        }
        metrics.count(Event::Passed, self.passes.take());
        metrics.report(host, levels);
        let (report, is_due) = wave.look(now);
        if let Some(report) = report {
            warn!("basic_auth: {}{report}", self.plugin);
        }
        is_due
    }

    fn told(&self) -> Option<RefMut<'_, Told>> {
        // Nobody else has it in hand: what it asks of the proxy calls nothing back.
        self.told.try_borrow_mut().ok()
    }

    /// Counts a decision about the request that is being handled, and tells logs what they want to know. Where there is no
    /// policy, nothing is known of what it asks for.
    fn count(&self, host: &impl Host, policy: Option<&Policy>, decision: &Decision<'_>) {
        if let Some(mut told) = self.told() {
            told.metrics.count_decision(policy, decision);
            told.wave.note(decision, || parse_source_address(&host.source_address()?));
        }
        self.report_soon(host);
        let is_asked = policy.is_some_and(|policy| policy.options().filter_state);
        if is_asked || (log::log_enabled!(log::Level::Debug) && is_refused(decision)) {
            self.account_for(host, policy, decision, is_asked);
        }
    }

    #[cold]
    fn account_for(&self, host: &impl Host, policy: Option<&Policy>, decision: &Decision<'_>, is_asked: bool) {
        let account = Account::new(policy, decision);
        if is_refused(decision) {
            let client = host.source_address().unwrap_or_default();
            debug!("basic_auth: {}refused: {account}, client {}", self.plugin, client.escape_ascii());
        }
        if !is_asked {
            return;
        }
        let properties = [
            ("basic_auth.user", account.user),
            ("basic_auth.rule", account.rule.as_deref().map(str::as_bytes)),
            ("basic_auth.reason", account.reason.as_deref().map(str::as_bytes)),
        ];
        for (name, value) in properties {
            if let Some(value) = value
                && let Err(error) = host.set_property(name, value)
            {
                error!("basic_auth: {error}: the access log does not show {name}");
            }
        }
    }

    /// Carries a decision out on a request that waits.
    fn tell(&self, host: &impl Host, configured: &Configured, policy: &Policy, number: u32, decision: &Decision<'_>) {
        if let Err(error) = host.select(number) {
            error!("basic_auth: {error}: a request that waited is gone");
            return;
        }
        if decision.reason().is_some() {
            configured.set_state(number, RequestState::Answered);
            self.refuse(host, Some(policy), decision);
            return;
        }
        if let Err(error) = tell_upstream(host, policy, decision) {
            error!("basic_auth: {error}: a request that was accepted is refused");
            configured.set_state(number, RequestState::Answered);
            self.refuse(host, Some(policy), &Decision::NotConfigured);
            return;
        }
        self.count(host, Some(policy), decision);
        // Before it goes on: its body may follow within that very call.
        configured.set_state(number, RequestState::Passed);
        if let Err(error) = host.resume() {
            configured.set_state(number, RequestState::Waiting);
            error!("basic_auth: {error}: a request that was accepted stays paused");
        }
    }

    /// Carries a decision out on the request that is being handled, before it had to wait.
    fn carry_out(
        &self,
        host: &impl Host,
        policy: &Policy,
        request: &Request<'_>,
        decision: &Decision<'_>,
    ) -> RequestState {
        // Most requests need nothing more.
        if matches!(decision, Decision::Pass) && request.username_headers.is_empty() {
            return self.pass(host);
        }
        if decision.reason().is_some() {
            return self.refuse(host, Some(policy), decision);
        }
        if let Err(error) = remove_claims(host, request).and_then(|()| tell_upstream(host, policy, decision)) {
            error!("basic_auth: {error}: a request that may pass is refused");
            return self.refuse(host, Some(policy), &Decision::NotConfigured);
        }
        if matches!(decision, Decision::Pass) {
            return self.pass(host);
        }
        self.count(host, Some(policy), decision);
        RequestState::Passed
    }

    /// Lets a request pass that no rule covers. It asks nothing of the proxy but once in a thousand.
    fn pass(&self, host: &impl Host) -> RequestState {
        let passes = self.passes.get().saturating_add(1);
        self.passes.set(passes);
        if passes >= MAX_UNTOLD_PASSES {
            self.report_passes(host);
        }
        RequestState::Passed
    }

    /// Apart, for what only it needs would cost each request that passes.
    #[cold]
    #[inline(never)]
    fn report_passes(&self, host: &impl Host) {
        self.report_soon(host);
    }

    /// Answers the request that is being handled in the place of the upstream.
    fn refuse(&self, host: &impl Host, policy: Option<&Policy>, decision: &Decision<'_>) -> RequestState {
        self.count(host, policy, decision);
        if let Some(response) = decision.response()
            && let Err(error) = host.respond(&response)
        {
            error!("basic_auth: {error}: a request that was refused with {} stays paused", response.status);
        }
        RequestState::Answered
    }
}

fn is_refused(decision: &Decision<'_>) -> bool {
    decision.reason().is_some() || decision.dry_run().is_some()
}

impl Waiting {
    /// What is measured of them.
    fn levels(&self, now: Duration) -> Levels {
        let oldest = self.since.front().map_or(Duration::ZERO, |(_, paused)| now.saturating_sub(*paused));
        Levels {
            remembered: self.throttle.remembered(),
            waiting: self.since.len(),
            oldest_ms: u64::try_from(oldest.as_millis()).unwrap_or(u64::MAX),
            fetch_age_seconds: 0,
        }
    }
}

impl Configured {
    /// The policy. Nobody changes it now, unless the proxy calls in the midst of a call that it was not told of.
    #[inline]
    fn policy(&self) -> Option<Ref<'_, Policy>> {
        match self.policy.try_borrow() {
            Ok(policy) => Some(policy),
            Err(error) => {
                log_reentry(&error);
                None
            }
        }
    }

    /// Those who wait. Nobody else has them in hand, unless the proxy calls in the midst of a call that it was not told of.
    fn waiting(&self) -> Option<RefMut<'_, Waiting>> {
        match self.waiting.try_borrow_mut() {
            Ok(waiting) => Some(waiting),
            Err(error) => {
                log_reentry(&error);
                None
            }
        }
    }

    fn set_state(&self, number: u32, state: RequestState) {
        let Some(mut waiting) = self.waiting() else { return };
        waiting.since.remove(&number);
        if let Some(known) = waiting.states.get_mut(&number) {
            *known = state;
        }
    }
}

#[cold]
fn log_reentry(error: &dyn fmt::Display) {
    error!("basic_auth: {error}: the proxy called while another call was being handled");
}

/// Writes into a request that goes on what the upstream learns of the decision.
fn tell_upstream(host: &impl Host, policy: &Policy, decision: &Decision<'_>) -> Result<(), HostError> {
    let Decision::Accepted { pair, hide_credential, .. } = decision else { return Ok(()) };
    let names = &policy.options().headers;
    if *hide_credential {
        host.remove_header(names.credential.as_bytes())?;
    }
    match &names.username {
        // What is no text would be read in as many ways as there are backends. Control characters are in no pair.
        Some(name) if str::from_utf8(pair.user()).is_ok() => host.set_header(name.as_bytes(), pair.user()),
        _ => Ok(()),
    }
}

/// Removes the headers by which a client claims to be a user.
#[inline]
fn remove_claims(host: &impl Host, request: &Request<'_>) -> Result<(), HostError> {
    if request.username_headers.is_empty() { Ok(()) } else { remove_headers(host, &request.username_headers) }
}

fn remove_headers(host: &impl Host, names: &[&[u8]]) -> Result<(), HostError> {
    let mut rest = names;
    while let Some((name, after)) = rest.split_first() {
        // One call removes all lines of a header.
        if !after.contains(name) {
            host.remove_header(name)?;
        }
        rest = after;
    }
    Ok(())
}
