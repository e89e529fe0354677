//! A configuration is read or refused, whatever its bytes: no panic, one line an error, no secret, and the same meaning
//! however it is laid out.

#![no_main]

use basic_auth::{Config, ConfigErrors, HeaderLines, Policy, Request};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// The corpus and the dictionary put this where secrets stand.
const SECRET: &str = "SECRET7";

fuzz_target!(|text: &[u8]| {
    let config = match Config::parse(text) {
        Ok(config) => config,
        Err(errors) => {
            assert!((1..=ConfigErrors::MAX).contains(&errors.errors().len()));
            for error in errors.errors() {
                let line = error.to_string();
                // A misspelt field is named, and no field is a secret.
                let named =
                    line.split_once("unknown field `").and_then(|(_, rest)| rest.split_once("`; did you mean `"));
                assert!(named.is_some() || !format!("{line}{error:?}").contains(SECRET), "a secret in: {line}");
                assert!(!line.contains(['\n', '\r']), "more than one line: {line:?}");
                assert!(!line.is_empty());
            }
            return;
        }
    };
    for warning in &config.warnings {
        let line = warning.to_string();
        assert!(!line.contains(SECRET) && !line.contains('\n'), "a warning: {line:?}");
    }
    let rules = config.rules.len();
    let decisions = decisions(&Policy::new(config));
    assert!(rules > 0 || decisions.iter().all(|decision| decision == "pass"));

    // Without its white space, and with its escapes written otherwise, it means the same.
    if text.trim_ascii().is_empty() {
        return;
    }
    let document: Value = serde_json::from_slice(text).expect("what is accepted is JSON");
    for layout in [serde_json::to_string(&document), serde_json::to_string_pretty(&document)] {
        let again = Config::parse(layout.expect("JSON can be written").as_bytes());
        let again = again.unwrap_or_else(|error| panic!("refused in another layout: {error}"));
        assert_eq!(decisions, self::decisions(&Policy::new(again)));
    }
});

fn decisions(policy: &Policy) -> Vec<String> {
    let mut decisions = Vec::new();
    for method in [&b"GET"[..], b"POST"] {
        for path in [&b"/"[..], b"/a", b"/a/b", b"/admin", b"/x/../admin", b"/%zz"] {
            for authority in [&b"foo.com"[..], b"a.foo.com:80", b"?"] {
                for credential in [HeaderLines::None, HeaderLines::One(b"Basic b2s6dGVzdA==")] {
                    let request = Request {
                        method,
                        path: Some(path),
                        authority: Some(authority),
                        credential,
                        ..Request::default()
                    };
                    decisions.push(policy.decide(&request).to_string());
                }
            }
        }
    }
    decisions
}
