//! Refused configurations, natively. `tests/envoy/test_refusals.py` loads the same ones into Envoy.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "tests panic when they fail"
)]

use basic_auth::config::Config;
use serde_json::Value;

#[test]
fn every_refusal_names_the_place_and_the_cure_and_no_secret() {
    let document: Value = serde_json::from_str(include_str!("../testdata/refusals.json")).unwrap();
    for row in document["refusals"].as_array().unwrap() {
        let text = row["text"].as_str().map_or_else(|| row["configuration"].to_string(), str::to_owned);
        let refusal = Config::read(text.as_bytes()).err().unwrap_or_else(|| panic!("accepted: {text}"));
        assert_eq!(refusal.to_string(), row["error"].as_str().unwrap(), "{text}");
        assert!(!format!("{refusal} {refusal:?}").contains("SECRET"), "{refusal:?}");
    }
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let refusal = Config::read(b"{\"realm\": \"\xff\"}").err().unwrap();
    assert_eq!(refusal.to_string(), "the configuration: not UTF-8; save the configuration as UTF-8");
}

#[test]
fn deep_nesting_is_refused_and_no_trap() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let text = format!("{}null{}", open.repeat(100_000), close.repeat(100_000));
        assert!(Config::read(text.as_bytes()).is_err());
    }
}
