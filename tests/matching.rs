//! The examples of `docs/matching.md`.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests panic when they fail")]

use basic_auth::{Config, Decision, Policy, Request};

const DOCUMENT: &str = include_str!("../docs/matching.md");

#[test]
fn every_example_of_the_document() {
    let configuration = DOCUMENT.split("```json").nth(1).unwrap().split("```").next().unwrap();
    let policy = Policy::new(Config::parse(configuration.as_bytes()).ok().unwrap());
    let mut examples = 0;
    for line in DOCUMENT.lines().filter(|line| line.starts_with('|') && line.ends_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let (example, decision) = match cells.as_slice() {
            [example, decision @ ("open" | "covered")] => (*example, *decision),
            // The table of the steps: what stands there is covered.
            [_, _, example] if example.starts_with("`GET ") => (*example, "covered"),
            _ => continue,
        };
        for example in example.split(", ") {
            let (method, target) = example.trim_matches('`').split_once(' ').unwrap();
            let slash = target.find('/').unwrap();
            let request = Request {
                method: method.as_bytes(),
                path: Some(&target.as_bytes()[slash..]),
                authority: Some(&target.as_bytes()[..slash]),
                ..Request::default()
            };
            let is = if matches!(policy.decide(&request), Decision::Pass) { "open" } else { "covered" };
            assert_eq!(is, decision, "{example}");
            examples += 1;
        }
    }
    assert!(examples > 30, "only {examples} examples were found");
}
