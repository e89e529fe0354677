//! Says which steps of the readings a refusal hangs on: those without which a request would pass.
//!
//! Lines come in as for the example `decide_many`, and a list goes out for each: for a configuration the names of all
//! steps, for a request the names of those without which it passes, and `null` first if it passes with all of them.
//!
//! ```sh
//! cargo run --features ablation --example decide_without < requests.jsonl
//! ```

use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};

use basic_auth::{Config, Decision, Policy, Request, step_names, without_step};
use serde_json::{Value, json};

/// A policy as it is read without a step, or with all of them.
struct Reader {
    left_out: Option<&'static str>,
    policy: Policy,
}

impl Reader {
    fn new(left_out: Option<&'static str>, text: &str) -> Result<Self, Box<dyn Error>> {
        let policy = read(left_out, || Config::parse(text.as_bytes()).map(Policy::new))??;
        Ok(Self { left_out, policy })
    }

    fn lets_pass(&self, request: &Request) -> Result<bool, Box<dyn Error>> {
        read(self.left_out, || matches!(self.policy.decide(request), Decision::Pass))
    }
}

/// What `decide` returns without that step.
fn read<T>(left_out: Option<&'static str>, decide: impl FnOnce() -> T) -> Result<T, Box<dyn Error>> {
    match left_out {
        Some(step) => without_step(step, decide).map_err(|error| format!("{step}: {error:?}").into()),
        None => Ok(decide()),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let left_out: Vec<Option<&'static str>> = [None].into_iter().chain(step_names().map(Some)).collect();
    let mut readers = Vec::new();
    let mut output = stdout().lock();
    for line in stdin().lock().lines() {
        match serde_json::from_str(&line?)? {
            Value::String(text) => {
                readers = left_out.iter().map(|step| Reader::new(*step, &text)).collect::<Result<Vec<_>, _>>()?;
                writeln!(output, "{}", json!(step_names().collect::<Vec<_>>()))?;
            }
            Value::Object(fields) => {
                let field = |name| fields.get(name).and_then(bytes);
                let (method, path, authority) =
                    (field("method").unwrap_or_default(), field("path"), field("authority"));
                let request = Request {
                    method: &method,
                    path: path.as_deref(),
                    authority: authority.as_deref(),
                    ..Request::default()
                };
                let mut passing = Vec::new();
                for reader in &readers {
                    if reader.lets_pass(&request)? {
                        passing.push(reader.left_out);
                    }
                }
                writeln!(output, "{}", json!(passing))?;
            }
            _ => return Err("neither a configuration nor a request".into()),
        }
    }
    Ok(())
}

/// The bytes of a text, a character for each.
fn bytes(value: &Value) -> Option<Vec<u8>> {
    value.as_str()?.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
}
