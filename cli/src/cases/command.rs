//! `basic-auth test`

use std::fmt::Write;

use super::read::read;
use crate::arguments::Test;
use crate::check::Accepted;
use crate::outcome::{Exit, Outcome};
use crate::probe::probes;
use crate::request::Asked;
use crate::source::open;
use crate::stream::Stream;

/// Compares decisions with a table, or writes one.
pub fn test(arguments: &Test) -> Outcome {
    let result = Stream::open(&arguments.input.with_file(&arguments.file)).and_then(|stream| {
        let (_, accepted) = stream.one()?;
        match &arguments.cases {
            Some(cases) if !arguments.init => compare(&accepted, cases),
            None if arguments.init => Ok(Outcome::well(init(&accepted, &arguments.file))),
            _ => Err("give a table of cases, or `--init` to write one to standard output".to_owned()),
        }
    });
    result.unwrap_or_else(Outcome::problem)
}

fn compare(accepted: &Accepted, cases: &str) -> Result<Outcome, String> {
    let opened = open([cases]);
    if let Some(unreadable) = opened.unreadable.first() {
        return Err(format!("{}: {}", unreadable.name, unreadable.why));
    }
    let source = opened.sources.first().ok_or_else(|| format!("{cases}: a folder; give a file"))?;
    let cases = read(source)?;
    let mut output = String::new();
    let mut wrong = 0;
    for case in &cases {
        let map = case.asked.header_map(&accepted.policy);
        let decision = accepted.policy.decide(&case.asked.facts(&map, &accepted.policy.options().headers));
        if !case.is_met_by(&decision) {
            wrong += 1;
            let status = decision.response().map_or_else(String::new, |response| format!(" ({})", response.status));
            let _ = writeln!(
                output,
                "{}:{}: {}\n  is       {decision}{status}\n  expected {}",
                source.name,
                case.line,
                case.asked.line(),
                case.expect
            );
        }
    }
    let _ = writeln!(output, "{} cases, {wrong} wrong", cases.len());
    Ok(Outcome { output, problem: accepted.caveat(), exit: if wrong > 0 { Exit::Wrong } else { Exit::Well } })
}

/// The table of today's decisions about requests without a credential.
fn init(accepted: &Accepted, file: &str) -> String {
    let mut output = format!(
        "# What becomes of requests without a password. Compared by: basic-auth test {file} CASES\n\
         # An expectation is a status (200 where the request goes on) or how the decision begins; a case may have\n\
         # `user: name:password`, `headers`, `from: ADDRESS` and `body: true`, too.\n"
    );
    for probe in probes([&accepted.written]) {
        let url = format!("https://{}{}", probe.host, probe.path);
        let asked = Asked::new(probe.method.as_bytes(), url.as_bytes());
        let map = asked.header_map(&accepted.policy);
        let decision = accepted.policy.decide(&asked.facts(&map, &accepted.policy.options().headers));
        let quoted = |text: String| serde_json::Value::from(text).to_string();
        let request = quoted(format!("{} {url}", probe.method));
        let _ = writeln!(output, "- request: {request}\n  expect: {}", quoted(decision.to_string()));
    }
    output
}
