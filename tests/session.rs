//! The life of requests as a transcript: what a session asks of its host, call by call.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    missing_docs,
    reason = "tests panic when they fail"
)]

#[path = "../src/test_support/hashes.rs"]
mod hashes;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use basic_auth::{
    Config, FetchSource, Host, HostError, MetricHost, MetricKind, Policy, RequestState, Response, Session, SharedData,
    header_map,
};
use hashes::{BCRYPT4, BCRYPT5};

/// `alice:secret` by bcrypt of cost 4, and `bob:secret` in plain text for another path.
const CONFIGURATION: &str = r#"{"basic_auth_rules": [
    {"prefix": "/slow", "htpasswd": "alice:BCRYPT4"},
    {"prefix": "/fast", "credentials": ["bob:secret"]}
]}"#;

thread_local! {
    /// What was logged in this test's thread.
    static LOGGED: RefCell<Vec<String>> = RefCell::default();
}

/// Keeps the lines of each test apart.
struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        LOGGED.with_borrow_mut(|lines| lines.push(record.args().to_string()));
    }

    fn flush(&self) {}
}

/// Takes what was logged so far; the first call begins.
fn logged() -> Vec<String> {
    // Another test may have set it.
    let _ = log::set_logger(&Logger);
    log::set_max_level(log::LevelFilter::Trace);
    LOGGED.take()
}

/// How soon the proxy is told what was counted.
const REPORT: Duration = Duration::from_secs(1);

/// A host that writes down what it is asked, on a clock that a test moves.
#[derive(Default)]
struct Recorder {
    transcript: RefCell<Vec<String>>,
    now: Cell<Duration>,
    timer: Cell<Duration>,
    /// Names, kinds and values.
    metrics: RefCell<Vec<(String, MetricKind, i64)>>,
    /// How many lists it was asked to fetch.
    fetches: Cell<u32>,
    /// The call that this host does not carry out.
    fails: Cell<Option<&'static str>>,
}

impl Recorder {
    fn call(&self, name: &'static str, line: String) -> Result<(), HostError> {
        if self.fails.get() == Some(name) {
            self.transcript.borrow_mut().push(format!("{line}: failed"));
            return Err(HostError { call: name, status: 2 });
        }
        self.transcript.borrow_mut().push(line);
        Ok(())
    }

    /// What a metric shows.
    fn metric(&self, name: &str) -> Option<i64> {
        self.metrics.borrow().iter().find(|metric| metric.0 == name).map(|metric| metric.2)
    }

    /// What was asked since the last time.
    fn asked(&self) -> Vec<String> {
        self.transcript.take()
    }
}

impl MetricHost for Recorder {
    fn define_metric(&self, kind: MetricKind, name: &str) -> Result<u32, HostError> {
        if self.fails.get() == Some("define") {
            return Err(HostError { call: "define", status: 2 });
        }
        let mut metrics = self.metrics.borrow_mut();
        let number = metrics.iter().position(|metric| metric.0 == name).unwrap_or_else(|| {
            metrics.push((name.to_owned(), kind, 0));
            metrics.len() - 1
        });
        assert_eq!(metrics[number].1, kind, "{name}");
        Ok(u32::try_from(number).unwrap())
    }

    fn add_to_metric(&self, metric: u32, difference: i64) -> Result<(), HostError> {
        let (name, kind, value) = &mut self.metrics.borrow_mut()[metric as usize];
        assert!(*kind == MetricKind::Gauge || difference > 0, "{name}");
        *value += difference;
        Ok(())
    }

    fn set_metric(&self, metric: u32, value: u64) -> Result<(), HostError> {
        let (name, kind, known) = &mut self.metrics.borrow_mut()[metric as usize];
        assert_eq!(*kind, MetricKind::Gauge, "{name}");
        *known = i64::try_from(value).unwrap();
        Ok(())
    }
}

/// The store of a proxy that has none.
struct NoStore;

impl SharedData for NoStore {
    fn get(&self, _: &str) -> Option<(Box<[u8]>, u32)> {
        None
    }

    fn set(&self, _: &str, _: &[u8], _: u32) -> bool {
        false
    }
}

impl Host for Recorder {
    fn now(&self) -> Duration {
        // Every look takes a while, so that a slice ends before everything is done.
        self.now.set(self.now.get() + Duration::from_micros(400));
        self.now.get()
    }

    fn source_address(&self) -> Option<Vec<u8>> {
        Some(b"127.0.0.1:50000".to_vec())
    }

    fn set_tick_period(&self, period: Duration) -> Result<(), HostError> {
        self.timer.set(period);
        if period == REPORT {
            // That something is to be told soon is no part of what becomes of requests.
            let is_failing = self.fails.get() == Some("timer");
            return if is_failing { Err(HostError { call: "timer", status: 2 }) } else { Ok(()) };
        }
        self.call("timer", format!("timer {} ms", period.as_millis()))
    }

    fn select(&self, request: u32) -> Result<(), HostError> {
        self.call("select", format!("select {request}"))
    }

    fn resume(&self) -> Result<(), HostError> {
        self.call("resume", "resume".to_owned())
    }

    fn respond(&self, response: &Response<'_>) -> Result<(), HostError> {
        let Response { status, headers, body, details } = response;
        let mut shown = Vec::new();
        header_map::for_each(headers, |name, value| {
            shown.push(format!(" {}: {}", name.escape_ascii(), value.escape_ascii()));
        })
        .unwrap();
        assert_eq!(*body, "");
        self.call("respond", format!("respond {status}{} ({details})", shown.concat()))
    }

    fn remove_header(&self, name: &[u8]) -> Result<(), HostError> {
        self.call("remove", format!("remove {}", name.escape_ascii()))
    }

    fn set_header(&self, name: &[u8], value: &[u8]) -> Result<(), HostError> {
        self.call("set", format!("set {}: {}", name.escape_ascii(), value.escape_ascii()))
    }

    fn set_property(&self, name: &str, value: &[u8]) -> Result<(), HostError> {
        self.call("property", format!("property {name}={}", value.escape_ascii()))
    }

    fn fetch(&self, source: &FetchSource, etag: Option<&str>) -> Result<u32, HostError> {
        let etag = etag.map(|etag| format!(" unless {etag}")).unwrap_or_default();
        self.call("fetch", format!("fetch {}{}{etag}", source.authority, source.path))?;
        self.fetches.set(self.fetches.get() + 1);
        Ok(self.fetches.get())
    }
}

fn session() -> Session {
    session_of(CONFIGURATION)
}

fn session_of(configuration: &str) -> Session {
    let text = configuration.replace("BCRYPT4", BCRYPT4);
    Session::new(Policy::new(Config::parse(text.as_bytes()).unwrap()), &[7; 32], Box::new(NoStore), Duration::ZERO)
}

fn ask(session: &Session, host: &Recorder, number: u32, path: &str, pair: Option<&str>) -> RequestState {
    ask_with(session, host, number, path, pair, &[])
}

fn ask_with(
    session: &Session,
    host: &Recorder,
    number: u32,
    path: &str,
    pair: Option<&str>,
    further: &[(&str, &[u8])],
) -> RequestState {
    let value = pair.map(|pair| format!("Basic {}", BASE64_STANDARD.encode(pair)));
    let mut headers = vec![(":method", &b"GET"[..]), (":path", path.as_bytes()), (":authority", b"test")];
    headers.extend(value.iter().map(|value| ("authorization", value.as_bytes())));
    headers.extend_from_slice(further);
    session.on_request(host, number, &header_map::serialize(&headers), false)
}

/// Ticks, four milliseconds apart, until the host is asked something other than nothing.
fn tick_until_asked(session: &Session, host: &Recorder) -> Vec<String> {
    for _ in 0..1_000 {
        host.now.set(host.now.get() + Duration::from_millis(4));
        session.on_tick(host);
        let asked = host.asked();
        if !asked.is_empty() {
            return asked;
        }
    }
    Vec::new()
}

const MISSING: &str = r#"respond 401 www-authenticate: Basic realm=\"istio\", charset=\"UTF-8\" (basic_auth_missing)"#;
const WRONG: &str =
    r#"respond 401 www-authenticate: Basic realm=\"istio\", charset=\"UTF-8\" (basic_auth_wrong_password)"#;
const UNKNOWN: &str =
    r#"respond 401 www-authenticate: Basic realm=\"istio\", charset=\"UTF-8\" (basic_auth_unknown_user)"#;

#[test]
fn without_a_configuration_everything_is_answered() {
    let (session, host) = (Session::not_configured(), Recorder::default());
    assert_eq!(ask(&session, &host, 1, "/open", None), RequestState::Answered);
    assert_eq!(ask(&session, &host, 2, "/fast", Some("bob:secret")), RequestState::Answered);
    session.on_tick(&host);
    session.close(&host);
    session.on_end(1);
    let refused = "respond 503 (basic_auth_not_configured)";
    assert_eq!(host.asked(), [refused, refused, "timer 0 ms"]);
    assert_eq!(told(&host, "basic_auth.refused."), ["not_configured 2"]);
}

#[test]
fn headers_that_are_no_header_map_are_refused_whatever_is_protected() {
    let (session, host) = (session(), Recorder::default());
    for headers in [&b""[..], b"\x01\0\0"] {
        assert_eq!(session.on_request(&host, 1, headers, false), RequestState::Answered);
        assert_eq!(host.asked(), ["respond 503 (basic_auth_not_configured)"]);
    }
}

#[test]
fn a_preflight_has_no_body() {
    let text =
        r#"{"cors_preflight": "allow", "basic_auth_rules": [{"prefix": "/fast", "credentials": ["bob:secret"]}]}"#;
    let (session, host) = (session_of(text), Recorder::default());
    let headers: &[(&str, &[u8])] = &[
        (":method", b"OPTIONS"),
        (":path", b"/fast"),
        (":authority", b"test"),
        ("origin", b"https://other"),
        ("access-control-request-method", b"GET"),
    ];
    let headers = header_map::serialize(headers);
    assert_eq!(session.on_request(&host, 1, &headers, false), RequestState::Passed);
    assert!(host.asked().is_empty());
    assert_eq!(session.on_request(&host, 2, &headers, true), RequestState::Answered);
    assert_eq!(host.asked(), [MISSING]);
}

#[test]
fn what_takes_no_time_is_decided_at_once() {
    let (session, host) = (session(), Recorder::default());
    assert_eq!(ask(&session, &host, 1, "/open", None), RequestState::Passed);
    assert_eq!(ask(&session, &host, 2, "/fast", Some("bob:secret")), RequestState::Passed);
    assert!(host.asked().is_empty());
    assert_eq!(ask(&session, &host, 3, "/fast", None), RequestState::Answered);
    assert_eq!(host.asked(), [MISSING]);
}

#[test]
fn a_right_login_waits_and_goes_on_and_the_timer_stops() {
    let (session, host) = (session(), Recorder::default());
    assert_eq!(ask(&session, &host, 7, "/slow", Some("alice:secret")), RequestState::Waiting);
    assert_eq!(session.state(7), RequestState::Waiting);
    assert_eq!(host.asked(), ["timer 4 ms"]);
    assert_eq!(tick_until_asked(&session, &host), ["select 7", "resume", "timer 0 ms"]);
    assert_eq!(session.state(7), RequestState::Passed);
    session.on_end(7);
    // Now it is remembered, and needs no timer.
    assert_eq!(ask(&session, &host, 8, "/slow", Some("alice:secret")), RequestState::Passed);
    assert!(host.asked().is_empty());
}

#[test]
fn the_timer_is_set_once_and_stops_with_the_last_that_waits() {
    let (session, host) = (session(), Recorder::default());
    ask(&session, &host, 1, "/slow", Some("alice:wrong"));
    ask(&session, &host, 2, "/slow", Some("bob:secret"));
    assert_eq!(host.asked(), ["timer 4 ms"]);
    assert_eq!(tick_until_asked(&session, &host), ["select 1", WRONG]);
    assert_eq!(session.state(1), RequestState::Answered);
    assert_eq!(tick_until_asked(&session, &host), ["select 2", UNKNOWN, "timer 0 ms"]);
    // The next one needs it again.
    ask(&session, &host, 3, "/slow", Some("alice:wrong"));
    assert_eq!(host.asked(), ["timer 4 ms"]);
}

#[test]
fn a_request_that_is_over_is_not_hashed_for() {
    let (session, host) = (session(), Recorder::default());
    ask(&session, &host, 1, "/slow", Some("alice:secret"));
    host.asked();
    session.on_end(1);
    assert_eq!(tick_until_asked(&session, &host), ["timer 0 ms"]);
    // Nothing was remembered: the next login waits.
    assert_eq!(ask(&session, &host, 2, "/slow", Some("alice:secret")), RequestState::Waiting);
}

#[test]
fn a_request_that_the_proxy_no_longer_knows_is_passed_over() {
    let (session, host) = (session(), Recorder::default());
    ask(&session, &host, 1, "/slow", Some("alice:secret"));
    host.asked();
    host.fails.set(Some("select"));
    assert_eq!(tick_until_asked(&session, &host), ["select 1: failed", "timer 0 ms"]);
    assert_eq!(session.state(1), RequestState::Waiting);
}

#[test]
fn a_request_that_the_proxy_does_not_resume_stays_paused() {
    let (session, host) = (session(), Recorder::default());
    logged();
    ask(&session, &host, 1, "/slow", Some("alice:secret"));
    host.asked();
    host.fails.set(Some("resume"));
    assert_eq!(tick_until_asked(&session, &host), ["select 1", "resume: failed", "timer 0 ms"]);
    assert_eq!(logged(), ["basic_auth: resume answered 2: a request that was accepted stays paused"]);
    assert_eq!(session.state(1), RequestState::Waiting);
}

#[test]
fn a_refusal_that_the_proxy_does_not_send_opens_nothing() {
    let (session, host) = (session(), Recorder::default());
    host.fails.set(Some("respond"));
    assert_eq!(ask(&session, &host, 1, "/fast", None), RequestState::Answered);
    assert_eq!(host.asked(), [format!("{MISSING}: failed")]);
    ask(&session, &host, 2, "/slow", Some("alice:wrong"));
    host.asked();
    assert_eq!(tick_until_asked(&session, &host)[..2], ["select 2".to_owned(), format!("{WRONG}: failed")]);
    assert_eq!(session.state(2), RequestState::Answered);
}

#[test]
fn without_a_timer_a_login_is_refused() {
    let (session, host) = (session(), Recorder::default());
    host.fails.set(Some("timer"));
    assert_eq!(ask(&session, &host, 1, "/slow", Some("alice:secret")), RequestState::Answered);
    assert_eq!(host.asked(), ["timer 4 ms: failed", "respond 503 (basic_auth_not_configured)"]);
    // It left nothing behind: the next one asks for the timer anew.
    host.fails.set(None);
    assert_eq!(ask(&session, &host, 2, "/slow", Some("alice:secret")), RequestState::Waiting);
    assert_eq!(host.asked(), ["timer 4 ms"]);
}

#[test]
fn a_timer_that_does_not_stop_loses_nobody() {
    let (session, host) = (session(), Recorder::default());
    ask(&session, &host, 1, "/slow", Some("alice:secret"));
    host.asked();
    host.fails.set(Some("timer"));
    assert_eq!(tick_until_asked(&session, &host), ["select 1", "resume", "timer 0 ms: failed"]);
    assert_eq!(session.state(1), RequestState::Passed);
}

#[test]
fn whoever_waits_when_the_configuration_is_replaced_is_told_to_come_again() {
    let (session, host) = (session(), Recorder::default());
    for number in [1, 2, 3] {
        ask(&session, &host, number, "/slow", Some("alice:secret"));
    }
    host.asked();
    session.on_end(2);
    session.close(&host);
    let again = "respond 429 retry-after: 1 (basic_auth_busy)";
    assert_eq!(host.asked(), ["select 1", again, "select 3", again, "timer 0 ms"]);
    assert_eq!([1, 3].map(|number| session.state(number)), [RequestState::Answered; 2]);
    // Nobody is left, and closing again tells nobody twice and leaves the timer to the next session.
    session.close(&host);
    assert!(host.asked().is_empty());
}

/// A host that calls back within `resume` and `respond`.
struct CallsBack<'s>(Recorder, &'s dyn Fn(&Self, &'static str));

impl MetricHost for CallsBack<'_> {
    fn define_metric(&self, kind: MetricKind, name: &str) -> Result<u32, HostError> {
        self.0.define_metric(kind, name)
    }
    fn add_to_metric(&self, metric: u32, difference: i64) -> Result<(), HostError> {
        self.0.add_to_metric(metric, difference)
    }
    fn set_metric(&self, metric: u32, value: u64) -> Result<(), HostError> {
        self.0.set_metric(metric, value)
    }
}

impl Host for CallsBack<'_> {
    fn now(&self) -> Duration {
        self.0.now()
    }
    fn source_address(&self) -> Option<Vec<u8>> {
        self.0.source_address()
    }
    fn set_tick_period(&self, period: Duration) -> Result<(), HostError> {
        self.0.set_tick_period(period)
    }
    fn select(&self, request: u32) -> Result<(), HostError> {
        self.0.select(request)
    }
    fn resume(&self) -> Result<(), HostError> {
        (self.1)(self, "resume");
        self.0.resume()
    }
    fn respond(&self, response: &Response<'_>) -> Result<(), HostError> {
        (self.1)(self, "respond");
        self.0.respond(response)
    }
    fn fetch(&self, source: &FetchSource, etag: Option<&str>) -> Result<u32, HostError> {
        self.0.fetch(source, etag)
    }
    fn set_property(&self, name: &str, value: &[u8]) -> Result<(), HostError> {
        self.0.set_property(name, value)
    }
    fn remove_header(&self, name: &[u8]) -> Result<(), HostError> {
        self.0.remove_header(name)
    }
    fn set_header(&self, name: &[u8], value: &[u8]) -> Result<(), HostError> {
        self.0.set_header(name, value)
    }
}

/// Within `resume` Envoy hands over the body of a request that waited, and ends one within `respond`.
#[test]
fn the_proxy_may_call_back_while_it_is_called() {
    let (session, states) = (session(), RefCell::new(Vec::new()));
    let back = |_: &CallsBack<'_>, call| {
        if call == "resume" {
            states.borrow_mut().push(session.state(1));
        } else {
            states.borrow_mut().push(session.state(2));
            session.on_end(2);
        }
    };
    let host = CallsBack(Recorder::default(), &back);
    ask(&session, &host.0, 1, "/slow", Some("alice:secret"));
    ask(&session, &host.0, 2, "/slow", Some("alice:wrong"));
    for _ in 0..100 {
        host.0.now.set(host.0.now.get() + Duration::from_millis(4));
        session.on_tick(&host);
    }
    assert_eq!(states.take(), [RequestState::Passed, RequestState::Answered]);
    assert!(host.0.asked().ends_with(&["timer 0 ms".to_owned()]));
}

/// A session in which the upstream learns the user, and not the password.
fn forwarding_session() -> Session {
    let top = r#"{"forward_username_header": "X-User", "hide_credentials": true, "#;
    session_of(&CONFIGURATION.replacen('{', top, 1))
}

#[test]
fn an_accepted_user_goes_upstream_and_the_credential_does_not() {
    let (session, host) = (forwarding_session(), Recorder::default());
    assert_eq!(ask(&session, &host, 1, "/fast", Some("bob:secret")), RequestState::Passed);
    assert_eq!(host.asked(), ["remove authorization", "set x-user: bob"]);
    assert_eq!(ask(&session, &host, 2, "/slow", Some("alice:secret")), RequestState::Waiting);
    assert_eq!(host.asked(), ["timer 4 ms"]);
    let told = ["select 2", "remove authorization", "set x-user: alice", "resume", "timer 0 ms"];
    assert_eq!(tick_until_asked(&session, &host), told);
}

/// GHSA-qr99-7898-vr7c, CVE-2025-64484: a client sent the identity header itself, or an alias with `_`.
#[test]
fn nobody_claims_to_be_a_user() {
    let claims: &[(&str, &[u8])] =
        &[("x-user", b"admin"), ("x_user", b"admin"), ("x-user", b"root"), ("x-user-id", b"1")];
    let (session, host) = (forwarding_session(), Recorder::default());
    // Open, accepted at once, and after a while; a request that is refused goes nowhere.
    let removed = ["remove x_user", "remove x-user"];
    assert_eq!(ask_with(&session, &host, 1, "/open", None, claims), RequestState::Passed);
    assert_eq!(host.asked(), removed);
    assert_eq!(ask_with(&session, &host, 2, "/fast", Some("bob:secret"), claims), RequestState::Passed);
    assert_eq!(host.asked(), ["remove x_user", "remove x-user", "remove authorization", "set x-user: bob"]);
    assert_eq!(ask_with(&session, &host, 3, "/slow", Some("alice:secret"), claims), RequestState::Waiting);
    assert_eq!(host.asked(), ["remove x_user", "remove x-user", "timer 4 ms"]);
    assert_eq!(ask_with(&session, &host, 4, "/fast", None, claims), RequestState::Answered);
    assert_eq!(host.asked(), [MISSING]);
    // A claim that cannot be removed opens nothing.
    host.fails.set(Some("remove"));
    assert_eq!(ask_with(&session, &host, 5, "/open", None, claims), RequestState::Answered);
    assert_eq!(host.asked(), ["remove x_user: failed", "respond 503 (basic_auth_not_configured)"]);
}

#[test]
fn what_the_upstream_should_learn_and_cannot_opens_nothing() {
    let (session, host) = (forwarding_session(), Recorder::default());
    host.fails.set(Some("set"));
    let refused = "respond 503 (basic_auth_not_configured)";
    assert_eq!(ask(&session, &host, 1, "/fast", Some("bob:secret")), RequestState::Answered);
    assert_eq!(host.asked(), ["remove authorization", "set x-user: bob: failed", refused]);
    assert_eq!(ask(&session, &host, 2, "/slow", Some("alice:secret")), RequestState::Waiting);
    host.asked();
    let told = ["select 2", "remove authorization", "set x-user: alice: failed", refused, "timer 0 ms"];
    assert_eq!(tick_until_asked(&session, &host), told);
    assert_eq!(session.state(2), RequestState::Answered);
}

#[test]
fn a_user_whose_name_is_no_text_is_not_forwarded() {
    // `b\xff:secret`, in base64 as `credentials` takes it.
    let text = r#"{"forward_username_header": "x-user", "basic_auth_rules": [{"prefix": "/", "credentials": ["Yv86c2VjcmV0"]}]}"#;
    let (session, host) = (session_of(text), Recorder::default());
    let further: &[(&str, &[u8])] = &[("authorization", b"Basic Yv86c2VjcmV0")];
    assert_eq!(ask_with(&session, &host, 1, "/", None, further), RequestState::Passed);
    assert!(host.asked().is_empty());
}

/// What the proxy was told of the metrics whose names begin so: those that are not zero, by the rest of their names.
fn told(host: &Recorder, prefix: &str) -> Vec<String> {
    let metrics = host.metrics.borrow();
    let told = metrics.iter().filter_map(|(name, _, value)| Some((name.strip_prefix(prefix)?, *value)));
    let mut told: Vec<_> =
        told.filter(|(_, value)| *value != 0).map(|(name, value)| format!("{name} {value}")).collect();
    told.sort();
    told
}

#[test]
fn what_becomes_of_a_request_is_counted_and_told_with_the_next_tick() {
    let (session, host) = (session(), Recorder::default());
    ask(&session, &host, 1, "/open", None);
    assert_eq!(host.timer.get(), Duration::ZERO, "what no rule covers asks nothing of the proxy");
    ask(&session, &host, 2, "/fast", Some("bob:secret"));
    ask(&session, &host, 3, "/fast", None);
    assert_eq!(host.timer.get(), REPORT);
    assert!(host.metrics.borrow().is_empty(), "nothing is told before the tick");
    session.on_tick(&host);
    assert_eq!(told(&host, "basic_auth.accepted"), [" 1"]);
    assert_eq!(told(&host, "basic_auth.passed"), [" 1"]);
    assert_eq!(told(&host, "basic_auth.refused."), ["missing 1"]);
    assert_eq!(host.timer.get(), Duration::ZERO, "there is nothing more to tell");
    ask(&session, &host, 4, "/slow", Some("alice:secret"));
    ask(&session, &host, 5, "/slow", Some("alice:wrong"));
    for _ in 0..100 {
        tick_until_asked(&session, &host);
    }
    assert_eq!(told(&host, "basic_auth.accepted"), [" 2"]);
    assert_eq!(told(&host, "basic_auth.refused."), ["missing 1", "wrong_password 1"]);
    assert_eq!(told(&host, "basic_auth.verifications"), [" 2"]);
    // What should have passed and could not is counted as what it got.
    let (session, host) = (forwarding_session(), Recorder::default());
    host.fails.set(Some("set"));
    ask(&session, &host, 6, "/fast", Some("bob:secret"));
    session.on_tick(&host);
    assert_eq!(told(&host, "basic_auth.refused."), ["not_configured 1"]);
    assert!(told(&host, "basic_auth.accepted").is_empty());
}

#[test]
fn requests_that_no_rule_covers_are_told_at_the_latest_by_the_thousand() {
    let (session, host) = (session(), Recorder::default());
    for number in 0..1_023 {
        ask(&session, &host, number, "/open", None);
    }
    assert_eq!(host.timer.get(), Duration::ZERO);
    ask(&session, &host, 1_023, "/open", None);
    assert_eq!(host.timer.get(), REPORT);
    session.on_tick(&host);
    assert_eq!(told(&host, "basic_auth.passed"), [" 1024"]);
}

#[test]
fn named_rules_have_counters_of_their_own_as_many_as_are_bounded() {
    let rule = |name: &str, path: &str| format!(r#"{{{name}"prefix": "{path}", "credentials": ["bob:secret"]}}"#);
    let mut rules = vec![rule("", "/unnamed/"), rule(r#""name": "trial", "dry_run": true, "#, "/trial/")];
    rules.extend((0..300).map(|number| rule(&format!(r#""name": "rule-{number}", "#), &format!("/{number}/"))));
    let session = session_of(&format!(r#"{{"basic_auth_rules": [{}]}}"#, rules.join(", ")));
    let host = Recorder::default();
    for (number, path) in (0..).zip(["/unnamed/", "/trial/", "/0/", "/0/", "/254/", "/255/", "/299/"]) {
        ask(&session, &host, number, path, None);
    }
    ask(&session, &host, 7, "/0/", Some("bob:secret"));
    session.on_tick(&host);
    assert_eq!(told(&host, "basic_auth.refused."), ["missing 6"]);
    let by_rule = [
        "rule-0.accepted 1",
        "rule-0.refused.missing 2",
        "rule-254.refused.missing 1",
        "trial.dry_run.missing 1",
        "trial.exempt.dry_run 1",
    ];
    assert_eq!(told(&host, "basic_auth.rule."), by_rule);
}

#[test]
fn gauges_are_told_and_taken_back() {
    let (session, host) = (session(), Recorder::default());
    session.start(&host);
    assert_eq!(host.timer.get(), REPORT);
    session.on_tick(&host);
    let gauges = || ["config.", "logins_", "queue_"].map(|name| told(&host, &format!("basic_auth.{name}")).join(", "));
    let [config, ..] = gauges();
    assert!(config.contains(".rules 2, ") && config.ends_with(".threads 1"), "{config}");
    for number in 1..=12 {
        ask(&session, &host, number, "/slow", Some(&format!("alice:guess-{number}")));
    }
    ask(&session, &host, 13, "/slow", Some("alice:secret"));
    host.now.set(host.now.get() + Duration::from_millis(200));
    session.on_tick(&host);
    let number = |told: &str| -> u32 { told.rsplit(' ').next().unwrap().parse().unwrap() };
    let queue = told(&host, "basic_auth.queue_");
    assert!((1..=12).contains(&number(&queue[0])) && (200..250).contains(&number(&queue[1])), "{queue:?}");
    for _ in 0..200 {
        host.now.set(host.now.get() + Duration::from_millis(4));
        session.on_tick(&host);
    }
    assert_eq!(gauges()[1..], ["remembered 1", ""]);
    session.close(&host);
    let [config, logins, queue] = gauges();
    assert!(!config.contains("threads") && logins.is_empty() && queue.is_empty(), "{config}; {logins}; {queue}");
    // Nothing is left to be taken back, and no timer of another session is touched.
    host.asked();
    session.close(&host);
    ask(&session, &host, 3, "/fast", None);
    assert_eq!(host.asked(), [MISSING]);
    assert_eq!(host.timer.get(), Duration::ZERO);
}

#[test]
fn a_refused_configuration_is_told_at_once() {
    let (session, host) = (Session::not_configured(), Recorder::default());
    session.config_refused(&host);
    assert_eq!(told(&host, ""), ["basic_auth.config_refused 1"]);
}

/// One line: there may be hundreds of metrics in thousands of ticks.
#[test]
fn a_proxy_without_metrics_is_logged_once_and_changes_nothing() {
    let (session, host) = (session(), Recorder::default());
    host.fails.set(Some("define"));
    logged();
    for number in 0..3 {
        assert_eq!(ask(&session, &host, number, "/fast", Some("bob:secret")), RequestState::Passed);
        session.on_tick(&host);
    }
    assert_eq!(logged(), ["basic_auth: define answered 2: the metrics of this worker are not complete"]);
}

#[test]
fn the_access_log_learns_user_rule_and_reason_where_it_is_asked_for() {
    let rules = r#""basic_auth_rules": [
        {"name": "api", "prefix": "/api/", "credentials": ["bob:secret"]},
        {"prefix": "/trial/", "dry_run": true, "credentials": ["bob:secret"]},
        {"prefix": "/slow/", "htpasswd": "alice:BCRYPT4"}]"#;
    let (session, host) = (session_of(&format!(r#"{{"filter_state": true, {rules}}}"#)), Recorder::default());
    let properties = |host: &Recorder| -> Vec<String> {
        let asked = host.asked();
        asked.iter().filter_map(|line| line.strip_prefix("property basic_auth.").map(str::to_owned)).collect()
    };
    for (number, (path, pair, expected)) in (0..).zip([
        ("/open", None, &[][..]),
        ("/api/", Some("bob:secret"), &["user=bob", "rule=api"]),
        ("/api/", Some("bob:wrong"), &["user=bob", "rule=api", "reason=wrong_password"]),
        // What stands in the user's place may be a password.
        ("/api/", Some("secret:bob"), &["user=-", "rule=api", "reason=unknown_user"]),
        ("/api/", None, &["rule=api", "reason=missing"]),
        ("/trial/", None, &["rule=1", "reason=dry_run.missing"]),
    ]) {
        ask(&session, &host, number, path, pair);
        assert_eq!(properties(&host), expected, "{path} {pair:?}");
    }
    assert_eq!(ask(&session, &host, 9, "/slow/", Some("alice:secret")), RequestState::Waiting);
    host.asked();
    assert_eq!(
        tick_until_asked(&session, &host)[..3],
        ["select 9", "property basic_auth.user=alice", "property basic_auth.rule=2"]
    );
    // It costs nothing where nobody asks.
    let session = session_of(&format!("{{{rules}}}"));
    ask(&session, &host, 10, "/api/", Some("bob:secret"));
    assert!(host.asked().is_empty());
}

#[test]
fn refusals_are_logged_for_debugging_and_a_wave_of_guesses_as_a_warning() {
    let (session, host) = (session().named("edge: ".to_owned()), Recorder::default());
    logged();
    ask(&session, &host, 1, "/fast", None);
    ask(&session, &host, 2, "/fast", Some("bob:secret"));
    ask(&session, &host, 3, "/fast", Some("bob:guess"));
    let client = "client 127.0.0.1:50000";
    assert_eq!(
        logged(),
        [
            format!("basic_auth: edge: refused: missing, rule 1, {client}"),
            format!("basic_auth: edge: refused: wrong_password, rule 1, user \"bob\", {client}"),
        ]
    );
    log::set_max_level(log::LevelFilter::Info);
    for number in 0..100 {
        ask(&session, &host, number, "/fast", Some("bob:guess"));
    }
    for _ in 0..12 {
        session.on_tick(&host);
        assert!(host.timer.get() == REPORT || host.timer.get() == Duration::ZERO);
        host.now.set(host.now.get() + Duration::from_secs(1));
    }
    assert_eq!(
        LOGGED.take(),
        ["basic_auth: edge: client 127.0.0.1 sent 81 wrong logins within 10 s, the last for user \"bob\""]
    );
    assert_eq!(host.timer.get(), Duration::ZERO);
}

const FETCHED: &str = r#"{"basic_auth_rules": [
    {"prefix": "/fetched", "htpasswd_fetch": {"cluster": "users", "path": "/list", "authority": "users.test"}},
    {"prefix": "/both", "credentials": ["bob:secret"], "htpasswd_fetch": {"cluster": "users", "path": "/list", "authority": "users.test"}},
    {"prefix": "/trial", "dry_run": true, "htpasswd_fetch": {"cluster": "users", "path": "/list", "authority": "users.test"}},
    {"prefix": "/fast", "credentials": ["bob:secret"]}
]}"#;

const NO_USERS: &str = "respond 503 retry-after: 1 (basic_auth_no_users)";

/// A session whose list was asked for, and its host.
fn fetching(configuration: &str) -> (Session, Recorder) {
    let (session, host) = (session_of(configuration), Recorder::default());
    session.start(&host);
    assert_eq!(host.asked(), ["timer 4 ms"]);
    session.on_tick(&host);
    assert_eq!(host.asked(), ["fetch users.test/list", "timer 250 ms"], "equal lists are one");
    (session, host)
}

fn answer(session: &Session, host: &Recorder, text: &str) {
    let headers = header_map::serialize(&[(":status", b"200"), ("etag", b"1")]);
    session.on_fetched(host, host.fetches.get(), &headers, text.as_bytes().to_vec());
}

/// Lets half a minute pass, in which the list is asked for again.
fn ask_again(session: &Session, host: &Recorder) {
    host.now.set(host.now.get() + Duration::from_secs(30));
    session.on_tick(host);
    assert!(host.asked().contains(&"fetch users.test/list unless 1".to_owned()));
}

#[test]
fn until_a_list_is_there_its_rules_refuse_and_others_work() {
    let (session, host) = fetching(FETCHED);
    for (path, pair, state, told) in [
        ("/fetched", Some("alice:secret"), RequestState::Answered, &[NO_USERS][..]),
        ("/fetched", None, RequestState::Answered, &[MISSING]),
        ("/both", Some("bob:secret"), RequestState::Passed, &[]),
        ("/both", Some("alice:secret"), RequestState::Answered, &[NO_USERS]),
        ("/trial", Some("alice:secret"), RequestState::Passed, &[]),
        ("/fast", Some("bob:secret"), RequestState::Passed, &[]),
        ("/open", None, RequestState::Passed, &[]),
    ] {
        assert_eq!(ask(&session, &host, 1, path, pair), state, "{path} {pair:?}");
        assert_eq!(host.asked(), told, "{path} {pair:?}");
    }
    logged();
    session.on_fetched(&host, host.fetches.get(), &header_map::serialize(&[(":status", b"500")]), Vec::new());
    let place = "basic_auth_rules[0].htpasswd_fetch";
    let refuse = "until they come, its rules refuse";
    assert_eq!(
        logged(),
        [format!("basic_auth: {place}: no users were fetched: the answer is 500 and not 200; {refuse}")]
    );
    // It is asked for again after a second.
    host.now.set(host.now.get() + Duration::from_secs(1));
    session.on_tick(&host);
    assert_eq!(host.asked(), ["fetch users.test/list"]);
    answer(&session, &host, &format!("alice:{BCRYPT4}"));
    assert_eq!(logged(), [format!("basic_auth: {place}: fetched 1 credentials")]);
    assert_eq!(ask(&session, &host, 2, "/fetched", Some("alice:secret")), RequestState::Waiting);
    tick_until_asked(&session, &host);
    assert_eq!(host.metric("basic_auth.fetch.failure"), Some(1));
}

#[test]
fn a_list_that_changes_is_in_force_from_then_on() {
    let (session, host) = fetching(FETCHED);
    answer(&session, &host, &format!("alice:{BCRYPT4}\nbob:{BCRYPT4}"));
    let log_in = |number, pair| {
        let state = ask(&session, &host, number, "/fetched", Some(pair));
        if state != RequestState::Waiting {
            return (state, false);
        }
        for _ in 0..1_000 {
            host.now.set(host.now.get() + Duration::from_millis(4));
            session.on_tick(&host);
            if session.state(number) != RequestState::Waiting {
                return (session.state(number), true);
            }
        }
        panic!("waits for ever")
    };
    assert_eq!(log_in(1, "alice:secret"), (RequestState::Passed, true));
    assert_eq!(log_in(2, "bob:secret"), (RequestState::Passed, true));
    assert_eq!(log_in(3, "alice:secret"), (RequestState::Passed, false));
    host.asked();
    ask_again(&session, &host);
    answer(&session, &host, &format!("bob:{BCRYPT4}"));
    assert_eq!(log_in(4, "alice:secret"), (RequestState::Answered, true), "her line is gone");
    assert_eq!(log_in(5, "bob:secret").0, RequestState::Passed);
    // What is no list changes nothing.
    host.asked();
    ask_again(&session, &host);
    answer(&session, &host, "<html>");
    assert_eq!(log_in(6, "bob:secret").0, RequestState::Passed);
}

/// Envoy hands an answer over while nothing else is handled. Another proxy may do it within a call, where the users cannot
/// be changed: then they are asked for again, and not as what is known already.
#[test]
fn users_that_cannot_be_put_into_force_are_asked_for_again() {
    let session = session_of(FETCHED);
    let back = |host: &CallsBack<'_>, _| {
        let headers = header_map::serialize(&[(":status", b"200"), ("etag", b"2")]);
        let text = format!("bob:{BCRYPT4}");
        session.on_fetched(host, host.0.fetches.get(), &headers, text.into_bytes());
    };
    let host = CallsBack(Recorder::default(), &back);
    session.start(&host);
    session.on_tick(&host);
    answer(&session, &host.0, &format!("alice:{BCRYPT4}"));
    ask_again(&session, &host.0);
    let headers = header_map::serialize(&[(":method", b"GET"), (":path", b"/fast"), (":authority", b"test")]);
    session.on_request(&host, 1, &headers, false);
    host.0.asked();
    host.0.now.set(host.0.now.get() + Duration::from_secs(1));
    session.on_tick(&host.0);
    assert!(host.0.asked().contains(&"fetch users.test/list".to_owned()));
    answer(&session, &host.0, &format!("bob:{BCRYPT4}"));
    assert_eq!(ask(&session, &host.0, 2, "/fetched", Some("bob:secret")), RequestState::Waiting);
}

/// A verification takes a while, and the line that it is of may go meanwhile.
#[test]
fn who_was_right_when_he_came_is_not_let_in_by_a_line_that_is_gone() {
    let (session, host) = fetching(&FETCHED.replacen('{', r#"{"hash_budget_ms_per_second": 1, "#, 1));
    answer(&session, &host, &format!("alice:{BCRYPT5}"));
    host.asked();
    ask_again(&session, &host);
    assert_eq!(ask(&session, &host, 1, "/fetched", Some("alice:secret")), RequestState::Waiting);
    // Its hash is begun: a slice of it was worked on.
    host.now.set(host.now.get() + Duration::from_millis(4));
    session.on_tick(&host);
    assert_eq!(session.state(1), RequestState::Waiting);
    host.asked();
    answer(&session, &host, &format!("alice:{BCRYPT4}"));
    assert!(tick_until_asked(&session, &host).contains(&WRONG.to_owned()));
    assert_eq!(session.state(1), RequestState::Answered);
}
