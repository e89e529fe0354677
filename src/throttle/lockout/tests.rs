//! Locks after too many failures, and the bounds of their table.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::duration_suboptimal_units)]

use std::time::Duration;

use super::{ENTRIES_PER_CLIENT, Locks, TALLIES};
use crate::config::Lockout;
use crate::policy::UserListId;
use crate::test_support::client;

const POLICY: Lockout = Lockout { failures: 3, window: Duration::from_secs(60), lock: Duration::from_secs(300) };

/// Some list.
const LIST: UserListId = UserListId::Htpasswd(0);
/// Another one.
const OTHER: UserListId = UserListId::Htpasswd(1);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A table, driven by client numbers, names and seconds.
struct Table(Locks);

impl Table {
    fn new(threshold: Lockout, capacity: usize) -> Self {
        Self(Locks::new(&[9; 32], threshold, capacity))
    }

    /// A failure that counts for one list.
    fn fail(&mut self, number: u32, user: &str, now: u64) -> Option<u64> {
        self.fail_under(&[LIST], number, user, now);
        self.locked(number, user, now)
    }

    /// A failure that counts for several lists.
    fn fail_under(&mut self, lists: &[UserListId], number: u32, user: &str, now: u64) {
        let attempt = self.0.attempt(&client(number), user.as_bytes());
        self.0.failed(&attempt, lists, seconds(now));
    }

    fn locked(&self, number: u32, user: &str, now: u64) -> Option<u64> {
        self.locked_under(LIST, number, user, now)
    }

    fn locked_under(&self, list: UserListId, number: u32, user: &str, now: u64) -> Option<u64> {
        self.0.locked(&self.0.attempt(&client(number), user.as_bytes()), list, seconds(now))
    }

    fn lock(&mut self, number: u32, user: &str, now: u64) {
        for _ in 0..POLICY.failures {
            self.fail(number, user, now);
        }
        assert!(self.locked(number, user, now).is_some());
    }
}

#[test]
fn so_many_failures_lock_for_so_long() {
    let mut table = Table::new(POLICY, 100);
    assert_eq!([table.fail(1, "alice", 10), table.fail(1, "alice", 20)], [None, None]);
    assert_eq!(table.locked(1, "alice", 20), None);
    assert_eq!(table.fail(1, "alice", 30), Some(300));
    assert_eq!(table.locked(1, "alice", 31), Some(299));
    assert_eq!(table.locked(1, "alice", 329), Some(1));
    assert_eq!(table.locked(1, "alice", 330), None);
    assert_eq!(table.locked(1, "bob", 31), None, "another user of the client");
    assert_eq!(table.locked(2, "alice", 31), None, "another client of the user");
}

#[test]
fn each_list_has_counts_of_its_own() {
    let mut table = Table::new(POLICY, 100);
    table.lock(1, "alice", 0);
    assert_eq!(table.locked_under(OTHER, 1, "alice", 0), None);
    for _ in 0..2 {
        table.fail_under(&[LIST, OTHER], 1, "bob", 0);
    }
    table.0.succeeded(&table.0.attempt(&client(1), b"bob"), LIST);
    table.fail_under(&[LIST, OTHER], 1, "bob", 0);
    assert_eq!([LIST, OTHER].map(|list| table.locked_under(list, 1, "bob", 0)), [None, Some(300)]);
}

#[test]
fn a_failure_counts_once_on_a_tally_however_many_lists_have_no_entry() {
    let mut table = Table::new(POLICY, 100);
    let lists: Vec<_> = (0..40).map(UserListId::Htpasswd).collect();
    for _ in 1..POLICY.failures {
        table.fail_under(&lists, 1, "alice", 0);
        assert!(lists.iter().all(|&list| table.locked_under(list, 1, "alice", 0).is_none()));
    }
    table.fail_under(&lists, 1, "alice", 0);
    assert!(lists.iter().all(|&list| table.locked_under(list, 1, "alice", 0) == Some(300)));
}

#[test]
fn a_begun_second_counts_as_one() {
    let mut table = Table::new(POLICY, 100);
    table.lock(1, "alice", 0);
    let attempt = table.0.attempt(&client(1), b"alice");
    assert_eq!(table.0.locked(&attempt, LIST, Duration::from_millis(298_500)), Some(2));
    assert_eq!(table.0.locked(&attempt, LIST, Duration::from_millis(299_999)), Some(1));
}

#[test]
fn a_window_ends() {
    // Counted on an entry, and on a tally.
    for capacity in [100, 0] {
        let mut table = Table::new(POLICY, capacity);
        for now in [0, 30, 60, 90, 120, 150] {
            assert_eq!(table.fail(1, "alice", now), None, "two failures in each window");
        }
    }
}

#[test]
fn a_lock_leaves_nothing_behind() {
    for capacity in [100, 0] {
        let mut table = Table::new(Lockout { lock: seconds(10), ..POLICY }, capacity);
        table.lock(1, "alice", 0);
        assert_eq!([table.fail(1, "alice", 10), table.fail(1, "alice", 11)], [None, None], "within the old window");
    }
}

#[test]
fn success_forgets_and_does_not_unlock() {
    let mut table = Table::new(POLICY, 100);
    let attempt = table.0.attempt(&client(1), b"alice");
    table.fail(1, "alice", 0);
    table.fail(1, "alice", 0);
    assert!(table.0.len() > 0);
    table.0.succeeded(&attempt, LIST);
    assert!(table.0.len() == 0);
    assert_eq!(table.fail(1, "alice", 0), None);
    table.lock(1, "alice", 0);
    table.0.succeeded(&attempt, LIST);
    assert!(table.locked(1, "alice", 1).is_some());
}

#[test]
fn failures_during_a_lock_do_not_prolong_it() {
    let mut table = Table::new(POLICY, 100);
    table.lock(1, "alice", 0);
    // Verifications that had begun before, and end long after the window.
    assert_eq!(table.fail(1, "alice", 200), Some(100));
    assert_eq!(table.locked(1, "alice", 299), Some(1));
    assert_eq!(table.fail(1, "alice", 300), None, "a new window");
}

#[test]
fn counts_make_room_and_locks_do_not() {
    let mut table = Table::new(POLICY, 10);
    table.lock(0, "alice", 0);
    for number in 1..100 {
        table.fail(number, "alice", 1);
        assert!(table.0.len() <= 10);
    }
    assert!(table.locked(0, "alice", 299).is_some());
    assert_eq!(table.fail(99, "alice", 2), None);
    assert_eq!(table.fail(99, "alice", 2), Some(300), "the latest counts are kept");
}

#[test]
fn a_client_with_many_names_is_locked_as_a_whole() {
    let mut table = Table::new(POLICY, 10_000);
    let mut names = 0;
    while table.locked(1, "a name never sent", 0).is_none() {
        table.fail(1, &format!("name {names}"), 0);
        names += 1;
        assert!(names < 1_000, "never locked");
    }
    assert_eq!(names, ENTRIES_PER_CLIENT + 3);
    assert_eq!(table.0.len(), ENTRIES_PER_CLIENT);
    assert_eq!(table.locked(1, "name 0", 0), None, "a name with a count of its own has that");
    // The names counted one by one are not forgotten for all that.
    assert_eq!((table.fail(1, "name 0", 0), table.fail(1, "name 0", 0)), (None, Some(300)));
    let innocent = (2..1_002).filter(|&number| table.locked(number, "alice", 0).is_some()).count();
    assert!(innocent <= 5, "{innocent} of a thousand others share its tally");
    assert_eq!(table.locked(1, "a name never sent", 300), None, "and not for ever");
}

#[test]
fn a_name_that_is_forgotten_makes_room_for_one() {
    let mut table = Table::new(POLICY, 10_000);
    for name in 0..ENTRIES_PER_CLIENT {
        table.fail(1, &format!("name {name}"), 0);
    }
    table.0.succeeded(&table.0.attempt(&client(1), b"name 7"), LIST);
    assert_eq!(table.0.len(), ENTRIES_PER_CLIENT - 1);
    table.fail(1, "another", 0);
    table.fail(1, "one more", 0);
    assert_eq!(table.0.len(), ENTRIES_PER_CLIENT);
}

#[test]
fn a_table_full_of_locks_still_counts() {
    let mut table = Table::new(POLICY, 50);
    for number in 0..50 {
        table.lock(number, "alice", 0);
    }
    for number in 50..60 {
        table.lock(number, "alice", 1);
    }
    assert_eq!(table.0.len(), 50);
    assert!((0..60).all(|number| table.locked(number, "alice", 2).is_some()));
    let others = (1_000..2_000).filter(|&number| table.locked(number, "alice", 2).is_some()).count();
    assert!(others < 1_000 * 40 / TALLIES, "{others} of a thousand others share a tally");
    // The locks end, and there is room again.
    assert_eq!(table.fail(70, "alice", 301), None);
    assert_eq!(table.0.len(), 1);
}

#[test]
fn a_policy_of_nothing_does_no_harm() {
    let mut table = Table::new(Lockout { failures: 0, ..POLICY }, 10);
    assert_eq!(table.fail(1, "alice", 0), Some(300), "0 failures are 1");
    let mut table = Table::new(Lockout { lock: Duration::ZERO, window: Duration::ZERO, failures: 1 }, 10);
    assert_eq!((table.fail(1, "alice", 0), table.fail(1, "alice", 0)), (None, None));
    let mut table = Table::new(POLICY, 0);
    table.lock(1, "alice", 0);
    let mut table = Table::new(Lockout { lock: Duration::MAX, ..POLICY }, 10);
    assert_eq!([table.fail(1, "a", 5), table.fail(1, "a", 5)], [None, None]);
    assert!(table.fail(1, "a", 5).is_some(), "a lock may last for ever");
}

#[test]
fn a_flood_is_bounded() {
    let mut table = Table::new(POLICY, 1_000);
    for number in 0..100_000_u32 {
        table.fail(number % 5_000, &format!("user{}", number % 77), u64::from(number / 1_000));
        assert!(table.0.len() <= 1_000);
    }
}
