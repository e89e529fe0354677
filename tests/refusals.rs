//! Refused configurations, natively. `tests/envoy/test_refusals.py` loads the same ones into Envoy.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "tests panic when they fail"
)]

use basic_auth::{Config, Warning, WarningKind};
use serde_json::{Value, json};

fn text_of(row: &Value) -> String {
    row["text"].as_str().map_or_else(|| row["configuration"].to_string(), str::to_owned)
}

#[test]
fn every_refusal_names_the_path_and_the_cure_and_no_secret() {
    let document: Value = serde_json::from_str(include_str!("../testdata/refusals.json")).unwrap();
    for row in document["refusals"].as_array().unwrap() {
        let text = text_of(row);
        let refusal = Config::parse(text.as_bytes()).err().unwrap_or_else(|| panic!("accepted: {text}"));
        let expected: Vec<&str> = match row["errors"].as_array() {
            Some(errors) => errors.iter().map(|error| error.as_str().unwrap()).collect(),
            None => vec![row["error"].as_str().unwrap()],
        };
        assert_eq!(refusal.to_string().lines().collect::<Vec<_>>(), expected, "{text}");
        assert!(!format!("{refusal} {refusal:?}").contains("SECRET"), "{refusal:?}");
    }
}

#[test]
fn every_warning_is_one_line_with_the_path_and_no_secret() {
    let document: Value = serde_json::from_str(include_str!("../testdata/warnings.json")).unwrap();
    for row in document["warnings"].as_array().unwrap() {
        let text = text_of(row);
        let warnings = Config::parse(text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}: {text}")).warnings;
        let lines: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        assert_eq!(json!(lines), row["warnings"], "{text}");
        assert!(!format!("{lines:?} {warnings:?}").contains("SECRET"), "{warnings:?}");
    }
}

#[test]
fn of_a_hundred_thousand_broken_rules_ten_are_named_and_all_counted() {
    let broken = json!({"prefix": "/", "credentials": ["no colon here"], "hosts": [1]});
    let text = json!({"basic_auth_rules": vec![broken; 100_000]}).to_string();
    let errors = Config::parse(text.as_bytes()).unwrap_err();
    let paths: Vec<&str> = errors.errors().iter().map(|error| &*error.path).collect();
    let expected: Vec<String> = (0..5)
        .flat_map(|rule| ["credentials[0]", "hosts[0]"].map(|field| format!("basic_auth_rules[{rule}].{field}")))
        .collect();
    assert_eq!((paths, errors.more()), (expected.iter().map(String::as_str).collect(), 199_990));
}

#[test]
fn the_first_errors_are_kept_whenever_they_are_found() {
    // The top is read before the rules, and its errors are the last ones here.
    let rules = ["{}"; 6].join(", ");
    let text = format!(r#"{{"basic_auth_rules": [{rules}], "realm": null, "lockout": null, "hosts": []}}"#);
    let errors = Config::parse(text.as_bytes()).unwrap_err();
    let (first, last) = (&errors.errors()[0], &errors.errors()[9]);
    assert_eq!((&*first.path, &*last.path), ("basic_auth_rules[0]", "basic_auth_rules[4]"));
    assert_eq!((errors.errors().len(), errors.more()), (10, 5));
}

#[test]
fn rules_that_differ_are_not_taken_for_one() {
    let rules: Vec<Value> =
        (0..20_000).map(|number| json!({"prefix": format!("/{number}/"), "credentials": ["ok:test"]})).collect();
    let config = Config::parse(json!({"basic_auth_rules": rules}).to_string().as_bytes()).unwrap();
    assert_eq!(config.warnings, []);
}

#[test]
fn of_a_hundred_thousand_warnings_some_are_named_and_all_counted() {
    let rule = json!({"prefix": "/", "request_methods": ["GET"], "credentials": vec!["api-key:"; 100_000]});
    let config = Config::parse(json!({"basic_auth_rules": [rule]}).to_string().as_bytes()).unwrap();
    // What is about all rules is named whatever else there is.
    assert_eq!(config.warnings[0].kind, WarningKind::OpenMethods { rules: 1 });
    assert_eq!((config.warnings.len(), config.more_warnings), (1 + Warning::MAX, 100_000 - Warning::MAX));
}

#[test]
fn the_errors_are_in_the_order_of_the_text() {
    // However it is read: the path first, then hosts, and the top before the rules.
    let text =
        r#"{"basic_auth_rules": [{"hosts": [1], "prefix": "", "x": 1, "realm": 1}, 1], "realm": 1, "lockout": 1}"#;
    let errors = Config::parse(text.as_bytes()).unwrap_err();
    let paths: Vec<&str> = errors.errors().iter().map(|error| &*error.path).collect();
    let rule = "basic_auth_rules[0]";
    let expected = [
        &format!("{rule}.hosts[0]"),
        &format!("{rule}.prefix"),
        // `x`, of whose name nothing is shown.
        rule,
        &format!("{rule}.realm"),
        "basic_auth_rules[1]",
        "realm",
        "lockout",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let refusal = Config::parse(b"{\"realm\": \"\xff\"}").err().unwrap();
    assert_eq!(refusal.to_string(), "the configuration: not UTF-8; save the configuration as UTF-8");
}

#[test]
fn a_message_of_protobuf_is_recognised_though_it_is_not_utf8() {
    // A Struct of one field, whose length takes two bytes.
    let realm = "x".repeat(300);
    let value = [&[0x1a, 0xac, 0x02], realm.as_bytes()].concat();
    let entry = [b"\x0a\x05realm\x12\xaf\x02", &value[..]].concat();
    let structure = [&[0x0a, 0xb9, 0x02], &entry[..]].concat();
    let refusal = Config::parse(&structure).err().unwrap().to_string();
    assert!(refusal.starts_with("the configuration: binary, and JSON is wanted; "), "{refusal}");
}

#[test]
fn deep_nesting_is_refused_and_no_trap() {
    for (open, close, error) in [
        ("[", "]", "the configuration: expected an object, found an array"),
        ("{\"realm\":", "}", "realm: expected a string, found an object"),
        ("{\"a\":", "}", "the configuration: unknown field; the fields here are "),
    ] {
        let text = format!("{}null{}", open.repeat(100_000), close.repeat(100_000));
        let refusal = Config::parse(text.as_bytes()).err().unwrap().to_string();
        assert!(refusal.starts_with(error), "{refusal}");
    }
}

#[test]
fn what_is_too_large_names_the_number() {
    let most = 32 << 20;
    let text = format!("{{\"realm\": \"{}\"}}", "a".repeat(most));
    let refusal = Config::parse(text.as_bytes()).err().unwrap().to_string();
    let words = format!("the configuration: {} bytes of text, and {most} is the most; ", text.len());
    assert!(refusal.starts_with(&words), "{refusal}");

    // A pattern with several readings for many hosts multiplies.
    let hosts: Vec<String> = (0..1_000).map(|number| format!("host{number}.test")).collect();
    let pattern = "/a%20b%2fc;d/e//f/../g%5Ch";
    let rule = serde_json::json!({"exact": pattern, "hosts": hosts, "credentials": ["ok:test"]});
    let text = serde_json::json!({"basic_auth_rules": vec![rule; 200]}).to_string();
    let refusal = Config::parse(text.as_bytes()).err().unwrap().to_string();
    assert!(refusal.contains("readings of patterns times hosts, and 1000000 is the most"), "{refusal}");

    // A long one takes memory for each host.
    let hosts: Vec<String> = (0..15_000).map(|number| format!("h{number}")).collect();
    let rule =
        serde_json::json!({"prefix": format!("/{}", "a".repeat(15_000)), "hosts": hosts, "credentials": ["ok:test"]});
    let refusal = Config::parse(serde_json::json!({"basic_auth_rules": [rule]}).to_string().as_bytes()).err().unwrap();
    let words = "basic_auth_rules[0]: 225030001 bytes in readings of patterns times hosts, and 67108864 is the most; ";
    assert!(refusal.to_string().starts_with(words), "{refusal}");

    let rule = serde_json::json!({"regex": "/a.*", "credentials": ["ok:test"]});
    let text = serde_json::json!({"basic_auth_rules": vec![rule; 10_001]}).to_string();
    let refusal = Config::parse(text.as_bytes()).err().unwrap().to_string();
    assert!(refusal.starts_with("basic_auth_rules[10000]: 10001 regexes, and 10000 is the most; "), "{refusal}");
}

#[test]
fn debug_of_a_configuration_shows_no_user_and_no_secret() {
    // `{SHA}` of `hidden`, plain pairs, base64 of `carol:hidden`, and what draws warnings.
    let text = serde_json::json!({"realm": "shop", "lockout": {"failures": 3, "window_seconds": 60, "lock_seconds": 60}, "basic_auth_rules": [{
        "prefix": "/admin",
        "hosts": ["example.com"],
        "except": [{"regex": "/admin/open"}],
        "credentials": ["alice:hidden", "bob:", "dave:$apr1$hidden$hidden", "Y2Fyb2w6aGlkZGVu"],
        "htpasswd": "erin:{SHA}ZdTPgaXk02REtpsgAQFWbdzgLnY=",
    }]})
    .to_string();
    let config = Config::parse(text.as_bytes()).unwrap();
    for shown in
        [format!("{config:?}"), format!("{config:#?}"), format!("{:?}", config.rules), format!("{:?}", config.warnings)]
    {
        let secret = ["hidden", "alice", "bob", "carol", "dave", "erin", "Y2Fy", "ZdTP", "apr1", "SHA"]
            .into_iter()
            .find(|secret| shown.contains(secret));
        assert_eq!(secret, None, "{shown}");
    }
    let shown = format!("{config:?}");
    for part in ["credentials: 4", "htpasswd: 1", "shop", "EmptyPassword", "LooksLikeHash", "window: 60s"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}
