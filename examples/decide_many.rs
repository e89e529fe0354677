//! Decides about many requests, with no proxy near: the native half of the differential tests.
//!
//! One JSON value a line comes in, one line goes out for each. A text is a configuration, which holds for the requests after
//! it; an object is a request: `{"method": "GET", "path": "/", "authority": "example.com", "authorization": ["Basic …"]}`,
//! a character up to U+00FF for each byte, null for what is not there.
//!
//! ```sh
//! cargo run --example decide_many < requests.jsonl
//! ```

use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};

use basic_auth::{Config, Policy, Request};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let mut policy = None;
    let mut output = stdout().lock();
    for line in stdin().lock().lines() {
        match serde_json::from_str(&line?)? {
            Value::String(text) => match Config::parse(text.as_bytes()) {
                Ok(config) => {
                    policy = Some(Policy::new(config));
                    writeln!(output, "configured")?;
                }
                Err(errors) => {
                    policy = None;
                    // One line goes out for each that comes in.
                    writeln!(output, "configuration refused: {}", errors.to_string().replace('\n', "; "))?;
                }
            },
            Value::Object(fields) => {
                let field = |name| fields.get(name).and_then(bytes);
                let (method, path, authority) =
                    (field("method").unwrap_or_default(), field("path"), field("authority"));
                let values: Vec<Vec<u8>> = fields
                    .get("authorization")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(bytes)
                    .collect();
                let request = Request {
                    method: &method,
                    path: path.as_deref(),
                    authority: authority.as_deref(),
                    credential: values.iter().map(Vec::as_slice).collect(),
                    ..Request::default()
                };
                match &policy {
                    Some(policy) => writeln!(output, "{}", policy.decide(&request))?,
                    None => writeln!(output, "not configured")?,
                }
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
