//! The environment of a virtual machine: what `htpasswd_env` can name, and what is known of the values.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{File, resources};
use crate::source::{Document, Kind, NodeId, Source, parse};

/// The variables of a virtual machine.
#[derive(Debug, Default)]
pub struct Variables {
    /// Those that the resource declares; `None` where nothing can be known of them: a bare configuration.
    pub declared: Option<HashMap<String, Variable>>,
}

/// A variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variable {
    /// Its value is written in the resource.
    Inline(String),
    /// It is the proxy's own.
    Host,
}

/// The values of the proxies' own variables that the stream or the command line tells: by name.
pub fn host_values(files: &[File]) -> HashMap<String, String> {
    let mut stores = HashMap::new();
    let mut references = Vec::new();
    for document in files.iter().flat_map(|file| &file.documents) {
        let Some(root) = document.root() else { continue };
        for resource in resources(document, root) {
            if matches!(resource.kind.as_str(), "Secret" | "ConfigMap") {
                read_store(document, &resource.name, resource.root, &mut stores);
            }
        }
        collect_references(document, &mut references);
    }
    // A ConfigMap may hold the patch of a Deployment, as Istio's gateways take it.
    let patches: Vec<String> = stores.values().filter(|text: &&String| text.contains("KeyRef")).cloned().collect();
    for text in patches {
        let patch = Source::new(String::new(), text, false);
        for document in parse(&patch).unwrap_or_default() {
            collect_references(&document, &mut references);
        }
    }
    let mut values = HashMap::new();
    for reference in references {
        let value = match &reference.from {
            From::Text(text) => Some(text.clone()),
            From::Key(name, key) => stores.get(&(name.clone(), key.clone())).cloned(),
        };
        if let Some(value) = value {
            values.entry(reference.variable).or_insert(value);
        }
    }
    values
}

/// A variable of a container, and where its value is from.
struct Reference {
    variable: String,
    from: From,
}

enum From {
    Text(String),
    /// Name and key of a Secret or a ConfigMap.
    Key(String, String),
}

/// The texts of a Secret or a ConfigMap, by name and key.
fn read_store(document: &Document, name: &str, root: NodeId, stores: &mut HashMap<(String, String), String>) {
    let is_secret = document.text_at(root, &["kind"]) == Some("Secret");
    for (field, is_base64) in [("data", is_secret), ("stringData", false)] {
        let Some(data) = document.get(root, &[field]) else { continue };
        for (key, value) in document.members(data) {
            let (Some(key), Some(text)) = (document.text(*key), document.text(*value)) else { continue };
            let text = if is_base64 {
                let compact: String = text.split_whitespace().collect();
                BASE64_STANDARD.decode(compact).ok().and_then(|bytes| String::from_utf8(bytes).ok())
            } else {
                Some(text.to_owned())
            };
            stores.extend(text.map(|text| ((name.to_owned(), key.to_owned()), text)));
        }
    }
}

/// The variables of all containers of a document.
fn collect_references(document: &Document, references: &mut Vec<Reference>) {
    for id in document.ids() {
        if !matches!(document.node(id).map(|node| &node.kind), Some(Kind::Mapping(_))) {
            continue;
        }
        if let Some(variable) = document.text_at(id, &["name"]) {
            let by_key = document.at(id, &["valueFrom", "secretKeyRef"]);
            let by_key = by_key.or_else(|| document.at(id, &["valueFrom", "configMapKeyRef"]));
            let from = match by_key {
                Some(by_key) => {
                    let text = |name| document.text_at(by_key, &[name]).unwrap_or_default().to_owned();
                    Some(From::Key(text("name"), text("key")))
                }
                None if document.members(id).len() == 2 => {
                    document.text_at(id, &["value"]).map(|text| From::Text(text.to_owned()))
                }
                None => None,
            };
            references.extend(from.map(|from| Reference { variable: variable.to_owned(), from }));
        }
    }
}
