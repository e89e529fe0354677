//! `replay`: what the requests of a log would get.

use serde_json::{Value, json};

use crate::support::{Scratch, root, run};

const RULES: &str = r#"{"cors_preflight": "allow", "basic_auth_rules": [
    {"name": "admin", "prefix": "/admin", "credentials": ["a:1"]},
    {"prefix": "/inside", "credentials": ["a:1"], "allow_source_ranges": ["10.0.0.0/8"]},
    {"prefix": "/maybe", "credentials": ["a:1"], "allow_missing": true}
]}"#;

fn envoy(request: &str, client: &str) -> String {
    format!(
        r#"[2026-11-26T17:00:00.000Z] "{request} HTTP/1.1" 200 - 0 5 1 - "{client}" "curl/8" "1-2" "shop.test" "127.0.0.1:1""#
    )
}

#[test]
fn requests_of_a_log_are_counted_by_what_they_would_get() {
    let lines = [
        envoy("GET /admin?token=hunter2", "192.0.2.1"),
        envoy("GET /admin", "192.0.2.1"),
        envoy("GET //admin/x", "192.0.2.2"),
        envoy("GET /inside", "10.1.2.3"),
        envoy("GET /inside", "192.0.2.1"),
        envoy("GET /maybe", "-"),
        envoy("GET /", "192.0.2.1"),
        String::new(),
        "something else".to_owned(),
        r#"{"method":"DELETE","path":"/admin","authority":"shop.test","downstream_remote_address":"192.0.2.9:1"}"#
            .to_owned(),
    ];
    let (rules, log) = (Scratch::new("rules.json", RULES), Scratch::new("access.log", &lines.join("\n")));
    let said = run(&["replay", log.name(), rules.name()]);
    let expected = "\
8 requests, of which without a password
           5  would be refused (62.5 %)
           5    missing
           2  would pass, for a rule lets them
           1    allow_missing
           1    allow_source_ranges
           1  would pass, for no rule covers them
1 lines are of another format
Logs hold no passwords: who has the right one is among those that would be refused.

Refused by
           4  rule 0 (admin), prefix: /admin
           1  rule 1, prefix: /inside

Refused paths
           3  /admin
           1  //admin/x
           1  /inside

Refused clients
           3  192.0.2.1
           1  192.0.2.2
           1  192.0.2.9
";
    assert_eq!((said.output.as_str(), said.exit), (expected, 0), "{}", said.errors);
    let said = run(&["replay", log.name(), rules.name(), "--format", "json"]);
    let answer: Value = serde_json::from_str(&said.output).unwrap();
    assert_eq!(
        (&answer["refused"], &answer["exempt"]),
        (&json!({"missing": 5}), &json!({"allow_missing": 1, "allow_source_ranges": 1}))
    );
    assert_eq!((&answer["requests"], &answer["open"], &answer["unreadable"]), (&json!(8), &json!(1), &json!(1)));
}

#[test]
fn a_log_that_is_none_is_one_sentence() {
    let rules = root().join("examples/rules.json").to_string_lossy().into_owned();
    let log = Scratch::new("access.log", "nothing\nof this kind\n");
    let said = run(&["replay", log.name(), &rules]);
    assert_eq!((said.exit, said.errors.contains("no line of a known format")), (2, true), "{}", said.errors);
    assert_eq!(run(&["replay", "/no/such/log", &rules]).exit, 2);
}

#[test]
fn a_compressed_log_and_one_in_the_place_of_the_configuration_are_told() {
    let rules = Scratch::new("rules.json", RULES);
    for line in [envoy("GET /", "-"), r#"{"method":"GET","path":"/","authority":"a"}"#.to_owned()] {
        let log = Scratch::new("access.log", &format!("{line}\n"));
        let said = run(&["replay", rules.name(), log.name()]);
        let end = ": an access log where the configuration should be; the log comes first\n";
        assert_eq!((said.errors.ends_with(end), said.exit), (true, 2), "{}", said.errors);
    }
    let log = Scratch::new("access.log.gz", "");
    std::fs::write(log.name(), [0x1f, 0x8b, 8, 0]).unwrap();
    let said = run(&["replay", log.name(), rules.name()]);
    assert!(said.errors.contains(": compressed; give what `gzip -dc` makes of it"), "{}", said.errors);
    // What is wrong with a configuration is told as before.
    let wrong = Scratch::new("wrong.json", r#"{"basic_auth_rules": 1}"#);
    let said = run(&["replay", log.name(), wrong.name()]);
    assert!(!said.errors.contains("access log"), "{}", said.errors);
}
