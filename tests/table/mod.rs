//! Reads `testdata/decisions/*.json`; its README describes the form.

use std::fmt;
use std::path::Path;

use base64::Engine;
use basic_auth::config::Config;
use basic_auth::policy::Policy;
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
    pub authorization: Vec<Vec<u8>>,
    pub expect: String,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.method.escape_ascii())?;
        for part in self.path.iter().chain(&self.authority).chain(&self.authorization) {
            write!(f, " {}", part.escape_ascii())?;
        }
        Ok(())
    }
}

/// Every table, in the order of the file names.
pub fn all() -> Vec<Table> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/decisions");
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "json")).map(|file| read(file)).collect()
}

fn read(file: &Path) -> Table {
    let name = file.file_stem().unwrap().to_string_lossy().into_owned();
    let document: Value =
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let configuration = document["configuration"].to_string();
    let config = Config::read(configuration.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let cases = list(&document["decisions"]).iter().flat_map(cases).collect();
    Table { policy: Policy::new(config), name, cases }
}

/// The combinations of a row's requests, hosts and credentials.
fn cases(row: &Value) -> Vec<Case> {
    const KEYS: [&str; 8] =
        ["why", "source", "requests", "hosts", "users", "authorizations", "expect", "envoy_may_refuse"];
    for key in row.as_object().unwrap().keys() {
        assert!(KEYS.contains(&key.as_str()), "a row has an unknown key: {key}");
    }
    let hosts = row.get("hosts").map_or_else(
        || vec![Some(b"test".to_vec())],
        |hosts| list(hosts).iter().map(|host| host.as_str().map(bytes)).collect(),
    );
    let mut credentials: Vec<Vec<Vec<u8>>> = Vec::new();
    for user in row.get("users").map(list).into_iter().flatten() {
        let token = base64::prelude::BASE64_STANDARD.encode(bytes(text(user)));
        credentials.push(vec![format!("Basic {token}").into_bytes()]);
    }
    for values in row.get("authorizations").map(list).into_iter().flatten() {
        credentials.push(values.as_array().map_or_else(
            || vec![bytes(text(values))],
            |values| values.iter().map(|value| bytes(text(value))).collect(),
        ));
    }
    if credentials.is_empty() {
        credentials.push(Vec::new());
    }
    let mut cases = Vec::new();
    for request in list(&row["requests"]) {
        let request = text(request);
        let (method, path) = request.split_once(' ').map_or((request, None), |(method, path)| (method, Some(path)));
        for authority in &hosts {
            for authorization in &credentials {
                cases.push(Case {
                    why: text(&row["why"]).to_owned(),
                    method: bytes(method),
                    path: path.map(bytes),
                    authority: authority.clone(),
                    authorization: authorization.clone(),
                    expect: text(&row["expect"]).to_owned(),
                });
            }
        }
    }
    cases
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
