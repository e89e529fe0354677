//! Tables of cases in YAML or JSON.

use super::Case;
use crate::request::Asked;
use crate::source::{Document, NodeId, Source, parse};

const FIELDS: [&str; 6] = ["request", "user", "headers", "from", "body", "expect"];

/// Reads a table.
///
/// # Errors
/// A sentence with the line of what is wrong.
pub fn read(source: &Source) -> Result<Vec<Case>, String> {
    let documents = parse(source).map_err(|error| format!("{}:{}: {}", source.name, error.position, error.sentence))?;
    let document = documents.first().ok_or_else(|| format!("{}: no case; write a list of them", source.name))?;
    let rows = document.root().map(|root| document.items(root)).unwrap_or_default();
    if rows.is_empty() {
        return Err(format!("{}: no case; write a list of `request` and `expect`", source.name));
    }
    let place = |id: NodeId| format!("{}:{}", source.name, document.position(id));
    rows.iter().map(|row| case(document, *row).map_err(|(id, problem)| format!("{}: {problem}", place(id)))).collect()
}

type Problem = (NodeId, String);

fn case(document: &Document, row: NodeId) -> Result<Case, Problem> {
    for (key, _) in document.members(row) {
        if !document.text(*key).is_some_and(|name| FIELDS.contains(&name)) {
            return Err((*key, format!("an unknown field; the fields of a case are {}", FIELDS.join(", "))));
        }
    }
    let text = |name: &str| document.text_at(row, &[name]);
    let request = text("request").ok_or_else(|| (row, "no `request`; write `GET https://example.com/`".to_owned()))?;
    let (method, url) =
        request.split_once(' ').ok_or_else(|| (row, "a request is a method and a URL or path".to_owned()))?;
    if !Asked::is_url(method.as_bytes(), url.as_bytes()) {
        return Err((row, "no URL; write `GET https://HOST/PATH`, or a path, which begins with `/`".to_owned()));
    }
    let expect = text("expect").ok_or_else(|| (row, "no `expect`; write a status or a decision".to_owned()))?;
    let mut asked = Asked::new(method.as_bytes(), url.as_bytes());
    asked.user = text("user").map(|user| user.as_bytes().to_vec()).or(asked.user);
    asked.has_body = text("body") == Some("true");
    if let Some(from) = text("from") {
        asked.from = Some(from.parse().map_err(|_| (row, "`from` is no address".to_owned()))?);
    }
    let headers = document.get(row, &["headers"]).map(|headers| document.members(headers)).unwrap_or_default();
    for (key, value) in headers {
        let values = document.items(*value);
        for value in if values.is_empty() { std::slice::from_ref(value) } else { values } {
            let (Some(name), Some(value)) = (document.text(*key), document.text(*value)) else { continue };
            asked.add_header(format!("{name}: {value}").as_bytes()).map_err(|problem| (*key, problem))?;
        }
    }
    Ok(Case { line: document.position(row).line, asked, expect: expect.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::source::Source;

    #[test]
    fn a_slip_is_told_with_its_line() {
        let problem = |text: &str| read(&Source::new("cases".into(), text.into(), true)).unwrap_err();
        assert_eq!(problem("- expect: 401\n"), "cases:1:3: no `request`; write `GET https://example.com/`");
        assert_eq!(
            problem("- request: GET /\n  expect: 401\n  hots: x\n").split(';').next(),
            Some("cases:3:3: an unknown field")
        );
        assert_eq!(problem("- request: GET foo.com/\n  expect: 1\n").split(';').next(), Some("cases:1:3: no URL"));
        assert_eq!(problem("[]"), "cases: no case; write a list of `request` and `expect`");
        assert_eq!(problem("- request: GET /\n  from: x\n  expect: 1\n"), "cases:1:3: `from` is no address");
    }
}
