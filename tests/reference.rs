//! Random configurations as the C++ module of istio-ecosystem/wasm-extensions takes them, written from its documentation:
//! each loads here, and protects what it protected there.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "tests panic when they fail"
)]

use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, Engine};
use basic_auth::{Config, Decision, HeaderLines, Policy, Reason, Request};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// A rule, and a request that it covers.
#[derive(Debug, Clone)]
struct Rule {
    json: Value,
    method: &'static str,
    host: String,
    path: String,
    user: String,
}

/// A host pattern, and a host that matches it.
fn host() -> impl Strategy<Value = (String, String)> {
    let name = || "[a-z0-9]{1,8}(-[a-z0-9]{1,4})?(\\.[a-z]{2,5}){1,2}";
    prop_oneof![
        name().prop_map(|name| (name.clone(), name)),
        (name(), name()).prop_map(|(end, any)| (format!("*.{end}"), format!("{any}.{end}"))),
        ("[a-z0-9]{1,8}", name()).prop_map(|(begin, any)| (format!("{begin}.*"), format!("{begin}.{any}"))),
        (name(), name()).prop_map(|(end, any)| (format!("*-{end}"), format!("{any}-{end}"))),
        (name(), name()).prop_map(|(end, any)| (format!("*{end}"), format!("{any}{end}"))),
        (name(), name()).prop_map(|(begin, any)| (format!("{begin}*"), format!("{begin}{any}"))),
        (name(), name()).prop_map(|(begin, any)| (format!("{begin}-*"), format!("{begin}-{any}"))),
        (1..255_u8).prop_map(|last| ("127.0.0*".to_owned(), format!("127.0.0.{last}"))),
        (1..255_u8).prop_map(|last| (format!("*.{last}"), format!("10.2.3.{last}"))),
        name().prop_map(|any| ("*".to_owned(), any)),
        (name(), 1..=65_535_u16).prop_map(|(name, port)| (name.clone(), format!("{name}:{port}"))),
    ]
}

/// The field of a path pattern, its text, and a path that it covers.
fn path() -> impl Strategy<Value = (&'static str, String, String)> {
    let segments =
        || "(/[A-Za-z0-9_~.-]{1,8}){0,3}/?".prop_map(|path| if path.is_empty() { "/".to_owned() } else { path });
    let rest = "[A-Za-z0-9_~.-]{0,4}";
    prop_oneof![
        (segments(), rest).prop_map(|(prefix, rest)| ("prefix", prefix.clone(), prefix + &rest)),
        segments().prop_map(|path| ("exact", path.clone(), path)),
        (segments(), "[A-Za-z0-9_~-]{1,4}(\\.[a-z]{1,4})?").prop_map(|(path, suffix)| (
            "suffix",
            suffix.clone(),
            format!("{path}x{suffix}")
        )),
    ]
}

/// An entry of `credentials`, and the pair that it stands for.
fn credential() -> impl Strategy<Value = (String, String)> {
    // Without `$` and `{`: a placeholder that nobody filled in is refused here, as README.md says.
    let pair = ("[A-Za-z0-9_.@+-]{1,10}", "[!-#%-z|}~]([ -#%-z|}~]{0,8}[!-#%-z|}~])?")
        .prop_map(|(user, password)| format!("{user}:{password}"));
    (pair, select(vec![None, Some(&BASE64_STANDARD), Some(&BASE64_STANDARD_NO_PAD)])).prop_map(|(pair, encoding)| {
        let written = encoding.map_or_else(|| pair.clone(), |encoding| encoding.encode(&pair));
        (written, pair)
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let methods =
        vec(select(vec!["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "TRACE", "CONNECT"]), 1..5);
    let hosts = option::of(vec(host(), 1..4));
    (path(), hosts, methods, vec(credential(), 1..4)).prop_map(
        |((field, pattern, path), hosts, methods, credentials)| {
            let written: Vec<&String> = credentials.iter().map(|(written, _)| written).collect();
            let mut json = json!({"request_methods": methods, "credentials": written});
            json[field] = json!(pattern);
            if let Some(hosts) = &hosts {
                json["hosts"] = hosts.iter().map(|(pattern, _)| pattern.clone()).collect();
            }
            let host = hosts.map_or_else(|| "example.com".to_owned(), |hosts| hosts[0].1.clone());
            Rule { json, method: methods[0], host, path, user: credentials[0].1.clone() }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_configuration_of_the_reference_loads_and_protects_the_same(rules in vec(rule(), 1..6)) {
        let text = json!({"basic_auth_rules": rules.iter().map(|rule| rule.json.clone()).collect::<Value>()}).to_string();
        let policy = match Config::parse(text.as_bytes()) {
            Ok(config) => Policy::new(config),
            Err(errors) => panic!("{errors}\n{text}"),
        };
        for rule in &rules {
            let request = |credential| Request {
                method: rule.method.as_bytes(),
                path: Some(rule.path.as_bytes()),
                authority: Some(rule.host.as_bytes()),
                credential, ..Request::default()
            };
            let open = policy.decide(&request(HeaderLines::None));
            prop_assert!(matches!(open, Decision::Refused { reason: Reason::Missing, .. }), "{open} {rule:?}");
            // Alone, for every other rule that covers the request has to accept the user as well.
            let alone = json!({"basic_auth_rules": [rule.json]}).to_string();
            let alone = Policy::new(Config::parse(alone.as_bytes()).unwrap());
            let header = format!("Basic {}", BASE64_STANDARD.encode(&rule.user));
            let accepted = alone.decide(&request(HeaderLines::One(header.as_bytes())));
            prop_assert!(matches!(accepted, Decision::Accepted { .. }), "{accepted} {rule:?}");
        }
    }
}
