//! What the core tells under the feature `explain`: how readings are reached, and which rules are about a request.

use basic_auth::{Config, Policy, Readings, Request, STEPS};

type Reached = (String, Option<(usize, &'static str)>);

/// The readings of a path, each with the index and the step that it was made of and by.
fn reached(path: &str) -> Option<Vec<Reached>> {
    let readings = Readings::parse(b"GET", Some(path.as_bytes()));
    let reached = readings.reached()?;
    Some(reached.iter().map(|reading| (reading.bytes.escape_ascii().to_string(), reading.made)).collect())
}

#[test]
fn each_reading_names_the_step_that_made_it() {
    let owned = |text: &str| text.to_owned();
    assert_eq!(reached("/a?q"), Some(vec![(owned("/a"), None)]));
    assert_eq!(reached("/a/"), Some(vec![(owned("/a/"), None), (owned("/a"), Some((0, "cut_trailing_slash")))]));
    assert_eq!(
        reached("/x/..%2fadmin"),
        Some(vec![
            (owned("/x/..%2fadmin"), None),
            (owned("/x/../admin"), Some((0, "decode_all"))),
            (owned("/admin"), Some((1, "resolve_dot_segments"))),
        ])
    );
    assert_eq!(reached("/%zz"), None);
}

#[test]
fn every_reading_but_the_first_has_a_step_that_comes_from_an_earlier_one() {
    for step in &STEPS {
        let path = [b"/x".as_slice(), step.from].concat();
        let readings = Readings::parse(b"GET", Some(&path));
        for (index, reading) in readings.reached().unwrap().iter().enumerate() {
            match reading.made {
                None => assert_eq!(index, 0, "{}", step.name),
                Some((of, name)) => {
                    assert!(of < index, "{}", step.name);
                    assert!(STEPS.iter().any(|known| known.name == name), "{name}");
                }
            }
        }
    }
}

#[test]
fn a_rule_that_does_not_cover_says_why() {
    let policy = Policy::new(
        Config::parse(
            r#"{"basic_auth_rules": [
            {"prefix": "/", "request_methods": ["POST"], "credentials": ["a:1"]},
            {"prefix": "/admin", "credentials": ["a:1"]},
            {"regex": "/a.*n", "credentials": ["a:1"], "except": [{"prefix": "/admin"}]},
            {"prefix": "/", "hosts": ["bar.com"], "credentials": ["a:1"]}
        ]}"#
            .as_bytes(),
        )
        .unwrap(),
    );
    let request =
        |path| Request { method: b"GET", path: Some(path), authority: Some(b"foo.com"), ..Request::default() };
    let seen: Vec<_> = policy
        .matches(&request(b"//admin"))
        .into_iter()
        .map(|known| (known.rule, known.covers(), known.method, known.excepted, known.readings.len()))
        .collect();
    // `//admin`, `/admin` and, by a cut authority, `/`.
    assert_eq!(seen, [(0, false, false, false, 3), (1, true, true, false, 1), (2, true, true, false, 1)]);
    let covering: Vec<usize> = policy.covering(&request(b"//admin")).map(|(index, _)| index).collect();
    assert_eq!(covering, [1, 2]);
    let unreadable: Vec<_> = policy.matches(&request(b"/%zz")).into_iter().map(|known| known.rule).collect();
    assert_eq!(unreadable, [0, 1, 2]);
}
