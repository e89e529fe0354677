//! The table of decisions, natively. `tests/envoy/test_decisions.py` sends the same table through Envoy.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "tests panic when they fail"
)]

mod table;

use std::net::Ipv4Addr;
use std::path::Path;

use basic_auth::header_map::serialize;
use basic_auth::{Policy, Request};
use table::Case;

fn decide(policy: &Policy, case: &Case) -> String {
    let pseudo =
        [(":method", Some(&case.method)), (":path", case.path.as_ref()), (":authority", case.authority.as_ref())];
    let pseudo = pseudo.into_iter().filter_map(|(name, value)| Some((name, value?.as_slice())));
    let headers = case.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
    // As the proxy hands them over: which headers count is decided by the crate, not here.
    let map = serialize(&pseudo.chain(headers).collect::<Vec<_>>());
    let mut request = Request::from_header_map(&map, &policy.options().headers).unwrap();
    // Where the tests through Envoy come from.
    request.source_address = Some(Ipv4Addr::LOCALHOST.into());
    policy.decide(&request).to_string()
}

#[test]
fn every_decision_of_the_table() {
    let mut decided = 0;
    let mut wrong = Vec::new();
    for table in table::all(Path::new("testdata/decisions")) {
        for case in &table.cases {
            let decision = decide(&table.policy, case);
            decided += 1;
            if decision != case.expect {
                wrong.push(format!(
                    "{}: {case}\n  is       {decision}\n  expected {}\n  because  {}",
                    table.name, case.expect, case.why
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {decided} decisions are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(decided > 100, "the table has only {decided} decisions");
    println!("decisions: {decided} ran natively");
}
