//! Reads `testdata/decisions/*.json`; its README describes the form.

use std::fmt;
use std::path::Path;

use base64::Engine;
use basic_auth::{Config, Policy};
use serde_json::Value;

/// One configuration and the requests that are decided under it.
pub struct Table {
    pub name: String,
    pub policy: Policy,
    pub cases: Vec<Case>,
}

/// One request and what becomes of it.
pub struct Case {
    pub why: String,
    pub method: Vec<u8>,
    pub path: Option<Vec<u8>>,
    pub authority: Option<Vec<u8>>,
    /// The `authorization` headers and the further ones, by name and value.
    pub headers: Vec<(String, Vec<u8>)>,
    pub expect: String,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.method.escape_ascii())?;
        for part in self.path.iter().chain(&self.authority) {
            write!(f, " {}", part.escape_ascii())?;
        }
        for (name, value) in &self.headers {
            write!(f, " {name}: {}", value.escape_ascii())?;
        }
        Ok(())
    }
}

/// Every table of a folder, in the order of the file names.
pub fn all(folder: &Path) -> Vec<Table> {
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "json")).map(|file| read(file)).collect()
}

fn read(file: &Path) -> Table {
    let name = file.file_stem().unwrap().to_string_lossy().into_owned();
    let document: Value =
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let configuration = document["configuration"].to_string();
    let config = Config::parse(configuration.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let cases = list(&document["decisions"]).iter().flat_map(cases).collect();
    Table { policy: Policy::new(config), name, cases }
}

/// The combinations of a row's requests, hosts, credentials and further headers.
fn cases(row: &Value) -> Vec<Case> {
    const KEYS: [&str; 10] = [
        "why",
        "source",
        "requests",
        "letters",
        "hosts",
        "users",
        "authorizations",
        "headers",
        "expect",
        "envoy_may_refuse",
    ];
    for key in row.as_object().unwrap().keys() {
        assert!(KEYS.contains(&key.as_str()), "a row has an unknown key: {key}");
    }
    let source = row["source"].as_str().unwrap_or_default();
    assert!(!source.trim().is_empty(), "a row names no source: {row}");
    let hosts = row.get("hosts").map_or_else(
        || vec![Some(b"test".to_vec())],
        |hosts| list(hosts).iter().map(|host| host.as_str().map(bytes)).collect(),
    );
    let authorization = |value: &str| ("authorization".to_owned(), bytes(value));
    let mut credentials = Vec::new();
    for user in row.get("users").map(list).into_iter().flatten() {
        let token = base64::prelude::BASE64_STANDARD.encode(bytes(text(user)));
        credentials.push(vec![authorization(&format!("Basic {token}"))]);
    }
    for values in row.get("authorizations").map(list).into_iter().flatten() {
        credentials.push(one_or_several(values).into_iter().map(authorization).collect());
    }
    let mut further = Vec::new();
    for lines in row.get("headers").map(list).into_iter().flatten() {
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("not `name: value`: {line}"));
            (name.to_owned(), bytes(value))
        };
        further.push(one_or_several(lines).into_iter().map(header).collect());
    }
    for alternatives in [&mut credentials, &mut further] {
        if alternatives.is_empty() {
            alternatives.push(Vec::new());
        }
    }
    let letters = "a".repeat(row["letters"].as_u64().unwrap_or(0).try_into().unwrap());
    let mut cases = Vec::new();
    for request in list(&row["requests"]) {
        let request = text(request);
        let (method, path) = request.split_once(' ').map_or((request, None), |(method, path)| (method, Some(path)));
        for authority in &hosts {
            for (credential, further) in credentials.iter().flat_map(|one| further.iter().map(move |two| (one, two))) {
                cases.push(Case {
                    why: text(&row["why"]).to_owned(),
                    method: bytes(method),
                    path: path.map(|path| bytes(&format!("{path}{letters}"))),
                    authority: authority.clone(),
                    headers: [credential.as_slice(), further.as_slice()].concat(),
                    expect: text(&row["expect"]).to_owned(),
                });
            }
        }
    }
    cases
}

/// The texts of a list, or the one text that stands there.
fn one_or_several(value: &Value) -> Vec<&str> {
    value.as_array().map_or_else(|| vec![text(value)], |values| values.iter().map(text).collect())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("not a list: {value}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

/// A character up to U+00FF is one byte.
fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect()
}
