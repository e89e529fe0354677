//! Rules that are in no configuration that was found: of a resource that is misspelt nobody is protected.

use std::collections::{HashMap, HashSet};

use super::istio::NOT_APPLIED;
use super::kubernetes::{KINDS, Resource, resources};
use super::{ConfigText, Configuration, File, doubled_keys, finding, store};
use crate::finding::{Finding, Level};
use crate::source::{Document, Kind, NodeId, Position, Seen};

/// The field that only a configuration of this filter has.
const RULES: &str = "basic_auth_rules";
/// The most findings of a file.
const MAX_FINDINGS: usize = 100;

/// Finds the rules that are in none of these configurations.
pub fn lost(files: &[File], configurations: &[Configuration]) -> Vec<Finding> {
    let (mut known, mut told) = (HashMap::new(), HashMap::new());
    for configuration in configurations {
        let known: &mut HashSet<Position> = known.entry(configuration.file).or_default();
        let told: &mut HashSet<Position> = told.entry(configuration.file).or_default();
        // A resource without a configuration stands for none.
        if !matches!(&configuration.text, Ok(ConfigText::File(text)) if text.is_empty()) {
            known.insert(configuration.position);
        }
        told.extend(configuration.findings.iter().map(|finding| finding.position));
    }
    let mut findings = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let (known, told) = (known.remove(&index).unwrap_or_default(), told.remove(&index).unwrap_or_default());
        let mut search = Search { file: index, known, told, findings: Vec::new() };
        for document in &file.documents {
            search.document(document);
            for resource in document.root().map(|root| resources(document, root)).unwrap_or_default() {
                if resource.holds_texts() {
                    for inner in store::documents(document, &resource) {
                        search.document(&inner);
                    }
                }
            }
        }
        findings.append(&mut search.findings);
    }
    if !findings.is_empty() {
        // Of a key that is there twice the last one counts; that is told already.
        let doubled = doubled_keys(files);
        let is_told = |lost: &Finding| {
            doubled.iter().any(|finding| (finding.source, &finding.resource) == (lost.source, &lost.resource))
        };
        findings.retain(|lost| !is_told(lost));
    }
    findings
}

struct Search {
    file: usize,
    /// Where configurations begin.
    known: HashSet<Position>,
    /// Where findings about their resources are.
    told: HashSet<Position>,
    findings: Vec<Finding>,
}

impl Search {
    fn document(&mut self, document: &Document) {
        let Some(root) = document.root() else { return };
        // Most documents have none, and a big one is not walked through for nothing.
        if !document.ids().any(|id| lost_at(document, id, true).is_some()) {
            return;
        }
        let mut seen = document.unseen();
        for resource in resources(document, root) {
            self.resource(document, &resource, &mut seen);
        }
    }

    fn resource(&mut self, document: &Document, resource: &Resource, seen: &mut Seen) {
        // Envoy has its configurations as texts.
        let is_filter = resource.kind == "EnvoyFilter";
        let mut rest = vec![resource.root];
        while let Some(id) = rest.pop() {
            if !seen.is_new(id) || self.known.contains(&document.position(id)) || self.findings.len() >= MAX_FINDINGS {
                continue;
            }
            if let Some(position) = lost_at(document, id, is_filter).filter(|place| !self.told.contains(place)) {
                let (place, sentence) = why(document, resource);
                self.findings.push(finding(self.file, resource, position, RULES, place, &sentence));
            }
            rest.extend(document.items(id));
            // What an API server notes of a resource is none of its fields.
            let is_field = |key: NodeId| id != resource.root || document.text(key) != Some("metadata");
            rest.extend(document.members(id).iter().filter(|(key, _)| is_field(*key)).map(|(_, value)| *value));
        }
    }
}

/// Where rules are in a node itself: at their key, or in the text of a filter.
fn lost_at(document: &Document, id: NodeId, is_filter: bool) -> Option<Position> {
    if let Kind::Scalar { text, .. } = &document.node(id)?.kind {
        return (is_filter && text.contains(RULES)).then(|| document.position(id));
    }
    let (key, value) = document.entry(id, &[RULES])?;
    // A schema names the field, too.
    matches!(document.node(value)?.kind, Kind::Sequence(_)).then(|| document.position(key))
}

/// What is wrong with a resource whose rules nobody reads, as far as it can be told.
fn why(document: &Document, resource: &Resource) -> ((Level, &'static str), String) {
    let root = resource.root;
    let nothing = "these rules are in no configuration, so they protect nothing";
    let kind = document.text_at(root, &["kind"]);
    let misspelt = |name: &str| {
        let keys = document.members(root).iter().filter_map(|(key, _)| document.text(*key));
        document.get(root, &[name]).is_none() && { keys }.any(|key| is_nearly(key, name))
    };
    let cure = if let Some(name) = ["apiVersion", "kind", "spec", "metadata"].into_iter().find(|name| misspelt(name)) {
        format!("a field of the resource is misspelt; write `{name}`")
    } else if let Some(known) =
        KINDS.iter().find(|known| kind.is_some_and(|kind| kind != **known && is_nearly(kind, known)))
    {
        format!("Istio has no such `kind`; write `kind: {known}`")
    } else {
        match kind {
            Some("WasmPlugin") => in_plugin(document, root, &["pluginConfig"]),
            Some("TrafficExtension") => in_plugin(document, root, &["wasm", "pluginConfig"]),
            Some("EnvoyFilter") => {
                "they have to be the text of a filter's `configuration`, beside its `vm_config`".to_owned()
            }
            None if document.get(root, &["spec"]).is_some() || document.get(root, &["apiVersion"]).is_some() => {
                "the resource has no `kind`; write `kind: WasmPlugin` and `apiVersion: extensions.istio.io/v1alpha1`"
                    .to_owned()
            }
            // What becomes of it another program knows.
            _ => {
                let cure = "if another program makes one of them, check what it makes";
                return ((Level::Warning, "unused-rules"), format!("{nothing}; {cure}"));
            }
        }
    };
    ((Level::Error, NOT_APPLIED), format!("{nothing}: {cure}"))
}

/// What is wrong in a resource that has the right kind.
fn in_plugin(document: &Document, root: NodeId, way: &[&str]) -> String {
    let way = way.join(".");
    let is_beside = |name: &str| document.get(root, &[name]).is_some();
    if is_beside("pluginConfig") || is_beside("wasm") || is_beside("url") {
        return format!("what belongs to `spec` stands beside it; indent it, so that they are below `spec.{way}`");
    }
    format!("they have to be below `spec.{way}`")
}

/// Whether a word is another but for its case and a slip or two.
fn is_nearly(word: &str, other: &str) -> bool {
    let slips = strsim::osa_distance(&word.to_ascii_lowercase(), &other.to_ascii_lowercase());
    slips <= if other.len() > 5 { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::is_nearly;

    #[test]
    fn a_slip_is_known_and_another_word_is_not() {
        for word in ["WasmPlugn", "wasmplugin", "WasmPlugins", "WASMPlugin", "WamsPlugin"] {
            assert!(is_nearly(word, "WasmPlugin"), "{word}");
        }
        for (word, other) in
            [("Plugin", "WasmPlugin"), ("ConfigMap", "EnvoyFilter"), ("data", "metadata"), ("", "kind")]
        {
            assert!(!is_nearly(word, other), "{word}");
        }
    }
}
