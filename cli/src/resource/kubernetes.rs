//! Resources of Kubernetes, alone or in lists.

use crate::source::{Document, NodeId};

/// The kinds of Istio's that can bring a module to a proxy. No other program has them.
pub const KINDS: [&str; 3] = ["WasmPlugin", "TrafficExtension", "EnvoyFilter"];

/// The group of resources that bring a module.
pub const EXTENSIONS: &str = "extensions.istio.io/";

/// A resource, or a document that is none.
#[derive(Debug)]
pub struct Resource {
    /// Its `kind`; empty of what is no resource.
    pub kind: String,
    /// Its kind and name, as `WasmPlugin default/basic-auth`.
    pub title: String,
    /// Its name.
    pub name: String,
    /// Its root.
    pub root: NodeId,
    /// The path of its root in the document, which is not empty in a list.
    pub path: String,
}

impl Resource {
    /// Whether it is for one module, whose configuration it has as fields.
    pub fn is_plugin(&self) -> bool {
        matches!(self.kind.as_str(), "WasmPlugin" | "TrafficExtension")
    }

    /// Whether it holds texts, which may be anything.
    pub fn holds_texts(&self) -> bool {
        matches!(self.kind.as_str(), "ConfigMap" | "Secret")
    }

    /// A path below the resource.
    pub fn path_to(&self, path: &str) -> String {
        if self.path.is_empty() { path.to_owned() } else { format!("{}.{path}", self.path) }
    }
}

/// The resources of a document; of a list, its items.
pub fn resources(document: &Document, root: NodeId) -> Vec<Resource> {
    let mut found = Vec::new();
    add(document, root, String::new(), 0, &mut found);
    found
}

fn add(document: &Document, root: NodeId, path: String, depth: usize, found: &mut Vec<Resource>) {
    const MAX_DEPTH: usize = 8;
    let version = document.text_at(root, &["apiVersion"]);
    // What only Istio has is a resource without a half of its name, too: somebody left the line out.
    let kind = match document.text_at(root, &["kind"]) {
        None if version.is_some_and(|version| version.starts_with(EXTENSIONS)) => "WasmPlugin",
        kind => kind.unwrap_or_default(),
    };
    let is_resource = !kind.is_empty() && (document.get(root, &["apiVersion"]).is_some() || KINDS.contains(&kind));
    if is_resource && kind.ends_with("List") && depth < MAX_DEPTH {
        let items = document.get(root, &["items"]).map(|items| document.items(items)).unwrap_or_default();
        for (index, item) in items.iter().enumerate() {
            let path = if path.is_empty() { format!("items[{index}]") } else { format!("{path}.items[{index}]") };
            add(document, *item, path, depth + 1, found);
        }
        return;
    }
    let name = document.text_at(root, &["metadata", "name"]).unwrap_or_default();
    let namespace = document.text_at(root, &["metadata", "namespace"]);
    let title = match (is_resource, namespace) {
        (false, _) => String::new(),
        (true, Some(namespace)) => format!("{kind} {namespace}/{name}"),
        (true, None) => format!("{kind} {name}"),
    };
    let kind = if is_resource { kind.to_owned() } else { String::new() };
    found.push(Resource { kind, title: title.trim_end().to_owned(), name: name.to_owned(), root, path });
}
