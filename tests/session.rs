//! The life of requests as a transcript: what a session asks of its host, call by call.

#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, missing_docs, reason = "tests panic when they fail")]

#[path = "../src/test_support/hashes.rs"]
mod hashes;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use basic_auth::{Config, Event, Host, HostError, Policy, RequestState, Response, Session, header_map};
use hashes::BCRYPT4;

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

/// A host that writes down what it is asked, on a clock that a test moves.
#[derive(Default)]
struct Recorder {
    transcript: RefCell<Vec<String>>,
    now: Cell<Duration>,
    counted: RefCell<Vec<String>>,
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

    /// What was asked since the last time.
    fn asked(&self) -> Vec<String> {
        self.transcript.take()
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

    fn count(&self, event: Event) {
        self.counted.borrow_mut().push(event.name());
    }

    fn remove_header(&self, name: &[u8]) -> Result<(), HostError> {
        self.call("remove", format!("remove {}", name.escape_ascii()))
    }

    fn set_header(&self, name: &[u8], value: &[u8]) -> Result<(), HostError> {
        self.call("set", format!("set {}: {}", name.escape_ascii(), value.escape_ascii()))
    }
}

fn session() -> Session {
    session_of(CONFIGURATION)
}

fn session_of(configuration: &str) -> Session {
    let text = configuration.replace("BCRYPT4", BCRYPT4);
    Session::new(Policy::new(Config::parse(text.as_bytes()).unwrap()), &[7; 32], Duration::ZERO)
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
    assert_eq!(host.asked(), ["respond 503 (basic_auth_not_configured)", "respond 503 (basic_auth_not_configured)"]);
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
    // Nobody is left, and closing again tells nobody twice; the timer is turned off whoever waits.
    session.close(&host);
    assert_eq!(host.asked(), ["timer 0 ms"]);
}

/// Within `resume` Envoy hands over the body of a request that waited, and ends one within `respond`.
#[test]
fn the_proxy_may_call_back_while_it_is_called() {
    struct CallsBack<'s>(&'s Session, Recorder, RefCell<Vec<RequestState>>);
    impl Host for CallsBack<'_> {
        fn now(&self) -> Duration {
            self.1.now()
        }
        fn source_address(&self) -> Option<Vec<u8>> {
            self.1.source_address()
        }
        fn set_tick_period(&self, period: Duration) -> Result<(), HostError> {
            self.1.set_tick_period(period)
        }
        fn select(&self, request: u32) -> Result<(), HostError> {
            self.1.select(request)
        }
        fn resume(&self) -> Result<(), HostError> {
            self.2.borrow_mut().push(self.0.state(1));
            self.1.resume()
        }
        fn respond(&self, response: &Response<'_>) -> Result<(), HostError> {
            self.2.borrow_mut().push(self.0.state(2));
            self.0.on_end(2);
            self.1.respond(response)
        }
        fn count(&self, event: Event) {
            self.1.count(event);
        }
        fn remove_header(&self, name: &[u8]) -> Result<(), HostError> {
            self.1.remove_header(name)
        }
        fn set_header(&self, name: &[u8], value: &[u8]) -> Result<(), HostError> {
            self.1.set_header(name, value)
        }
    }
    let session = session();
    let host = CallsBack(&session, Recorder::default(), RefCell::default());
    ask(&session, &host.1, 1, "/slow", Some("alice:secret"));
    ask(&session, &host.1, 2, "/slow", Some("alice:wrong"));
    for _ in 0..100 {
        host.1.now.set(host.1.now.get() + Duration::from_millis(4));
        session.on_tick(&host);
    }
    assert_eq!(host.2.take(), [RequestState::Passed, RequestState::Answered]);
    assert!(host.1.asked().ends_with(&["timer 0 ms".to_owned()]));
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

#[test]
fn what_becomes_of_a_covered_request_is_counted_once() {
    let (session, host) = (session(), Recorder::default());
    ask(&session, &host, 1, "/open", None);
    assert!(host.counted.take().is_empty(), "no rule covers it");
    ask(&session, &host, 2, "/fast", Some("bob:secret"));
    ask(&session, &host, 3, "/fast", None);
    assert_eq!(host.counted.take(), ["basic_auth.accepted", "basic_auth.refused.missing"]);
    ask(&session, &host, 4, "/slow", Some("alice:secret"));
    ask(&session, &host, 5, "/slow", Some("alice:wrong"));
    assert!(host.counted.take().is_empty(), "they still wait");
    for _ in 0..100 {
        tick_until_asked(&session, &host);
    }
    assert_eq!(host.counted.take(), ["basic_auth.accepted", "basic_auth.refused.wrong_password"]);
    // What should have passed and could not is counted as what it got.
    let session = forwarding_session();
    host.fails.set(Some("set"));
    ask(&session, &host, 6, "/fast", Some("bob:secret"));
    assert_eq!(host.counted.take(), ["basic_auth.refused.not_configured"]);
    let session = session_of(&CONFIGURATION.replacen('{', r#"{"dry_run": true, "#, 1));
    ask(&session, &host, 7, "/fast", None);
    assert_eq!(host.counted.take(), ["basic_auth.exempt.dry_run", "basic_auth.dry_run.missing"]);
}
