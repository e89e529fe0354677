//! `explain`: the decision and what leads to it.

use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::OsStringExt;

use serde_json::Value;

use crate::support::{Scratch, root, run, run_with};
use crate::table;

/// The same table runs through a real Envoy: `tests/envoy/test_decisions.py` compares its answers with what is explained
/// here, which goes to the file that the variable `EXPLANATIONS` names, a line for each case in the order of the table.
#[test]
fn explain_agrees_with_the_table_of_decisions() {
    let folder = root().join("testdata/decisions");
    let mut explanations = String::new();
    let mut explained = 0;
    for table in table::all(&folder) {
        let document: Value =
            serde_json::from_slice(&std::fs::read(folder.join(format!("{}.json", table.name))).unwrap()).unwrap();
        let file = Scratch::new("table.json", &document["configuration"].to_string());
        for case in &table.cases {
            let mut arguments: Vec<OsString> =
                ["explain", "--format", "json", "--from", "127.0.0.1"].map(OsString::from).into();
            let mut header = |name: &str, value: &[u8]| {
                let line = [name.as_bytes(), b": ", value].concat();
                arguments.extend([OsString::from("-H"), OsString::from_vec(line)]);
            };
            // Without a scheme the table means plain http, as Envoy gets it there.
            header(":scheme", b"http");
            for (name, value) in case.authority.iter().map(|host| (":authority", host)) {
                header(name, value);
            }
            for (name, value) in case.path.iter().map(|path| (":path", path)) {
                header(name, value);
            }
            for (name, value) in &case.headers {
                header(name, value);
            }
            let is_connect = case.path.is_none();
            let url = if is_connect { case.authority.clone().unwrap_or_default() } else { b"/".to_vec() };
            arguments.extend([
                "--".into(),
                file.name().into(),
                OsString::from_vec(case.method.clone()),
                OsString::from_vec(url),
            ]);
            let said = run_with(arguments);
            let answers: Value =
                serde_json::from_str(&said.output).unwrap_or_else(|_| panic!("{case}: {}", said.errors));
            assert_eq!(answers[0]["decision"], case.expect.as_str(), "{}: {case}: {}", table.name, case.why);
            agrees_with_itself(&answers[0], table.policy.rules());
            let _ = writeln!(explanations, "{}", answers[0]);
            explained += 1;
        }
    }
    assert!(explained > 1_000, "{explained}");
    if let Some(file) = std::env::var_os("EXPLANATIONS") {
        std::fs::write(file, explanations).unwrap();
    }
}

/// Who decides is among the rules that are asked, and whoever is asked is named with a reading.
fn agrees_with_itself(answer: &Value, rules_of_table: usize) {
    let decision = answer["decision"].as_str().unwrap();
    let rules = answer["rules"].as_array().unwrap();
    let asked: Vec<u64> =
        rules.iter().filter(|rule| rule["relation"] == "asked").map(|rule| rule["rule"].as_u64().unwrap()).collect();
    assert!(asked.iter().all(|rule| usize::try_from(*rule).unwrap() < rules_of_table));
    if let Some((_, rest)) = decision.split_once(" by rule ") {
        let rule = rest.split([' ', ',']).next().unwrap().parse().unwrap();
        assert!(asked.contains(&rule), "{answer:#}");
    }
    if decision == "pass" {
        assert!(asked.is_empty(), "{answer:#}");
    }
    assert_eq!(
        answer["answer"].is_null(),
        ["pass", "accepted"].iter().any(|word| decision.starts_with(word)),
        "{answer:#}"
    );
}

#[test]
fn an_explanation_names_readings_rules_and_answer() {
    let file = root().join("examples/rules.json");
    let said = run(&["explain", &file.to_string_lossy(), "GET", "https://x.example.com/x/..%2fADMIN"]);
    let expected = r#"GET https://x.example.com/x/..%2fADMIN

Readings of the path
   1  /x/..%2fADMIN  as it was sent
   2  /x/../ADMIN    1 by decode_all (most frameworks)
   3  /ADMIN         2 by resolve_dot_segments (nearly everybody (RFC 3986, section 5.2.4), clamped at the root)

Rules
  rule 1, exact: /admin covers it by reading 3

Decision
  refused for missing by rule 1 with realm office

Answer
  401
  www-authenticate: Basic realm="office", charset="UTF-8"
  %RESPONSE_CODE_DETAILS%: basic_auth_missing
"#;
    assert_eq!((said.output.as_str(), said.exit), (expected, 0));
}

#[test]
fn an_explanation_says_why_a_rule_is_not_asked_and_what_goes_on() {
    let file = Scratch::new(
        "rules.json",
        r#"{"forward_username_header": "x-user", "hide_credentials": true, "first_match": true, "basic_auth_rules": [
            {"name": "post", "prefix": "/", "request_methods": ["POST"], "credentials": ["ok:test"]},
            {"prefix": "/", "credentials": ["ok:test"], "except": [{"prefix": "/admin/open"}]},
            {"prefix": "/admin", "credentials": ["ok:test"]},
            {"prefix": "/", "credentials": ["ok:test"]}
        ]}"#,
    );
    let said =
        run(&["explain", file.name(), "GET", "https://shop.test/admin/open", "-u", "ok:test", "-H", "X-User: mallory"]);
    for line in [
        "  rule 0 (post), prefix: / leaves GET open",
        "  rule 1, prefix: / has an exception that takes it out",
        "  rule 2, prefix: /admin covers it by reading 1",
        "  rule 3, prefix: / is not asked, for an earlier rule decides (`first_match`)",
        "  accepted as ok by rule 2",
        "  removed: x-user, which a client sent",
        "  removed: authorization",
        "  added: x-user: ok",
    ] {
        assert!(said.output.lines().any(|printed| printed == line), "{line}\n{}", said.output);
    }
    assert!(!said.output.contains("ok:test"), "{}", said.output);
    let said = run(&["explain", file.name(), "GET", "/admin/open"]);
    let hint = "  no host is given, so it may be any: every rule for this path is asked";
    assert!(said.output.lines().any(|printed| printed == hint), "{}", said.output);
}

#[test]
fn what_cannot_be_explained_is_one_sentence() {
    let refused =
        Scratch::new("refused.json", r#"{"basic_auth_rules": [{"prefix": "/*", "credentials": ["ok:test"]}]}"#);
    let said = run(&["explain", refused.name(), "GET", "/"]);
    assert_eq!(said.exit, 2);
    assert!(said.errors.contains(":1:34: basic_auth_rules[0].prefix: `*` is no wildcard here; "), "{}", said.errors);
    let said = run(&["explain", "/no/such/file", "GET", "/"]);
    assert!(said.errors.starts_with("basic-auth: /no/such/file: No such file"), "{}", said.errors);
    let file = root().join("examples/rules.json");
    let said = run(&["explain", &file.to_string_lossy(), "GET", "/", "-H", "secret"]);
    assert_eq!((said.exit, said.errors.contains("secret")), (2, false), "{}", said.errors);
    let said = run(&["explain", &file.to_string_lossy(), "GET", "secret.example.com/"]);
    assert_eq!((said.exit, said.errors.contains("secret")), (2, false), "{}", said.errors);
    let said = run(&["explain", &file.to_string_lossy(), "GET", "https://ok:test@shop.test/productpage"]);
    assert!(said.output.contains("accepted as ok") && !said.output.contains("ok:test"), "{}", said.output);
    // Of users that are not known it says so.
    let file = root().join("examples/envoy/htpasswd.yaml");
    let said = run(&["explain", &file.to_string_lossy(), "GET", "/productpage"]);
    assert_eq!(said.exit, 0);
    assert!(said.errors.contains("the value of `BASIC_AUTH_USERS` is not known here"), "{}", said.errors);
}
