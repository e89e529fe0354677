//! `basic-auth explain`

use std::fmt::Write;

use serde_json::{Value, json};

use super::Explanation;
use crate::arguments::{Explain, RequestOptions, Shape};
use crate::outcome::Outcome;
use crate::request::Asked;
use crate::stream::Stream;

/// Explains what every configuration in a file makes of a request.
pub fn explain(arguments: &Explain) -> Outcome {
    explanations(arguments).unwrap_or_else(Outcome::problem)
}

fn explanations(arguments: &Explain) -> Result<Outcome, String> {
    let asked = asked(arguments.method.as_encoded_bytes(), arguments.url.as_encoded_bytes(), &arguments.request)?;
    let stream = Stream::open(&arguments.input.with_file(&arguments.file))?;
    let mut all = Vec::new();
    let (mut text, mut caveat) = (String::new(), None);
    for (configuration, accepted) in stream.accepted()? {
        caveat = caveat.or_else(|| accepted.caveat());
        let explanation = Explanation::new(&accepted, &asked);
        if !configuration.title().is_empty() {
            let _ = writeln!(text, "{}\n", configuration.title());
        }
        let _ = writeln!(text, "{}", explanation.text(&asked).trim_end());
        let mut json = explanation.json(&asked);
        if let Value::Object(fields) = &mut json {
            fields.insert("resource".to_owned(), configuration.title().into());
        }
        all.push(json);
    }
    let output = match arguments.format {
        Shape::Text => text,
        Shape::Json => format!("{:#}\n", json!(all)),
    };
    Ok(Outcome { problem: caveat, ..Outcome::well(output) })
}

/// The request of a command line.
pub fn asked(method: &[u8], url: &[u8], options: &RequestOptions) -> Result<Asked, String> {
    if !Asked::is_url(method, url) {
        return Err("no URL; write `https://HOST/PATH`, or a path for any host, which begins with `/`".to_owned());
    }
    let mut asked = Asked::new(method, url);
    for line in &options.header {
        asked.add_header(line.as_encoded_bytes())?;
    }
    asked.user = options.user.as_ref().map(|user| user.as_encoded_bytes().to_vec()).or(asked.user);
    asked.from = options.from;
    asked.has_body = options.body;
    Ok(asked)
}
