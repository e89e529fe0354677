//! Logins under the throttle of a policy: who waits, who is locked, who is told to come again.

#![allow(clippy::panic, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::memory::Memory;
use super::shared::tests::Store;
use super::{Outcome, Throttle};
use crate::config::Config;
use crate::decision::{Decision, Reason};
use crate::policy::Policy;
use crate::request::{HeaderLines, Request};
use crate::test_support::hashes::{APR1, BCRYPT4, OTHER_BCRYPT4, SHA};
use crate::test_support::policy;

/// A throttle and its clock.
struct Worker {
    policy: Policy,
    throttle: Throttle,
    now: Duration,
    requests: u32,
}

impl Worker {
    fn new(configuration: &str) -> Self {
        Self::beside(&Store::default(), configuration)
    }

    /// A worker of the process that has this store.
    fn beside(store: &Store, configuration: &str) -> Self {
        let policy = policy(configuration);
        let throttle = Throttle::new(&policy, &[7; 32], Box::new(store.clone()), Duration::ZERO);
        Self { policy, throttle, now: Duration::ZERO, requests: 0 }
    }

    /// What a login from a client comes to, if it does not have to wait.
    fn login(&mut self, from: u32, path: &str, pair: &str) -> Option<String> {
        self.login_of(|| address(from), path, pair)
    }

    fn login_of(&mut self, mut source: impl FnMut() -> IpAddr, path: &str, pair: &str) -> Option<String> {
        let value = format!("Basic {}", BASE64_STANDARD.encode(pair));
        let request = Request {
            method: b"GET",
            path: Some(path.as_bytes()),
            authority: Some(b"test"),
            credential: HeaderLines::One(value.as_bytes()),
            ..Request::default()
        };
        self.requests += 1;
        match self.throttle.decide(&self.policy, &request, self.requests, &mut || Some(source()), &mut || self.now) {
            Outcome::Decided(decision) => Some(shown(&decision)),
            Outcome::Waiting => None,
        }
    }

    /// Does one step, so that the first hash is begun and not ended.
    fn begin(&mut self) {
        self.now += Duration::from_millis(4);
        let now = &mut self.now;
        let mut clock = || {
            *now += Duration::from_millis(2);
            *now
        };
        assert!(self.throttle.work(&self.policy, &mut clock).is_empty());
    }

    /// The decisions about those who wait, in their order.
    fn drain(&mut self) -> Vec<String> {
        let mut decisions = Vec::new();
        while !self.throttle.is_idle() {
            assert!(self.now < Duration::from_mins(10), "never done");
            self.now += Duration::from_millis(4);
            let decided = self.throttle.work(&self.policy, &mut || self.now);
            decisions.extend(decided.iter().map(|(_, decision)| shown(decision)));
        }
        decisions
    }
}

fn address(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(number).into()
}

fn shown(decision: &Decision<'_>) -> String {
    match decision {
        Decision::Accepted { .. } => "accepted".into(),
        Decision::Refused { reason, .. } => reason.to_string(),
        Decision::Throttled { reason, retry_after, .. } => {
            assert!((1..=300).contains(retry_after));
            assert!([Reason::Busy, Reason::Locked].contains(reason));
            reason.to_string()
        }
        other => other.to_string(),
    }
}

#[test]
fn cheap_logins_that_wait_together_are_not_tried_beyond_the_lock() {
    let mut worker = Worker::new(&format!(
        r#"{{"lockout": {{"failures": 3, "window_seconds": 60, "lock_seconds": 60}}, "basic_auth_rules": [
            {{"prefix": "/slow", "htpasswd": "alice:{BCRYPT4}"}}, {{"prefix": "/cheap", "htpasswd": "alice:{APR1}"}}]}}"#
    ));
    // Somebody else's login makes the others wait, and all of them fit into one slice.
    assert_eq!(worker.login(2, "/slow", "bob:wrong"), None);
    for guess in 0..9 {
        assert_eq!(worker.login(1, "/cheap", &format!("alice:{guess}")), None);
    }
    assert_eq!(worker.login(1, "/cheap", "alice:secret"), None);
    let mut decisions = worker.drain();
    decisions.sort();
    assert_eq!(decisions[..7], ["locked"; 7]);
    assert_eq!(decisions[7..], ["unknown_user", "wrong_password", "wrong_password", "wrong_password"]);
}

#[test]
fn who_was_told_to_come_again_learns_nothing_before() {
    let mut worker = Worker::new(&format!(
        r#"{{"hash_budget_ms_per_second": 1, "basic_auth_rules": [
            {{"prefix": "/", "htpasswd": "alice:{BCRYPT4}", "credentials": ["plain:secret"]}}]}}"#
    ));
    assert_eq!(worker.login(2, "/", "alice:secret"), None);
    assert_eq!(worker.drain(), ["accepted"]);
    // A client makes the queue full, so that a wrong password costs it nothing any more.
    while worker.login(1, "/", &format!("filler-{}:x", worker.requests)).is_none() {
        assert!(worker.requests < 1_000, "never full");
    }
    for user in ["alice", "plain", "nobody"] {
        assert_eq!(worker.login(1, "/", &format!("{user}:guess")).unwrap(), "busy");
        assert_eq!(worker.login(1, "/", &format!("{user}:secret")).unwrap(), "busy", "{user}");
    }
    assert_eq!(worker.login(1, "/", "alice:secret").unwrap(), "busy", "the first as well as the last");
    // Others are not concerned, and after the time it was told it may try again.
    assert_eq!(worker.login(2, "/", "alice:secret").unwrap(), "accepted");
    worker.now += Duration::from_secs(1);
    assert_eq!(worker.login(1, "/", "alice:secret").unwrap(), "accepted");
    assert_eq!(worker.login(1, "/", "nobody:secret").unwrap(), "busy");
}

#[test]
fn a_verified_pair_counts_wherever_its_list_does_and_nowhere_else() {
    let mut worker = Worker::new(&format!(
        r#"{{"basic_auth_rules": [{{"prefix": "/one", "htpasswd": "alice:{BCRYPT4}"}}, {{"prefix": "/other", "htpasswd": "alice:{OTHER_BCRYPT4}"}},
            {{"prefix": "/same", "htpasswd": "alice:{BCRYPT4}"}}, {{"prefix": "/plain", "credentials": ["ok:test"]}}]}}"#
    ));
    assert_eq!(worker.login(1, "/one", "alice:secret"), None);
    assert_eq!(worker.drain(), ["accepted"]);
    assert_eq!(worker.login(1, "/same", "alice:secret").unwrap(), "accepted");
    assert_eq!(worker.login(1, "/plain", "alice:secret").unwrap(), "unknown_user");
}

#[test]
fn the_budget_is_that_of_the_configuration() {
    // 0.9 ms of work each: three seconds of a budget of 1 ms have room for three and the next, else a client's bound
    // counts.
    for (budget, waiting) in [(1, 4), (1_000, 16)] {
        let mut worker = Worker::new(&format!(
            r#"{{"hash_budget_ms_per_second": {budget}, "basic_auth_rules": [{{"prefix": "/", "htpasswd": "alice:{BCRYPT4}"}}]}}"#
        ));
        let let_in = (0..100).take_while(|guess| worker.login(1, "/", &format!("alice:{guess}")).is_none()).count();
        assert_eq!(let_in, waiting);
    }
}

#[test]
fn hashing_takes_no_more_than_the_budget() {
    let mut worker = Worker::new(&format!(
        r#"{{"hash_budget_ms_per_second": 50, "basic_auth_rules": [{{"prefix": "/", "htpasswd": "alice:{BCRYPT4}"}}]}}"#
    ));
    for client in 0..150 {
        assert_eq!(worker.login(client, "/", "alice:guess"), None);
    }
    let mut decided = 0;
    while !worker.throttle.is_idle() {
        worker.now += Duration::from_millis(4);
        let now = &mut worker.now;
        // Between two looks at the clock there is a quarter of a millisecond of work.
        let mut clock = || {
            *now += Duration::from_micros(250);
            *now
        };
        decided += worker.throttle.work(&worker.policy, &mut clock).len();
    }
    assert_eq!(decided, 150);
    // 138 ms of work, and what the looks at the clock take.
    let took = worker.now;
    assert!((Duration::from_secs(2)..Duration::from_secs(8)).contains(&took), "{took:?}");
}

#[test]
fn a_failure_counts_once() {
    for hash in [BCRYPT4, APR1] {
        let mut worker = Worker::new(&format!(
            r#"{{"lockout": {{"failures": 3, "window_seconds": 60, "lock_seconds": 60}},
                "basic_auth_rules": [{{"prefix": "/", "htpasswd": "alice:{hash}"}}]}}"#
        ));
        let mut login = |pair| worker.login(1, "/", pair).unwrap_or_else(|| worker.drain().remove(0));
        assert_eq!([login("alice:one"), login("alice:two")], ["wrong_password"; 2]);
        assert_eq!(login("alice:secret"), "accepted");
        assert_eq!([login("alice:one"), login("alice:two")], ["wrong_password"; 2], "success forgets");
        assert_eq!([login("alice:three"), login("alice:secret")], ["wrong_password", "locked"]);
    }
}

/// A configuration that locks for long after three failures.
fn strict_text(rules: &str) -> String {
    format!(
        r#"{{"lockout": {{"failures": 3, "window_seconds": 300, "lock_seconds": 300}}, "basic_auth_rules": [{rules}]}}"#
    )
}

/// A worker that locks for long after three failures.
fn strict(rules: &str) -> Worker {
    Worker::new(&strict_text(rules))
}

impl Worker {
    /// What a login from one client comes to, at once or later.
    fn answer(&mut self, path: &str, pair: &str) -> String {
        self.login(1, path, pair).unwrap_or_else(|| self.drain().remove(0))
    }
}

const WRONG: &str = "wrong_password";

/// A guesser with a right login of the same name under another list could guess without end.
#[test]
fn a_right_login_under_one_list_resets_nothing_for_another() {
    for rules in [
        r#"{"prefix": "/mine", "credentials": ["alice:mine"]}, {"prefix": "/theirs", "credentials": ["alice:theirs"]}"#
            .to_owned(),
        format!(
            r#"{{"prefix": "/mine", "credentials": ["alice:mine"]}}, {{"prefix": "/theirs", "htpasswd": "alice:{BCRYPT4}"}}"#
        ),
        // Both lists in one rule: it is the own one that accepts.
        format!(
            r#"{{"prefix": "/mine", "credentials": ["alice:mine"], "htpasswd": "alice:{BCRYPT4}"}},
               {{"prefix": "/theirs", "htpasswd": "alice:{BCRYPT4}"}}"#
        ),
        format!(
            r#"{{"prefix": "/mine", "htpasswd": "alice:{OTHER_BCRYPT4}"}}, {{"prefix": "/theirs", "htpasswd": "alice:{BCRYPT4}"}}"#
        ),
    ] {
        let mut worker = strict(&rules);
        let mine = if rules.contains(OTHER_BCRYPT4) { "alice:other" } else { "alice:mine" };
        for guess in ["1", "2"] {
            assert_eq!(worker.answer("/theirs", &format!("alice:{guess}")), WRONG, "{rules}");
            assert_eq!(worker.answer("/mine", mine), "accepted", "{rules}");
        }
        assert_eq!(worker.answer("/theirs", "alice:3"), WRONG, "{rules}");
        assert_eq!(worker.answer("/theirs", "alice:4"), "locked", "{rules}");
        assert_eq!(worker.answer("/theirs", "alice:theirs"), "locked", "{rules}");
    }
}

#[test]
fn a_list_is_locked_wherever_it_is_asked_and_no_other_is() {
    let mut worker = strict(&format!(
        r#"{{"prefix": "/one/", "htpasswd": "alice:{BCRYPT4}"}}, {{"prefix": "/other/", "htpasswd": "alice:{OTHER_BCRYPT4}"}},
           {{"prefix": "/more/", "htpasswd": "alice:{BCRYPT4}", "credentials": ["bob:builder"]}},
           {{"prefix": "/both/", "htpasswd": "alice:{OTHER_BCRYPT4}"}}, {{"prefix": "/both/", "htpasswd": "alice:{BCRYPT4}"}}"#
    ));
    for guess in ["1", "2", "3"] {
        assert_eq!(worker.answer("/one/", &format!("alice:{guess}")), WRONG);
    }
    for (path, pair, answer) in [
        ("/one/", "alice:secret", "locked"),
        ("/more/", "alice:secret", "locked"),
        ("/both/", "alice:other", "locked"),
        ("/other/", "alice:other", "accepted"),
        ("/more/", "bob:builder", "accepted"),
    ] {
        assert_eq!(worker.answer(path, pair), answer, "{path} {pair}");
    }
}

#[test]
fn a_right_login_forgets_the_failures_of_lists_that_do_not_know_the_user() {
    let mut worker =
        strict(&format!(r#"{{"prefix": "/", "credentials": ["bob:builder"], "htpasswd": "alice:{BCRYPT4}"}}"#));
    for _ in 0..3 {
        for (wrong, right) in [("alice:1", "alice:secret"), ("bob:1", "bob:builder")] {
            assert_eq!([worker.answer("/", wrong), worker.answer("/", wrong)], [WRONG; 2]);
            assert_eq!(worker.answer("/", right), "accepted");
        }
    }
}

/// Where two texts of one rule know a user, neither is known to have accepted.
#[test]
fn a_list_that_may_not_have_accepted_keeps_its_count() {
    let environment = |_: &str| Some(format!("alice:{OTHER_BCRYPT4}"));
    let text = strict_text(&format!(r#"{{"prefix": "/", "htpasswd": "alice:{BCRYPT4}", "htpasswd_env": "USERS"}}"#));
    let policy = Policy::new(Config::parse_with(text.as_bytes(), &environment).ok().unwrap());
    let throttle = Throttle::new(&policy, &[7; 32], Box::new(Store::default()), Duration::ZERO);
    let mut worker = Worker { policy, throttle, now: Duration::ZERO, requests: 0 };
    assert_eq!([worker.answer("/", "alice:1"), worker.answer("/", "alice:2")], [WRONG; 2]);
    assert_eq!([worker.answer("/", "alice:secret"), worker.answer("/", "alice:other")], ["accepted"; 2]);
    assert_eq!([worker.answer("/", "alice:3"), worker.answer("/", "alice:secret")], [WRONG, "locked"]);
}

/// The lock of a name must not tell whether a list knows it.
#[test]
fn names_are_locked_alike_whether_a_list_knows_them_or_not() {
    let mut worker = strict(&format!(
        r#"{{"prefix": "/both", "credentials": ["bob:builder"], "htpasswd": "alice:{BCRYPT4}"}},
           {{"prefix": "/one", "htpasswd": "alice:{BCRYPT4}"}}"#
    ));
    for name in ["alice", "bob", "nobody"] {
        for guess in ["1", "2", "3"] {
            assert_ne!(worker.answer("/both", &format!("{name}:{guess}")), "locked");
        }
        assert_eq!(
            [worker.answer("/both", &format!("{name}:4")), worker.answer("/one", &format!("{name}:5"))],
            ["locked"; 2],
            "{name}"
        );
    }
}

/// Rules that cover `/one/`, `/other/` and, both of them, `/both/`.
fn two_lists() -> String {
    format!(
        r#"{{"prefix": "/one/", "htpasswd": "alice:{BCRYPT4}"}}, {{"prefix": "/same/", "htpasswd": "alice:{BCRYPT4}"}},
           {{"prefix": "/other/", "htpasswd": "alice:{OTHER_BCRYPT4}"}}, {{"prefix": "/both/", "htpasswd": "alice:{BCRYPT4}"}},
           {{"prefix": "/both/", "htpasswd": "alice:{OTHER_BCRYPT4}\nalice:{BCRYPT4}"}}"#
    )
}

#[test]
fn equal_logins_of_a_client_share_one_verification() {
    let mut worker = strict(&two_lists());
    for number in 0..60 {
        let path = ["/one/", "/same/"][number % 2];
        assert_eq!(worker.login(1, path, "alice:secret"), None);
    }
    assert_eq!(worker.throttle.queue.len(), 1);
    // Another client's is its own, and so is another pair, and another list.
    assert_eq!(worker.login(2, "/one/", "alice:secret"), None);
    assert_eq!(worker.login(1, "/one/", "alice:secret2"), None);
    assert_eq!(worker.login(1, "/other/", "alice:secret"), None);
    assert_eq!(worker.throttle.queue.len(), 4);
    let mut decisions = worker.drain();
    decisions.sort();
    assert_eq!(decisions.len(), 63);
    assert!(decisions[..61].iter().all(|decision| decision == "accepted"));
    assert_eq!(decisions[61..], [WRONG, WRONG]);
}

#[test]
fn equal_logins_go_on_together_from_rule_to_rule() {
    let mut worker = strict(&two_lists());
    for _ in 0..60 {
        assert_eq!(worker.login(1, "/both/", "alice:secret"), None);
    }
    assert_eq!(worker.drain(), ["accepted"; 60]);
    for _ in 0..60 {
        assert_eq!(worker.login(1, "/both/", "alice:wrong"), None);
    }
    assert_eq!(worker.drain(), [WRONG; 60]);
}

#[test]
fn equal_guesses_are_one_failure() {
    let mut worker = strict(&two_lists());
    for _ in 0..60 {
        assert_eq!(worker.login(1, "/one/", "alice:wrong"), None);
    }
    assert_eq!(worker.drain(), [WRONG; 60]);
    assert_eq!([worker.answer("/one/", "alice:2"), worker.answer("/one/", "alice:3")], [WRONG; 2]);
    assert_eq!(worker.answer("/one/", "alice:secret"), "locked");
}

#[test]
fn logins_whose_locks_differ_share_nothing() {
    let mut worker = strict(&two_lists());
    assert_eq!(worker.login(1, "/one/", "alice:secret"), None);
    assert_eq!(worker.login(1, "/both/", "alice:secret"), None);
    assert_eq!(worker.throttle.queue.len(), 2);
    assert_eq!(worker.drain(), ["accepted"; 2]);
}

#[test]
fn a_verification_is_shared_by_so_many_at_most() {
    let mut worker = strict(&two_lists());
    let waiting = (0..1_000).take_while(|_| worker.login(1, "/one/", "alice:secret").is_none()).count();
    assert_eq!(waiting, 256);
    assert_eq!(worker.login(2, "/one/", "alice:secret"), None, "another client has its own");
    assert_eq!(worker.drain(), ["accepted"; 257]);
}

#[test]
fn who_shares_may_go_first_and_last() {
    let mut worker = strict(&two_lists());
    for gone in [&[1, 2, 3][..], &[2], &[3, 1], &[1, 2]] {
        worker.requests = 0;
        worker.throttle.memory = Memory::new(&[7; 32], None);
        for _ in 0..3 {
            assert_eq!(worker.login(1, "/one/", "alice:secret"), None);
        }
        for number in gone {
            worker.throttle.forget(*number);
        }
        assert_eq!(worker.throttle.is_idle(), gone.len() == 3);
        assert_eq!(worker.drain().len(), 3 - gone.len(), "{gone:?}");
    }
    worker.throttle.memory = Memory::new(&[7; 32], None);
    for _ in 0..3 {
        assert_eq!(worker.login(1, "/one/", "alice:secret"), None);
    }
    assert_eq!(worker.throttle.forget_all(), [4, 5, 6]);
    assert!(worker.throttle.is_idle());
}

#[test]
fn whoever_waits_with_a_pair_is_answered_when_it_is_verified() {
    let mut worker = Worker::new(&format!(
        r#"{{"hash_budget_ms_per_second": 1, "basic_auth_rules": [{{"prefix": "/", "htpasswd": "alice:{BCRYPT4}"}}]}}"#
    ));
    for number in 1..=4 {
        let pair = if [1, 4].contains(&number) { "alice:secret" } else { "alice:wrong" };
        assert_eq!(worker.login(number, "/", pair), None);
    }
    let mut decisions = Vec::new();
    while decisions.is_empty() {
        worker.now += Duration::from_millis(4);
        let now = &mut worker.now;
        // A slice ends with its first step.
        let mut clock = || {
            *now += Duration::from_millis(2);
            *now
        };
        let decided = worker.throttle.work(&worker.policy, &mut clock);
        decisions.extend(decided.iter().map(|(number, decision)| (*number, shown(decision))));
    }
    assert_eq!(decisions, [(1, "accepted".to_owned()), (4, "accepted".to_owned())]);
    assert!(!worker.throttle.is_idle(), "two others wait before the fourth");
}

/// One client must not make a worker hold megabytes with one pair that it presents over and over.
#[test]
fn logins_that_share_a_verification_hold_bounded_memory() {
    let mut worker = Worker::new(&format!(
        r#"{{"hash_budget_ms_per_second": 1, "basic_auth_rules": [{{"prefix": "/", "htpasswd": "alice:{BCRYPT4}"}}]}}"#
    ));
    let waiting = |worker: &mut Worker, pair: &str| {
        let waits = |worker: &mut Worker| worker.login(1, "/", pair).is_none();
        (0..300).take_while(|_| waits(worker)).count()
    };
    assert_eq!(waiting(&mut worker, "alice:usual"), 256);
    let long = format!("alice:{}", "x".repeat(32_000));
    // By then the client is no longer told to come again.
    worker.drain();
    worker.now += Duration::from_mins(1);
    let few = waiting(&mut worker, &long);
    assert!((1..=8).contains(&few), "{few} logins of 32 kB");
}

#[test]
fn a_remembered_pair_passes_whatever_its_client_did_before() {
    let mut worker = Worker::new(&format!(
        r#"{{"hash_budget_ms_per_second": 1, "basic_auth_rules": [{{"prefix": "/", "htpasswd": "alice:{BCRYPT4}"}}]}}"#
    ));
    assert_eq!(worker.answer("/", "alice:secret"), "accepted");
    assert_eq!(worker.login(3, "/", "alice:secret").unwrap(), "accepted", "and another client's own");
    let mut statuses = Vec::new();
    for number in 0..40 {
        statuses.extend(worker.login(1, "/", &format!("alice:{number}")));
        assert_eq!(worker.login(1, "/", "alice:secret").unwrap(), "accepted");
    }
    assert!(statuses.len() > 20 && statuses.iter().all(|status| status == "busy"), "{statuses:?}");
    // Also a client that was accepted only once, after it had waited.
    worker.drain();
    worker.throttle.memory = Memory::new(&[7; 32], None);
    assert_eq!(worker.login(4, "/", "alice:secret"), None);
    assert!(worker.drain().contains(&"accepted".to_owned()));
    while worker.login(4, "/", &format!("alice:{}", worker.requests)).is_none() {}
    assert_eq!(worker.login(4, "/", "alice:secret").unwrap(), "accepted");
    // A client that was not accepted with it before could be guessing, while it is told to stay away.
    for client in [2, 3] {
        while worker.login(client, "/", &format!("alice:{}", worker.requests)).is_none() {}
    }
    assert_eq!(worker.login(2, "/", "alice:secret").unwrap(), "busy");
    assert_eq!(worker.login(3, "/", "alice:secret").unwrap(), "accepted");
}

#[test]
fn a_right_pair_that_may_not_pass_counts_once() {
    let mut worker = strict(&format!(
        r#"{{"prefix": "/", "htpasswd": "alice:{BCRYPT4}", "credentials": ["bob:b"], "allow_users": ["bob"]}}"#
    ));
    for _ in 0..3 {
        assert_eq!(worker.answer("/", "alice:secret"), "not_allowed");
    }
    assert_eq!(worker.answer("/", "alice:secret"), "locked");
}

#[test]
fn a_pause_holds_for_no_rule_on_trial() {
    let mut worker = Worker::new(&format!(
        r#"{{"hash_budget_ms_per_second": 1, "basic_auth_rules": [
            {{"prefix": "/slow", "htpasswd": "alice:{BCRYPT4}"}},
            {{"prefix": "/trial", "credentials": ["alice:secret"], "dry_run": true}}]}}"#
    ));
    while worker.login(1, "/slow", &format!("alice:{}", worker.requests)).is_none() {}
    assert_eq!(worker.login(1, "/slow", "alice:secret").unwrap(), "busy");
    assert_eq!(worker.login(1, "/trial", "alice:secret").unwrap(), "accepted");
}

#[test]
fn who_is_gone_is_not_decided_about() {
    let mut worker =
        Worker::new(&format!(r#"{{"basic_auth_rules": [{{"prefix": "/", "htpasswd": "alice:{BCRYPT4}"}}]}}"#));
    for guess in ["one", "two", "three"] {
        assert_eq!(worker.login(1, "/", &format!("alice:{guess}")), None);
    }
    worker.throttle.forget(1);
    assert_eq!(worker.drain(), ["wrong_password"; 2]);
}

#[test]
fn the_address_is_asked_for_only_where_it_counts() {
    let mut worker = Worker::new(&format!(
        r#"{{"basic_auth_rules": [{{"prefix": "/", "htpasswd": "alice:{BCRYPT4}", "credentials": ["ok:test"]}}]}}"#
    ));
    assert_eq!(worker.login_of(|| panic!("asked"), "/", "ok:test").unwrap(), "accepted");
    assert_eq!(worker.login(1, "/", "ok:wrong"), None, "who waits has one");
}

#[test]
fn who_is_delayed_is_so_by_the_rule_that_covers_first() {
    let policy = policy(&format!(
        r#"{{"lockout": {{"failures": 1, "window_seconds": 60, "lock_seconds": 60}}, "hash_budget_ms_per_second": 1,
                    "basic_auth_rules": [{{"prefix": "/no", "credentials": ["ok:test"]}}, {{"prefix": "/no", "credentials": ["ok:test"]}},
                    {{"prefix": "/", "htpasswd": "alice:{BCRYPT4}"}}, {{"prefix": "/", "htpasswd": "alice:{OTHER_BCRYPT4}"}}]}}"#
    ));
    let mut throttle = Throttle::new(&policy, &[7; 32], Box::new(Store::default()), Duration::ZERO);
    let request = Request {
        method: b"GET",
        path: Some(b"/"),
        authority: Some(b"test"),
        // alice:guess
        credential: HeaderLines::One(b"Basic YWxpY2U6Z3Vlc3M="),
        ..Request::default()
    };
    let mut busy = None;
    for number in 0..10 {
        if let Outcome::Decided(decision) =
            throttle.decide(&policy, &request, number, &mut || Some(address(number)), &mut || Duration::ZERO)
        {
            busy = Some(decision.to_string());
        }
    }
    assert_eq!(busy.unwrap(), "throttled for busy by rule 2 for 1 s");
    let mut now = Duration::ZERO;
    while !throttle.is_idle() {
        now += Duration::from_secs(1);
        throttle.work(&policy, &mut || now);
    }
    let Outcome::Decided(locked) = throttle.decide(&policy, &request, 0, &mut || Some(address(0)), &mut || now) else {
        panic!("waits")
    };
    assert!(locked.to_string().starts_with("throttled for locked by rule 2 for "), "{locked}");
}

/// GHSA-6765-c87h-8mrf, CVE-2026-88010: two different pairs shared a key, so that one was let in for the other.
#[test]
fn a_verified_pair_lets_no_other_in() {
    let mut worker =
        Worker::new(&format!(r#"{{"basic_auth_rules": [{{"prefix": "/", "htpasswd": "alice:{BCRYPT4}"}}]}}"#));
    assert_eq!(worker.login(1, "/", "alice:secret"), None);
    assert_eq!(worker.drain(), ["accepted"]);
    assert_eq!(worker.login(1, "/", "alice:secret").unwrap(), "accepted");
    for pair in ["alices:ecret", "alic:esecret", "alicesecret:", ":alicesecret", "Alice:secret", "secret:alice"] {
        assert_eq!(worker.login(1, "/", pair), None, "{pair}");
        assert_eq!(worker.drain(), ["unknown_user"], "{pair}");
    }
    for pair in ["alice:", "alice::secret", "alice:secret ", "alice:secre", "alice:SECRET"] {
        assert_eq!(worker.login(1, "/", pair), None, "{pair}");
        assert_eq!(worker.drain(), ["wrong_password"], "{pair}");
    }
}

#[test]
fn a_pair_verified_under_one_list_is_hashed_anew_under_another() {
    let mut worker = Worker::new(&format!(
        r#"{{"basic_auth_rules": [
            {{"prefix": "/one", "htpasswd": "alice:{BCRYPT4}"}}, {{"prefix": "/two", "htpasswd": "alice:{OTHER_BCRYPT4}"}}]}}"#
    ));
    for (path, pair, decision) in [
        ("/one", "alice:secret", "accepted"),
        ("/two", "alice:secret", "wrong_password"),
        ("/two", "alice:other", "accepted"),
        ("/one", "alice:other", "wrong_password"),
    ] {
        assert_eq!(worker.login(1, path, pair), None, "{path} {pair}");
        assert_eq!(worker.drain(), [decision], "{path} {pair}");
    }
}

/// 40 users who had logged in were all hashed again after a rule was added that concerned none of them.
#[test]
fn who_was_verified_is_so_in_every_worker_and_after_every_update() {
    let store = Store::default();
    let rule = format!(r#"{{"prefix": "/", "htpasswd": ["alice:{BCRYPT4}", "bob:{OTHER_BCRYPT4}"]}}"#);
    let mut first = Worker::beside(&store, &format!(r#"{{"basic_auth_rules": [{rule}]}}"#));
    assert_eq!(first.login(1, "/", "alice:secret"), None);
    assert_eq!(first.drain(), ["accepted"]);
    let other_rule = r#"{"prefix": "/other", "credentials": ["carol:x"]}"#;
    let changed = rule.replace(OTHER_BCRYPT4, BCRYPT4);
    for rules in [rule.clone(), format!("{other_rule}, {rule}"), changed] {
        let mut worker = Worker::beside(&store, &format!(r#"{{"basic_auth_rules": [{rules}]}}"#));
        assert_eq!(worker.login(2, "/", "alice:secret").unwrap(), "accepted");
        assert_eq!(worker.login(2, "/", "alice:wrong"), None);
        assert_eq!(worker.login(2, "/", "bob:secret"), None, "another's password");
    }
    // A line that was taken out, or changed, is nothing from then on.
    for hash in [OTHER_BCRYPT4, APR1] {
        let rule = format!(r#"{{"prefix": "/", "htpasswd": ["alice:{hash}", "bob:{BCRYPT4}"]}}"#);
        let mut worker = Worker::beside(&store, &format!(r#"{{"basic_auth_rules": [{rule}]}}"#));
        assert_ne!(worker.login(2, "/", "alice:secret"), Some("accepted".into()), "{hash}");
        worker.drain();
    }
}

/// While it waited for its turn, another worker has verified the pair.
#[test]
fn who_waits_passes_once_another_worker_has_verified_the_pair() {
    let store = Store::default();
    let text = format!(r#"{{"basic_auth_rules": [{{"prefix": "/", "htpasswd": "alice:{BCRYPT4}"}}]}}"#);
    let (mut one, mut other) = (Worker::beside(&store, &text), Worker::beside(&store, &text));
    for worker in [&mut one, &mut other] {
        assert_eq!(worker.login(1, "/", "alice:secret"), None);
    }
    assert_eq!(one.drain(), ["accepted"]);
    store.gets();
    other.now += Duration::from_millis(4);
    assert_eq!(other.throttle.work(&other.policy, &mut || other.now).len(), 1, "no hash is worked on");
    assert_eq!(store.gets(), 1);
}

#[test]
fn the_process_is_asked_once_about_a_pair_and_not_where_hashing_is_quicker() {
    let store = Store::default();
    let mut worker = Worker::beside(
        &store,
        &format!(
            r#"{{"basic_auth_rules": [{{"prefix": "/slow", "htpasswd": "alice:{BCRYPT4}"}}, {{"prefix": "/sha", "htpasswd": "alice:{SHA}"}},
                {{"prefix": "/mine", "htpasswd": "alice:{BCRYPT4}", "allow_users": ["alice"]}}]}}"#
        ),
    );
    assert_eq!(worker.login(1, "/slow", "alice:secret"), None);
    assert_eq!(worker.drain(), ["accepted"]);
    store.gets();
    for path in ["/slow", "/mine", "/slow", "/sha", "/sha"] {
        assert_eq!(worker.login(1, path, "alice:secret").unwrap(), "accepted");
    }
    assert_eq!(worker.login(1, "/sha", "alice:wrong").unwrap(), "wrong_password");
    assert_eq!(store.gets(), 0);
    assert_eq!(worker.login(1, "/slow", "alice:wrong"), None);
    assert_eq!(store.gets(), 1);
}

/// How soon the refusal comes must not tell that the password is right.
#[test]
fn who_may_not_pass_is_hashed_whatever_the_process_knows() {
    let store = Store::default();
    let rule = format!(r#"{{"prefix": "/", "htpasswd": ["alice:{BCRYPT4}", "bob:{BCRYPT4}"]}}"#);
    let mut open = Worker::beside(&store, &format!(r#"{{"basic_auth_rules": [{rule}]}}"#));
    assert_eq!(open.answer("/", "alice:secret"), "accepted");
    let strict = rule.replace("\"htpasswd\"", "\"allow_users\": [\"bob\"], \"htpasswd\"");
    let mut worker = Worker::beside(&store, &format!(r#"{{"basic_auth_rules": [{strict}]}}"#));
    assert_eq!(worker.login(1, "/", "alice:secret"), None);
    assert_eq!(worker.drain(), ["not_allowed"]);
}

/// A lock of three failures let six pass on two workers.
#[test]
fn failures_count_in_the_whole_process() {
    for hash in ["\"credentials\": [\"alice:secret\"]".to_owned(), format!("\"htpasswd\": \"alice:{BCRYPT4}\"")] {
        let store = Store::default();
        let text = strict_text(&format!(r#"{{"prefix": "/", {hash}}}"#));
        let mut workers = [(); 4].map(|()| Worker::beside(&store, &text));
        let mut answers = Vec::new();
        for round in 0..3 {
            for worker in &mut workers {
                answers.push(worker.answer("/", &format!("alice:{round}")));
            }
        }
        assert_eq!(answers[..3], [WRONG; 3], "{hash}");
        assert_eq!(answers[3..], ["locked"; 9], "{hash}");
        // Also for the right password, and under a configuration that comes later and has the list still.
        workers[0] = Worker::beside(&store, &text.replace("\"/\"", "\"/x\""));
        assert_eq!(workers[0].answer("/x", "alice:secret"), "locked", "{hash}");
        assert_eq!(workers[1].answer("/", "alice:secret"), "locked", "{hash}");
        assert_eq!(workers[1].answer("/", "bob:secret"), "unknown_user", "{hash}");
    }
}

/// All of them were under way before the first failure counted.
#[test]
fn whoever_failed_too_late_learns_what_others_learn_later() {
    let store = Store::default();
    let text = strict_text(&format!(r#"{{"prefix": "/", "htpasswd": "alice:{BCRYPT4}"}}"#));
    let mut workers = [(); 5].map(|()| Worker::beside(&store, &text));
    for (number, worker) in workers.iter_mut().enumerate() {
        assert_eq!(worker.login(1, "/", &format!("alice:{number}")), None);
        worker.begin();
    }
    let answers: Vec<_> = workers.iter_mut().flat_map(Worker::drain).collect();
    assert_eq!(answers, [WRONG, WRONG, WRONG, "locked", "locked"]);
}

#[test]
fn a_right_login_forgets_what_other_workers_counted() {
    let store = Store::default();
    let text = strict_text(r#"{"prefix": "/", "credentials": ["alice:secret"]}"#);
    let mut workers = [(); 2].map(|()| Worker::beside(&store, &text));
    for _ in 0..3 {
        assert_eq!([workers[0].answer("/", "alice:1"), workers[0].answer("/", "alice:2")], [WRONG; 2]);
        assert_eq!(workers[1].answer("/", "alice:secret"), "accepted");
        assert_eq!(workers[0].answer("/", "alice:secret"), "accepted");
    }
}

/// Whoever hangs up before a failure counts could guess without end, where right pairs are answered sooner.
#[test]
fn a_guess_that_is_given_up_counts() {
    let mut worker = strict(&format!(r#"{{"prefix": "/", "htpasswd": "alice:{BCRYPT4}"}}"#));
    for guess in 0..3 {
        assert_eq!(worker.login(1, "/", &format!("alice:{guess}")), None);
        worker.begin();
        let request = worker.requests;
        worker.throttle.forget(request);
        assert!(!worker.throttle.is_idle(), "it goes on");
        assert!(worker.drain().is_empty(), "nobody is answered");
    }
    assert_eq!(worker.answer("/", "alice:secret"), "locked");
    // One that was not begun takes no time and tells nothing.
    assert_eq!(worker.login(1, "/", "bob:x"), None);
    worker.throttle.forget(worker.requests);
    assert!(worker.throttle.is_idle());
    // Without a lockout nothing goes on for nobody.
    let mut worker =
        Worker::new(&format!(r#"{{"basic_auth_rules": [{{"prefix": "/", "htpasswd": "alice:{BCRYPT4}"}}]}}"#));
    assert_eq!(worker.login(1, "/", "alice:x"), None);
    worker.begin();
    worker.throttle.forget(worker.requests);
    assert!(worker.throttle.is_idle());
}

#[test]
fn a_right_pair_is_not_let_in_once_others_have_locked_its_user() {
    let store = Store::default();
    let text = strict_text(&format!(r#"{{"prefix": "/", "htpasswd": "alice:{BCRYPT4}"}}"#));
    let mut workers = [(); 2].map(|()| Worker::beside(&store, &text));
    assert_eq!(workers[0].login(1, "/", "alice:secret"), None);
    workers[0].begin();
    assert_eq!([(); 3].map(|()| workers[1].answer("/", "alice:wrong")), [WRONG; 3]);
    assert_eq!(workers[0].drain(), ["locked"]);
    assert_eq!(workers[1].answer("/", "alice:secret"), "locked");
}

#[test]
fn another_configuration_with_a_shorter_lock_takes_none_away() {
    let store = Store::default();
    let text = |seconds| {
        format!(
            r#"{{"lockout": {{"failures": 3, "window_seconds": 300, "lock_seconds": {seconds}}},
                "basic_auth_rules": [{{"prefix": "/", "credentials": ["alice:secret"]}}]}}"#
        )
    };
    let mut workers = [300, 60, 300].map(|seconds| Worker::beside(&store, &text(seconds)));
    assert_eq!([(); 3].map(|()| workers[0].answer("/", "alice:wrong")), [WRONG; 3]);
    for _ in 0..2 {
        for worker in &mut workers {
            assert_eq!(worker.answer("/", "alice:wrong"), "locked");
        }
    }
    workers[1].now += Duration::from_secs(61);
    assert_eq!(workers[1].answer("/", "alice:secret"), "locked");
}
