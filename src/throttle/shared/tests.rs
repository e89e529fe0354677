//! What workers remember together, in a store that everybody else can write as well.

#![allow(clippy::panic, clippy::unwrap_used, clippy::arithmetic_side_effects, clippy::indexing_slicing)]

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use super::locks::ProcessLocks;
use super::pairs::ProcessPairs;
use super::{KEY, MAX_ENTRIES, Process, SLOTS, SharedData};
use crate::config::Lockout;
use crate::request::client::Client;
use crate::throttle::lockout::Count;
use crate::users::list::UserList;
use crate::users::pair::Pair;

/// A store as Envoy has it: one for each `vm_id`.
#[derive(Clone, Default)]
pub(crate) struct Store(Rc<RefCell<Stored>>);

#[derive(Default)]
struct Stored {
    values: HashMap<String, (Vec<u8>, u32)>,
    version: u32,
    gets: usize,
    /// So many changes find that another worker came before.
    conflicts: usize,
}

impl Store {
    /// How often it was asked since the last time.
    pub(crate) fn gets(&self) -> usize {
        std::mem::take(&mut self.0.borrow_mut().gets)
    }

    /// Writes over every value what `edit` makes of it.
    pub(crate) fn tamper(&self, mut edit: impl FnMut(&str, &[u8]) -> Vec<u8>) {
        for (key, (value, _)) in &mut self.0.borrow_mut().values {
            *value = edit(key, value);
        }
    }
}

impl SharedData for Store {
    fn get(&self, key: &str) -> Option<(Box<[u8]>, u32)> {
        let mut stored = self.0.borrow_mut();
        stored.gets += 1;
        stored.values.get(key).map(|(value, version)| (value.as_slice().into(), *version))
    }

    fn set(&self, key: &str, value: &[u8], version: u32) -> bool {
        let mut stored = self.0.borrow_mut();
        assert_ne!(version, 0, "whatever is there would be lost");
        if stored.conflicts > 0 {
            stored.conflicts -= 1;
            return false;
        }
        if stored.values.get(key).is_some_and(|(_, current)| *current != version) {
            return false;
        }
        stored.version += 1;
        let version = stored.version;
        stored.values.insert(key.to_owned(), (value.to_vec(), version));
        true
    }
}

fn pair(text: &str) -> Pair {
    Pair::new(text.as_bytes()).unwrap()
}

fn memory(store: &Store, random: u8) -> ProcessPairs {
    ProcessPairs(Rc::new(Process::new(Box::new(store.clone()), &[random; 32])))
}

/// Different enough for a list; nobody verifies them.
const FIRST: &str = "$apr1$aaaaaaaa$lYVZcHuhtLhVkmVGqBSqq/";
const SECOND: &str = "$apr1$bbbbbbbb$lYVZcHuhtLhVkmVGqBSqq/";

fn list(lines: &[(&str, &str)]) -> UserList {
    let lines: Vec<_> = lines.iter().map(|(user, hash)| format!("{user}:{hash}")).collect();
    UserList::parse(lines.join("\n")).unwrap()
}

#[test]
fn a_pair_is_known_by_the_very_line_and_to_every_worker() {
    let store = Store::default();
    let (one, other) = (memory(&store, 1), memory(&store, 2));
    one.insert(&pair("alice:secret"), FIRST);
    let first = list(&[("alice", FIRST), ("bob", FIRST)]);
    let both = list(&[("alice", FIRST), ("alice", SECOND)]);
    let second = list(&[("alice", SECOND)]);
    for worker in [&one, &other, &memory(&store, 3)] {
        assert!(worker.contains(&pair("alice:secret"), [&first].into_iter()));
        assert!(worker.contains(&pair("alice:secret"), [&second, &both].into_iter()));
        assert!(!worker.contains(&pair("alice:secret"), [&second].into_iter()), "that line is gone");
        assert!(!worker.contains(&pair("alice:secret"), std::iter::empty()));
        assert!(!worker.contains(&pair("bob:secret"), [&first].into_iter()));
        assert!(!worker.contains(&pair("alice:secre"), [&first].into_iter()));
        assert!(!worker.contains(&pair("nobody:secret"), [&first].into_iter()));
    }
    store.gets();
    one.contains(&pair("alice:other"), [&both, &both].into_iter());
    one.contains(&pair("nobody:other"), [&both, &both].into_iter());
    assert_eq!(store.gets(), 2, "one call, whoever it is");
}

/// Another module under the same `vm_id` can read all of it, and write anything.
#[test]
fn nothing_that_is_written_there_opens_anything() {
    let store = Store::default();
    let worker = memory(&store, 1);
    let users = list(&[("alice", FIRST)]);
    worker.insert(&pair("alice:secret"), FIRST);
    worker.insert(&pair("alice:secret"), FIRST);
    let known: Vec<u8> = store
        .0
        .borrow()
        .values
        .values()
        .filter(|(value, _)| value.len() == 16)
        .flat_map(|(value, _)| value.clone())
        .collect();
    assert_eq!(known.len(), 16, "one pair is stored once");
    // What is known of one pair, under every key, is that of no other.
    for slot in 0..SLOTS {
        store.0.borrow_mut().values.insert(format!("{KEY}.pairs.{slot}"), (known.clone(), 7));
    }
    assert!(worker.contains(&pair("alice:secret"), [&users].into_iter()));
    for guess in ["alice:guess", "bob:secret", "alice:", ":secret"] {
        assert!(!worker.contains(&pair(guess), [&users].into_iter()), "{guess}");
    }
    // What has not the form of a slot is nothing, and is written anew.
    let forms: [&[u8]; 6] =
        [b"", b"x", &known[..15], &[known.as_slice(), b"x"].concat(), &known.repeat(MAX_ENTRIES + 1), &[0; 4096]];
    for form in forms {
        store.tamper(|key, value| if key == KEY { value.to_vec() } else { form.to_vec() });
        assert!(!worker.contains(&pair("alice:secret"), [&users].into_iter()));
        worker.insert(&pair("alice:secret"), FIRST);
        assert!(worker.contains(&pair("alice:secret"), [&users].into_iter()));
    }
    // Another secret: who has it already goes on, who comes anew knows nothing of before.
    store.tamper(|key, value| if key == KEY { vec![9; 32] } else { value.to_vec() });
    assert!(worker.contains(&pair("alice:secret"), [&users].into_iter()));
    assert!(!memory(&store, 2).contains(&pair("alice:secret"), [&users].into_iter()));
    // A secret that is none is replaced, and then shared.
    store.tamper(|key, value| if key == KEY { vec![9; 31] } else { value.to_vec() });
    let (third, fourth) = (memory(&store, 3), memory(&store, 4));
    third.insert(&pair("alice:secret"), FIRST);
    assert!(fourth.contains(&pair("alice:secret"), [&users].into_iter()));
}

#[test]
fn it_is_bounded_and_the_last_are_kept() {
    let store = Store::default();
    let worker = memory(&store, 1);
    for number in 0..20_000 {
        worker.insert(&pair(&format!("user{number}:secret")), FIRST);
    }
    let stored = store.0.borrow();
    assert_eq!(stored.values.len() as u64, SLOTS + 1);
    assert!(stored.values.values().all(|(value, _)| value.len() <= 16 * MAX_ENTRIES));
    drop(stored);
    let users = |number| list(&[(format!("user{number}").as_str(), FIRST)]);
    let is_known = |number| worker.contains(&pair(&format!("user{number}:secret")), [&users(number)].into_iter());
    assert!((19_000..20_000).all(is_known), "nine in ten slots have room for more than that");
    assert!(!(0..1_000).all(is_known));
}

#[test]
fn who_comes_between_loses_nothing() {
    let store = Store::default();
    let worker = memory(&store, 1);
    let users = list(&[("alice", FIRST)]);
    store.0.borrow_mut().conflicts = 3;
    worker.insert(&pair("alice:secret"), FIRST);
    assert!(worker.contains(&pair("alice:secret"), [&users].into_iter()));
    // Nobody tries for ever.
    store.0.borrow_mut().conflicts = usize::MAX;
    worker.insert(&pair("alice:other"), FIRST);
    assert!(!worker.contains(&pair("alice:other"), [&users].into_iter()));
    // A store that takes nothing leaves each worker to itself.
    let full = Store::default();
    full.0.borrow_mut().conflicts = usize::MAX;
    let worker = memory(&full, 1);
    worker.insert(&pair("alice:secret"), FIRST);
    assert!(!worker.contains(&pair("alice:secret"), [&users].into_iter()));
}

const THRESHOLD: Lockout = Lockout { failures: 3, window: Duration::from_mins(1), lock: Duration::from_mins(5) };

fn locks(store: &Store, random: u8) -> ProcessLocks {
    ProcessLocks(Rc::new(Process::new(Box::new(store.clone()), &[random; 32])))
}

fn client(number: u32) -> Client {
    Client::from_ip(Ipv4Addr::from_bits(number).into())
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn failures_of_all_workers_count_together() {
    let store = Store::default();
    let workers = [locks(&store, 1), locks(&store, 2), locks(&store, 3), locks(&store, 4)];
    let key = |worker: &ProcessLocks, list| worker.attempt(&client(1), b"alice").tweaked(list);
    let fail = |index: usize, now| workers[index].failed(key(&workers[index], 7), &THRESHOLD, seconds(now));
    assert_eq!([fail(0, 1_000), fail(1, 1_001), fail(2, 1_002)], [None; 3]);
    // Which is three: the fourth comes too late, in whatever worker, and prolongs nothing.
    assert_eq!([fail(3, 1_010), fail(0, 1_020)], [Some(seconds(292)), Some(seconds(282))]);
    for worker in &workers {
        let get = |list, now| worker.get(key(worker, list), seconds(now));
        assert_eq!(get(7, 1_020), Some(Count::LockedUntil(seconds(1_302))));
        assert_eq!(get(8, 1_020), None, "another list");
        worker.succeeded(key(worker, 7), seconds(1_020));
        assert!(get(7, 1_020).is_some(), "a lock stays");
    }
    assert_eq!([fail(0, 1_303), fail(1, 1_303)], [None; 2], "it ends by itself");
    assert_eq!(
        workers[2].get(key(&workers[2], 7), seconds(1_303)),
        Some(Count::Failures { number: 2, since: seconds(1_303) })
    );
    workers[2].succeeded(key(&workers[2], 7), seconds(1_304));
    assert_eq!(workers[3].get(key(&workers[3], 7), seconds(1_304)), None);
    // A window that is over begins anew.
    assert_eq!([fail(0, 2_000), fail(0, 2_001), fail(0, 2_060)], [None; 3]);
    assert_eq!(fail(0, 2_061), None);
}

/// A worker that looked at the clock before another one counts what that one counted.
#[test]
fn workers_need_not_look_at_the_clock_at_once() {
    let store = Store::default();
    let worker = locks(&store, 1);
    let key = worker.attempt(&client(1), b"alice");
    let fail = |milliseconds| worker.failed(key, &THRESHOLD, Duration::from_millis(milliseconds));
    assert_eq!([fail(10_030), fail(10_020), fail(10_010)], [None; 3]);
    assert_eq!(fail(10_000), Some(seconds(300)));
}

#[test]
fn a_full_slot_gives_up_no_lock() {
    let store = Store::default();
    let worker = locks(&store, 1);
    // Keys of one slot.
    let keys: Vec<_> = (0..20_000_u64)
        .map(|number| worker.attempt(&client(1), format!("user {number}").as_bytes()))
        .filter(|key| key.word() % SLOTS == 5)
        .take(MAX_ENTRIES + 2)
        .collect();
    let get = |key| worker.get(key, seconds(10));
    for key in &keys[..MAX_ENTRIES] {
        worker.failed(*key, &THRESHOLD, seconds(10));
    }
    for _ in 0..2 {
        worker.failed(keys[3], &THRESHOLD, seconds(10));
    }
    // The oldest failure makes room.
    worker.failed(keys[MAX_ENTRIES], &THRESHOLD, seconds(10));
    assert!(get(keys[0]).is_none() && get(keys[1]).is_some() && get(keys[MAX_ENTRIES]).is_some());
    for key in &keys[1..=MAX_ENTRIES] {
        for _ in 0..3 {
            worker.failed(*key, &THRESHOLD, seconds(10));
        }
    }
    worker.failed(keys[MAX_ENTRIES + 1], &THRESHOLD, seconds(10));
    assert!(keys[1..=MAX_ENTRIES].iter().all(|key| matches!(get(*key), Some(Count::LockedUntil(_)))));
    assert_eq!(get(keys[MAX_ENTRIES + 1]), None, "the worker counts it for itself");
    // Once they are over they make room.
    assert_eq!(worker.failed(keys[0], &THRESHOLD, seconds(1_000)), None);
    assert!(worker.get(keys[0], seconds(1_000)).is_some());
}

#[test]
fn nobody_is_locked_for_ever_by_what_is_written_there() {
    let store = Store::default();
    let worker = locks(&store, 1);
    let key = worker.attempt(&client(1), b"alice");
    let get = || worker.get(key, seconds(10));
    for _ in 0..3 {
        worker.failed(key, &THRESHOLD, seconds(10));
    }
    assert!(get().is_some());
    let with =
        |number: u32, nanoseconds: u64| [&key.bytes()[..], &number.to_le_bytes(), &nanoseconds.to_le_bytes()].concat();
    let hostile: [Vec<u8>; 7] = [
        with(0, u64::MAX),
        with(0, 2_592_012_000_000_000),
        with(u32::MAX, u64::MAX),
        vec![0; 27],
        vec![0xff; 28 * (MAX_ENTRIES + 1)],
        Vec::new(),
        vec![0xff; 28],
    ];
    for value in &hostile {
        store.tamper(|key, stored| if key == KEY { stored.to_vec() } else { value.clone() });
        assert_eq!(get(), None, "{value:?}");
        // It is counted as if nothing had been there.
        assert_eq!([(); 3].map(|()| worker.failed(key, &THRESHOLD, seconds(10))), [None; 3], "{value:?}");
        assert_eq!(get(), Some(Count::LockedUntil(seconds(310))), "{value:?}");
    }
}
