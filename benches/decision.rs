//! What a decision costs on this machine, with no proxy near: `cargo bench`.

use base64::prelude::{BASE64_STANDARD, Engine};
use basic_auth::{Config, Policy, Request};
use divan::Bencher;
use divan::counter::BytesCount;

fn main() {
    divan::main();
}

/// Numbers of rules.
const RULES: &[usize] = &[1, 100, 10_000, 100_000];

/// Long paths by what they are made of.
const LONG: &[(&str, &str)] =
    &[("letters", "a"), ("dots", "../"), ("escaped", "%2e%2e%2f"), ("parameters", "a;b/"), ("slashes", "/")];

/// A configuration with a prefix and a user for each rule.
fn configuration(rules: usize) -> String {
    let rule = |place| format!(r#"{{"prefix":"/team{place:06}/","credentials":["user{place:06}:secret{place:06}"]}}"#);
    format!(r#"{{"basic_auth_rules":[{}]}}"#, (0..rules).map(rule).collect::<Vec<_>>().join(","))
}

#[allow(clippy::expect_used, reason = "a benchmark of a refused configuration measures nothing")]
fn policy(rules: usize) -> Policy {
    Policy::new(Config::parse(configuration(rules).as_bytes()).expect("a good configuration"))
}

fn path_of_last(rules: usize) -> String {
    format!("/team{:06}/page/one", rules.saturating_sub(1))
}

fn credential_of_last(rules: usize) -> String {
    let place = rules.saturating_sub(1);
    format!("Basic {}", BASE64_STANDARD.encode(format!("user{place:06}:secret{place:06}")))
}

fn decide(bencher: Bencher, policy: &Policy, path: &str, credential: Option<&str>) {
    let request = Request {
        method: b"GET",
        path: Some(path.as_bytes()),
        authority: Some(b"shop.example.com"),
        credential: credential.iter().map(|value| value.as_bytes()).collect(),
        ..Request::default()
    };
    bencher.bench_local(|| divan::black_box_drop(policy.decide(divan::black_box(&request))));
}

#[divan::bench(args = RULES)]
fn not_covered(bencher: Bencher, rules: usize) {
    decide(bencher, &policy(rules), "/open/page/of/nobody", None);
}

#[divan::bench(args = RULES)]
fn missing(bencher: Bencher, rules: usize) {
    decide(bencher, &policy(rules), &path_of_last(rules), None);
}

#[divan::bench(args = RULES)]
fn wrong_password(bencher: Bencher, rules: usize) {
    decide(bencher, &policy(rules), &path_of_last(rules), Some("Basic dXNlcjAwMDAwMDpzZWNyZXQ5OTk5OTk="));
}

#[divan::bench(args = RULES)]
fn accepted(bencher: Bencher, rules: usize) {
    decide(bencher, &policy(rules), &path_of_last(rules), Some(&credential_of_last(rules)));
}

#[divan::bench(args = RULES)]
fn several_readings(bencher: Bencher, rules: usize) {
    let path = path_of_last(rules).replace("/page", "//x/..%2fpage;v=1");
    decide(bencher, &policy(rules), &path, Some(&credential_of_last(rules)));
}

#[divan::bench(args = LONG.iter().map(|(name, _)| *name))]
fn fifty_kilobytes_of(bencher: Bencher, name: &str) {
    let piece = LONG.iter().find(|(other, _)| *other == name).map_or("a", |(_, piece)| piece);
    let path = format!("/{}", piece.repeat(50_000_usize.div_euclid(piece.len())));
    decide(bencher.counter(BytesCount::of_str(&path)), &policy(1), &path, None);
}

#[divan::bench(args = RULES, sample_count = 5, sample_size = 1)]
fn load(bencher: Bencher, rules: usize) {
    let text = configuration(rules);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| Config::parse(divan::black_box(text.as_bytes())).map(Policy::new).is_ok());
}
