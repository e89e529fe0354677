//! htpasswd text, and logins checked against a list of users.

#![allow(
    clippy::panic,
    clippy::format_collect,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use proptest::prelude::*;

use super::UserList;
use crate::test_support::hashes::{APR1, BCRYPT4, BCRYPT5, OTHER_BCRYPT4, SHA, SHA256, SHA512};
use crate::users::hash::{Hash, HashError, Scheme, Step, Work};
use crate::users::htpasswd::{HtpasswdError, HtpasswdErrorKind, Line, MAX_HASHES_PER_USER, lines};
use crate::users::name::UserNameError;
use crate::users::verification::{End, Verification};

/// What a failed login costs, with a password of so many bytes.
fn cost(list: &UserList, password_len: usize) -> Work {
    list.effort().work(password_len)
}

fn list(lines: &[(&str, &str)]) -> UserList {
    let text: String = lines.iter().map(|(user, hash)| format!("{user}:{hash}\n")).collect();
    UserList::parse(text).unwrap()
}

/// How a login ends, and what it cost.
fn login(list: &UserList, user: &str, password: &str) -> (Step, Work) {
    let mut verification = Verification::new([list], user.as_bytes(), password.as_bytes(), End::WhenFound);
    let step = verification.step(Work::from_nanos(u64::MAX));
    assert_eq!(verification.remaining(), Work::ZERO);
    (step, verification.done_work())
}

#[test]
fn lines_are_read_as_apache_and_nginx_read_them() {
    let text = "\u{feff}# a comment\r\n\r\nalice:one\r\n  bob:two \t\n\t# another\n\nünï code:three\nlast:four:a comment: with all\tin it";
    let found: Vec<_> = lines(text).map(Result::unwrap).map(|line| (line.number, line.user, line.hash)).collect();
    assert_eq!(found, [(3, "alice", "one"), (4, "bob", "two"), (7, "ünï code", "three"), (8, "last", "four")]);
}

#[test]
fn a_third_field_is_ignored() {
    let list = UserList::parse(format!("alice:{SHA}:Alice, since 2020\nbob:{BCRYPT4}:\n")).unwrap();
    for user in ["alice", "bob"] {
        assert_eq!(
            (login(&list, user, "secret").0, login(&list, user, "wrong").0),
            (Step::Right, Step::Wrong),
            "{user}"
        );
    }
}

#[test]
fn base64_of_a_text_is_told_from_a_text() {
    // alice:{SHA}… in base64, on two lines.
    let text = "YWxpY2U6e1NIQX01ZW42RzZNZXpScm9UM1hLcWtk\r\nUE9tWS9CZlE9Cg==\n";
    let error = UserList::parse(text).unwrap_err();
    assert_eq!(error, HtpasswdError { line: 0, kind: HtpasswdErrorKind::Base64 });
    assert!(error.to_string().starts_with("base64 of htpasswd text; decode it"), "{error}");
    // Base64 of what has no colon.
    let error = UserList::parse("YWxpY2U=").unwrap_err();
    assert_eq!(error, HtpasswdError { line: 1, kind: HtpasswdErrorKind::MissingColon });
}

#[test]
fn costly_lines_are_named() {
    let cost = |cost| BCRYPT4.replace("$04$", cost);
    let text = format!("# users\na:{}\nb:{}\nc:{}\n", cost("$14$"), cost("$12$"), cost("$13$"));
    assert_eq!(UserList::parse(text).unwrap().costly_lines(), [2, 4]);
    let many: String = (0..100).map(|number| format!("user{number}:{}\n", cost("$14$"))).collect();
    assert_eq!(UserList::parse(many).unwrap().costly_lines(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
}

#[test]
fn a_byte_order_mark_may_stand_before_a_user() {
    let found: Vec<_> = lines("\u{feff} alice:one\n").map(Result::unwrap).collect();
    assert_eq!((found[0].user, found[0].start), ("alice", 4));
    assert_eq!(Line::at("\u{feff} alice:one\n", 4), Some(("alice", "one")));
}

#[test]
fn a_line_shows_nothing() {
    assert_eq!(format!("{:?}", lines("# users\nalice:one").next().unwrap().unwrap()), "Line(2, ..)");
}

#[test]
fn a_bad_line_is_named_by_its_number() {
    let good = format!("alice:{SHA}\n");
    let line = |kind| HtpasswdError { line: 2, kind };
    for (text, error) in [
        ("no-colon", line(HtpasswdErrorKind::MissingColon)),
        (":hash", line(HtpasswdErrorKind::User(UserNameError::Empty))),
        ("bob :{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", line(HtpasswdErrorKind::User(UserNameError::Blank))),
        ("${USER}:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", line(HtpasswdErrorKind::User(UserNameError::Placeholder))),
        ("Authorization: Basic b2s6dGVzdA==", line(HtpasswdErrorKind::User(UserNameError::Header))),
        ("Basic bob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", line(HtpasswdErrorKind::User(UserNameError::Header))),
        ("${USERS}", line(HtpasswdErrorKind::Placeholder)),
        ("{{ .Values.htpasswd }}", line(HtpasswdErrorKind::Placeholder)),
        ("bob:$(HASH)", line(HtpasswdErrorKind::Placeholder)),
        ("bob:{{ .Values.hash }}", line(HtpasswdErrorKind::Placeholder)),
        ("bob:$$apr1$$IEG2.gcn$$JGPAXLVs55p5.sY5fJn7T1", line(HtpasswdErrorKind::Hash(HashError::DoubledDollar))),
        // Of $2y$10$… in double quotes a shell leaves what are no variables.
        ("bob:y0.hE/5en6", line(HtpasswdErrorKind::Hash(HashError::PlainText))),
        (
            "bob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ= carl:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
            line(HtpasswdErrorKind::SeveralUsers),
        ),
        ("bob:$apr1$IEG2.gcn$5en6:a comment carl:$apr1$IEG2.gcn$5en6", line(HtpasswdErrorKind::SeveralUsers)),
        ("bob:", line(HtpasswdErrorKind::Hash(HashError::Empty))),
        ("bob:secret", line(HtpasswdErrorKind::Hash(HashError::PlainText))),
        ("bob:rqXexS6ZhobKA", line(HtpasswdErrorKind::Hash(HashError::DesCrypt))),
        ("b\u{7}ob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", line(HtpasswdErrorKind::ControlCharacter)),
        ("bob\t:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", line(HtpasswdErrorKind::ControlCharacter)),
        ("bob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\rcarl:x", line(HtpasswdErrorKind::ControlCharacter)),
        ("bob: {SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", line(HtpasswdErrorKind::Space)),
        (
            "bob:$2y$31$abcdefghijklmnopqrstuuMFdJu9yVgmagVAIC24fOZkaFqd3s9JC",
            line(HtpasswdErrorKind::Hash(HashError::CostTooHigh { scheme: Scheme::Bcrypt, max: 14 })),
        ),
    ] {
        let found = UserList::parse(format!("{good}{text}\n{good}")).unwrap_err();
        assert_eq!(found, error, "{text}");
        let shown = found.to_string();
        assert!(shown.starts_with("line 2: ") && !shown.contains("bob") && !shown.contains("5en6"), "{shown}");
    }
}

#[test]
fn a_text_without_users_is_refused() {
    for text in ["", "\n\n", "# nobody\n", "\u{feff}", " \t \r\n"] {
        let error = UserList::parse(text).unwrap_err();
        assert_eq!(error, HtpasswdError { line: 0, kind: HtpasswdErrorKind::NoUser });
        assert!(error.to_string().starts_with("no user"), "no line is at fault: {error}");
    }
}

#[test]
fn any_of_a_users_passwords_is_right() {
    let list = list(&[("alice", BCRYPT4), ("bob", SHA), ("alice", OTHER_BCRYPT4), ("alice", OTHER_BCRYPT4)]);
    assert_eq!(list.lines(), 3, "a repeated line counts once");
    assert_eq!(login(&list, "alice", "secret").0, Step::Right);
    assert_eq!(login(&list, "alice", "other").0, Step::Right);
    assert_eq!(login(&list, "alice", "neither").0, Step::Wrong);
    assert_eq!(login(&list, "bob", "other").0, Step::Wrong);
    assert_eq!(login(&list, "bob", "secret").0, Step::Right);
    assert_eq!(login(&list, "Alice", "secret").0, Step::Wrong, "names compare exactly");
    assert!(list.contains(b"bob") && !list.contains(b"bo") && !list.contains(b"bobb") && !list.contains(&[0xff]));
}

/// CVE-2026-27480 and CVE-2026-41263: an unknown user, or one with a cheap hash, was answered faster than others.
#[test]
fn every_failure_costs_the_same() {
    let list = list(&[
        ("sha", SHA),
        ("apr1", APR1),
        ("bcrypt4", BCRYPT4),
        ("bcrypt5", BCRYPT5),
        ("sha256", SHA256),
        ("sha512", SHA512),
        ("two", BCRYPT4),
        ("two", OTHER_BCRYPT4),
        ("mixed", SHA),
        ("mixed", APR1),
        ("mixed", SHA512),
    ]);
    for password in [
        "wrong",
        "",
        "a password of more than sixty-four bytes, which has more blocks to hash",
        "n\0l",
        &"x".repeat(1_000),
    ] {
        let cost = cost(&list, password.len());
        assert!(cost > Work::from_micros(5_000));
        for user in ["sha", "apr1", "bcrypt4", "bcrypt5", "sha256", "sha512", "two", "mixed", "nobody", ""] {
            assert_eq!(login(&list, user, password), (Step::Wrong, cost), "{user}");
        }
    }
    for user in ["sha", "apr1", "bcrypt4", "bcrypt5", "sha256", "sha512", "two", "mixed"] {
        let (step, work) = login(&list, user, "secret");
        assert_eq!(step, Step::Right, "{user}");
        assert!(work <= cost(&list, 6), "{user}");
    }
}

#[test]
fn a_list_of_one_scheme_costs_its_costliest_user() {
    let list = list(&[("alice", BCRYPT4), ("bob", BCRYPT5)]);
    assert_eq!(cost(&list, 8), Hash::parse(BCRYPT5).unwrap().effort().work(8));
}

#[test]
fn fast_lists_are_done_at_once() {
    let list = list(&[("alice", SHA), ("bob", SHA)]);
    for (user, password, step) in
        [("alice", "secret", Step::Right), ("alice", "wrong", Step::Wrong), ("nobody", "secret", Step::Wrong)]
    {
        let verification = Verification::new([&list], user.as_bytes(), password.as_bytes(), End::WhenFound);
        assert_eq!((verification.state(), verification.done_work()), (step, cost(&list, password.len())), "{user}");
    }
    assert_eq!(Verification::new([], b"alice", b"secret", End::WhenFound).state(), Step::Wrong, "no list knows nobody");
}

#[test]
fn several_lists_are_one() {
    let (one, other) = (list(&[("alice", BCRYPT4)]), list(&[("alice", OTHER_BCRYPT4), ("bob", APR1)]));
    let total = cost(&one, 6).plus(cost(&other, 6));
    for (user, password, right) in [
        ("alice", "secret", true),
        ("alice", "other", true),
        ("bob", "secret", true),
        ("bob", "wrong!", false),
        ("carl", "secret", false),
    ] {
        let mut verification = Verification::new([&one, &other], user.as_bytes(), password.as_bytes(), End::WhenFound);
        assert_eq!(verification.step(Work::from_nanos(u64::MAX)) == Step::Right, right, "{user}");
        assert!(right || verification.done_work() == total);
    }
}

#[test]
fn a_user_has_only_so_many_hashes() {
    let line = |n: usize| format!("alice:$2y$04${}{:02}\n", &BCRYPT4[7..58], n).replace("\n\n", "\n");
    let text: String = (0..=MAX_HASHES_PER_USER).map(line).collect();
    assert_eq!(UserList::parse(text).err().map(|error| error.kind), Some(HtpasswdErrorKind::TooManyHashes));
    assert!(UserList::parse((1..=MAX_HASHES_PER_USER).map(line).collect::<String>()).is_ok());
    let costly: String = (0..3).map(line).collect::<String>().replace("$04$", "$14$");
    assert_eq!(UserList::parse(costly).err(), Some(HtpasswdError { line: 3, kind: HtpasswdErrorKind::TooCostly }));
}

#[test]
fn a_hundred_thousand_users_are_found() {
    let text: String = (0..100_000).map(|n| format!("user{n}:{SHA}\n")).collect();
    let list = UserList::parse(text).unwrap();
    assert_eq!(list.lines(), 100_000);
    for user in ["user0", "user77777", "user99999"] {
        assert_eq!(login(&list, user, "secret").0, Step::Right);
    }
    assert_eq!(login(&list, "user100000", "secret").0, Step::Wrong);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in "[ -~\n\r\t\u{feff}é:#]{0,200}") {
        let _ = UserList::parse(text);
    }

    #[test]
    fn lines_are_found_again(text in "([ -~\r\té:#]{0,20}\n){0,12}", mark in any::<bool>()) {
        let text = if mark { format!("\u{feff}{text}") } else { text };
        for line in lines(&text).flatten() {
            prop_assert_eq!(Line::at(&text, line.start), Some((line.user, line.hash)));
        }
    }

    #[test]
    fn sliced_is_unsliced(
        user in prop::sample::select(vec!["apr1", "bcrypt", "sha512", "two", "nobody"]),
        password in prop::sample::select(vec!["secret", "other", "wrong"]),
        budgets in prop::collection::vec(1..2_000_000_u64, 1..8),
    ) {
        let list = list(&[("apr1", APR1), ("bcrypt", BCRYPT4), ("sha512", SHA512), ("two", OTHER_BCRYPT4), ("two", APR1)]);
        let mut sliced = Verification::new([&list], user.as_bytes(), password.as_bytes(), End::WhenFound);
        for budget in budgets.iter().cycle() {
            if sliced.step(Work::from_nanos(*budget)) != Step::Pending {
                break;
            }
        }
        prop_assert_eq!((sliced.state(), sliced.done_work()), login(&list, user, password));
    }
}

/// A user who may not pass anyway: how soon the refusal comes must not tell whether the password is right.
#[test]
fn a_right_password_can_cost_what_a_wrong_one_does() {
    let list = list(&[("alice", SHA), ("bob", BCRYPT4), ("carl", APR1), ("carl", BCRYPT4)]);
    for user in ["alice", "bob", "carl"] {
        for (password, end) in [("secret", Step::Right), ("wrong!", Step::Wrong)] {
            let mut verification = Verification::new([&list], user.as_bytes(), password.as_bytes(), End::WhenAllIsDone);
            assert_eq!(verification.step(Work::from_nanos(u64::MAX)), end, "{user}, {password}");
            assert_eq!(verification.done_work(), cost(&list, password.len()), "{user}, {password}");
        }
    }
}
