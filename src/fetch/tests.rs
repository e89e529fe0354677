#![allow(clippy::panic, clippy::unwrap_used, clippy::arithmetic_side_effects, clippy::indexing_slicing)]

use std::time::Duration;

use super::{Fetched, Fetches, RETRY};
use crate::host::HostError;
use crate::request::header_map::serialize;
use crate::test_support::hashes::{BCRYPT4, SHA};
use crate::users::fetched::FetchSource;
use crate::users::list::UserList;

fn source() -> FetchSource {
    FetchSource {
        cluster: "users".into(),
        path: "/htpasswd".into(),
        authority: "users".into(),
        refresh: Duration::from_secs(30),
        timeout: Duration::from_secs(5),
    }
}

/// A worker that fetches one list, and its clock.
struct Worker {
    fetches: Fetches,
    now: Duration,
    users: Option<UserList>,
    tokens: u32,
    /// The etags that were sent.
    sent: Vec<Option<String>>,
    /// Whether the proxy does not send.
    fails: bool,
}

impl Worker {
    fn new() -> Self {
        Self { fetches: Fetches::new(1), now: Duration::ZERO, users: None, tokens: 0, sent: Vec::new(), fails: false }
    }

    /// Lets time pass and looks whether something is due; what failed.
    fn pass(&mut self, time: Duration) -> Vec<String> {
        self.now += time;
        let Self { fetches, tokens, sent, fails, .. } = self;
        let source = source();
        let failed = fetches.ask(self.now, [&source].into_iter(), |_, etag| {
            if *fails {
                return Err(HostError { call: "call", status: 2 });
            }
            *tokens += 1;
            sent.push(etag.map(str::to_owned));
            Ok(*tokens)
        });
        failed.iter().map(shown).collect()
    }

    fn answer(&mut self, headers: &[(&str, &[u8])], body: &[u8]) -> Option<String> {
        let map = if headers.is_empty() { Box::default() } else { serialize(headers) };
        let source = source();
        let users = self.users.as_ref();
        let outcome = self.fetches.answered(self.now, self.tokens, |_| Some((&source, users)), &map, body.to_vec())?;
        let text = shown(&outcome);
        if let Fetched::New { users, .. } = outcome {
            self.users = Some(users);
        }
        Some(text)
    }
}

fn shown(outcome: &Fetched) -> String {
    match outcome {
        Fetched::New { index, users } => format!("new {index}: {}", users.lines()),
        Fetched::Unchanged => "unchanged".into(),
        Fetched::Failed { index, error, is_new } => format!("{}{index}: {error}", if *is_new { "" } else { "again " }),
    }
}

/// The headers of an answer, its body, and what is said of it.
type Case<'c> = (&'c [(&'c str, &'c [u8])], &'c [u8], &'c str);

const OK: (&str, &[u8]) = (":status", b"200");
const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_list_is_asked_for_at_once_and_then_as_often_as_it_says() {
    let mut worker = Worker::new();
    let text = format!("alice:{SHA}\n");
    assert!(worker.pass(Duration::ZERO).is_empty());
    assert_eq!(worker.sent, [None]);
    assert_eq!(worker.answer(&[OK, ("etag", b"\"1\"")], text.as_bytes()).unwrap(), "new 0: 1");
    // Up to a tenth sooner, and no later.
    worker.pass(Duration::from_millis(26_999));
    assert_eq!(worker.sent.len(), 1);
    worker.pass(Duration::from_millis(3_001));
    assert_eq!(worker.sent[1..], [Some("\"1\"".to_owned())]);
    assert_eq!(worker.answer(&[(":status", b"304")], b"").unwrap(), "unchanged");
    worker.pass(30 * SECOND);
    // A server without etags, or with a new one for the same text.
    assert_eq!(worker.answer(&[OK], text.as_bytes()).unwrap(), "unchanged");
    worker.pass(30 * SECOND);
    assert_eq!(worker.sent[3..], [None]);
    assert_eq!(worker.answer(&[OK], format!("alice:{SHA}\nbob:{BCRYPT4}").as_bytes()).unwrap(), "new 0: 2");
    assert_eq!(worker.fetches.age(worker.now + 7 * SECOND), 7 * SECOND);
}

#[test]
fn workers_do_not_all_ask_at_once() {
    let due = || {
        let mut worker = Worker::new();
        worker.pass(Duration::ZERO);
        worker.answer(&[OK], SHA_LINE).unwrap();
        worker.fetches.lists[0].due
    };
    let first = due();
    assert!((0..20).any(|_| due() != first));
}

const SHA_LINE: &[u8] = b"alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";

#[test]
fn what_was_good_stays_whatever_comes() {
    let mut worker = Worker::new();
    worker.pass(Duration::ZERO);
    assert_eq!(worker.answer(&[OK], SHA_LINE).unwrap(), "new 0: 1");
    let too_large = vec![b'x'; FetchSource::MAX_BYTES + 1];
    let cases: [Case<'_>; 10] = [
        (&[], b"", "no answer within `timeout_seconds`"),
        (&[(":status", b"500")], SHA_LINE, "the answer is 500 and not 200"),
        (&[(":status", b"404")], b"", "the answer is 404 and not 200"),
        // Nobody said `if-none-match`.
        (&[(":status", b"304")], b"", "the answer is 304 and not 200"),
        (&[(":status", b"\xff")], SHA_LINE, "no answer within `timeout_seconds`"),
        (&[OK], b"", "the answer is refused: no user; "),
        (&[OK], b"<html>SECRET</html>", "the answer is refused: line 1: "),
        (&[OK], b"alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\nbob:SECRET", "the answer is refused: line 2: "),
        (&[OK], b"alice:\xff", "the answer is not UTF-8"),
        (&[OK], &too_large, "the answer has more than 4194304 bytes"),
    ];
    for (headers, body, error) in cases {
        worker.pass(30 * SECOND);
        let failed = worker.answer(headers, body).unwrap();
        assert!(failed.starts_with(&format!("0: {error}")) && !failed.contains("SECRET"), "{failed}");
        // Told once, and asked for again when it is due, not sooner.
        worker.pass(26 * SECOND);
        assert_eq!(worker.answer(headers, body), None, "nobody asked");
        worker.pass(4 * SECOND);
        assert_eq!(worker.answer(headers, body).unwrap(), format!("again {failed}"));
    }
    assert!(worker.users.as_ref().is_some_and(|users| users.contains(b"alice")));
    worker.pass(30 * SECOND);
    assert_eq!(worker.answer(&[OK], SHA_LINE).unwrap(), "unchanged");
    worker.pass(30 * SECOND);
    assert!(worker.answer(&[], b"").unwrap().starts_with("0: "), "after a good answer it is told again");
}

#[test]
fn a_list_that_never_came_is_asked_for_every_second() {
    let mut worker = Worker::new();
    worker.fails = true;
    let failed = worker.pass(Duration::ZERO);
    assert_eq!(failed, ["0: call answered 2; the proxy has no such `cluster`, or nobody in it"]);
    assert_eq!(worker.pass(RETRY), [format!("again {}", failed[0])]);
    worker.fails = false;
    assert!(worker.pass(RETRY).is_empty());
    assert!(worker.answer(&[(":status", b"503")], b"").is_some());
    worker.pass(RETRY);
    assert_eq!(worker.sent.len(), 2);
    // An answer that the proxy never reports is given up.
    assert!(worker.pass(14 * SECOND).is_empty());
    assert_eq!(worker.pass(SECOND), ["0: no answer within `timeout_seconds`"]);
    assert_eq!(worker.answer(&[OK], SHA_LINE), None, "it comes too late");
    assert_eq!(worker.fetches.age(worker.now), Duration::ZERO);
}
