//! The resources of a stream of files, and the configurations of this filter in them.

mod environment;
mod envoy;
mod istio;
mod kubernetes;
mod lost;
mod route;
mod store;
mod text;

pub use environment::{Variable, Variables, host_values};
use kubernetes::KINDS;
pub use kubernetes::{Resource, resources};
pub use lost::lost;
pub use route::{Route, routes};
pub use text::ConfigText;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use basic_auth::{FIELDS, Object};
use saphyr_parser::ScalarStyle;

use crate::finding::{Finding, Level};
use crate::source::{
    Document, Kind, NodeId, Position, Scalar, Seen, Source, SyntaxError, is_sexagesimal, parse, write_json,
};

/// A file with its documents.
#[derive(Debug)]
pub struct File {
    /// The file.
    pub source: Source,
    /// Its documents; none if it is neither YAML nor JSON.
    pub documents: Vec<Document>,
    /// Why it is neither.
    pub error: Option<SyntaxError>,
}

impl File {
    /// Reads the documents of a file.
    pub fn new(source: Source) -> Self {
        match parse(&source) {
            Ok(documents) => Self { source, documents, error: None },
            Err(error) => Self { source, documents: Vec::new(), error: Some(error) },
        }
    }

    /// Whether it holds nothing: no more than blanks, comments and the lines between documents.
    pub fn is_empty(&self) -> bool {
        let is_nothing = |line: &str| line.is_empty() || line.starts_with('#') || line == "---" || line == "...";
        self.source.text.lines().all(|line| is_nothing(line.trim()))
    }
}

/// A configuration of this filter, wherever it was found.
#[derive(Debug)]
pub struct Configuration {
    /// The index of its file.
    pub file: usize,
    /// Its resource, as `WasmPlugin default/basic-auth`; empty of a bare configuration.
    pub resource: String,
    /// The path of the configuration in its document.
    pub path: String,
    /// Where it begins.
    pub position: Position,
    /// Its text; or why the module would get none that it can read.
    pub text: Result<ConfigText, String>,
    /// The environment of its virtual machine.
    pub variables: Variables,
    /// Where it works.
    pub place: Place,
    /// The Gateways that it is for; none where that is not known.
    pub gateways: Vec<String>,
    /// What its resource says beside it, as JSON by the path of each field.
    pub fields: BTreeMap<String, String>,
    /// What is to be said about its resource.
    pub findings: Vec<Finding>,
}

impl Configuration {
    /// How it is called where there are several: its resource, and its path in what is no resource.
    pub fn title(&self) -> &str {
        if self.resource.is_empty() { &self.path } else { &self.resource }
    }
}

/// Where a configuration works.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// Whether clients are inside the mesh: a sidecar, a waypoint or a Service.
    pub in_mesh: bool,
    /// Whether the address of a client is known to be no more than what a header says.
    pub has_forged_addresses: bool,
}

/// Every configuration in some files, in their order.
pub fn configurations(files: &[File]) -> Vec<Configuration> {
    let mut found = Vec::new();
    let waypoints = istio::waypoints(files);
    for (index, file) in files.iter().enumerate() {
        if let Some(error) = &file.error {
            found.extend(broken_json(index, file, error));
        }
        for document in &file.documents {
            let Some(root) = document.root() else { continue };
            if file.documents.len() > 1 && document.scalar(root) == Some(Scalar::Null) {
                continue;
            }
            let before = found.len();
            // For all resources of the document, for a list may have any number.
            let (mut seen, mut numbers) = (document.unseen(), document.unseen());
            for resource in resources(document, root) {
                if resource.is_plugin() {
                    found.extend(istio::plugin(index, document, &resource, &waypoints, &mut numbers));
                } else if resource.holds_texts() {
                    store::texts(index, document, &resource, &waypoints, &mut found);
                } else {
                    envoy::filters(index, document, &resource, &mut seen, &mut found);
                }
            }
            if found.len() == before && is_bare(file, document, root) {
                found.push(whole(index, file, document, root, &mut numbers));
            }
        }
    }
    found
}

/// Whether a document is a configuration itself.
fn is_bare(file: &File, document: &Document, root: NodeId) -> bool {
    const OTHERS: [&str; 8] =
        ["apiVersion", "kind", "static_resources", "dynamic_resources", "configs", "resources", "admin", "node"];
    if document.members(root).iter().any(|(key, _)| document.text(*key).is_some_and(|key| OTHERS.contains(&key))) {
        return false;
    }
    // Another program's file is no configuration of this filter with all of its fields wrong.
    let is_field = |(key, _): &(NodeId, NodeId)| {
        document.text(*key).is_some_and(|key| names_module(key) || FIELDS.iter().any(|field| field.name == key))
    };
    let is_json = is_named_json(file) || matches!(file.source.text.trim_start().bytes().next(), Some(b'{' | b'['));
    let is_meant = is_json || document.members(root).iter().any(is_field);
    file.source.is_named && is_meant || has_field(document, root)
}

/// Whether a mapping has a field of the top of a configuration, or one that is nearly `basic_auth_rules`.
fn has_field(document: &Document, id: NodeId) -> bool {
    document.members(id).iter().filter_map(|(key, _)| document.text(*key)).any(|key| {
        let is_field = FIELDS.iter().any(|field| field.name == key && field.objects.contains(&Object::Top));
        is_field || names_module(key)
    })
}

/// Whether a name or a place is this module's.
fn names_module(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["basic_auth", "basic-auth", "basicauth"].iter().any(|name| lower.contains(name))
}

/// A document that is a configuration itself.
fn whole(index: usize, file: &File, document: &Document, root: NodeId, seen: &mut Seen) -> Configuration {
    // JSON is handed over as it is written, so that errors are the module's own.
    let text = &file.source.text;
    let text = if is_named_json(file) || serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok() {
        Ok(ConfigText::File(text.clone()))
    } else {
        values(document, root)
    };
    let findings = sexagesimal(index, document, root, "", seen);
    Configuration { findings, ..bare(index, document.position(root), text) }
}

/// A configuration without a resource of its own.
fn bare(file: usize, position: Position, text: Result<ConfigText, String>) -> Configuration {
    Configuration {
        file,
        resource: String::new(),
        path: String::new(),
        position,
        text,
        variables: Variables::default(),
        place: Place::default(),
        gateways: Vec::new(),
        fields: BTreeMap::new(),
        findings: Vec::new(),
    }
}

/// Whether a file says by its name that it is JSON.
fn is_named_json(file: &File) -> bool {
    file.source.is_named && Path::new(&file.source.name).extension().is_some_and(|ending| ending == "json")
}

/// A bare configuration in JSON with a slip: what the module says of it.
fn broken_json(index: usize, file: &File, _: &SyntaxError) -> Option<Configuration> {
    let text = &file.source.text;
    let is_ours = file.source.is_named || text.contains("basic_auth_rules");
    let is_other = ["apiVersion", "\"kind\"", "static_resources", "\"configs\""].iter().any(|name| text.contains(name));
    let is_json = text.trim_start().starts_with(['{', '[']) && !text.contains("{{");
    (is_ours && is_json && !is_other).then(|| bare(index, Position::START, Ok(ConfigText::File(text.clone()))))
}

/// Keys that are there twice in the resources of Istio: of `spec: …` and `spec: {}` kubectl takes neither.
pub fn doubled_keys(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, file) in files.iter().enumerate() {
        for document in &file.documents {
            let resources = document.root().map(|root| resources(document, root)).unwrap_or_default();
            let mut seen = document.unseen();
            for resource in resources.iter().filter(|resource| KINDS.contains(&resource.kind.as_str())) {
                let mut rest = vec![resource.root];
                while let Some(id) = rest.pop().filter(|_| findings.len() < 100) {
                    if !seen.is_new(id) {
                        continue;
                    }
                    let mut names = HashSet::new();
                    for (key, value) in document.members(id) {
                        let name = document.text(*key).unwrap_or_default();
                        if !names.insert(name) && name != "<<" {
                            let place = (Level::Error, "doubled-key");
                            let sentence = "the key is there twice, and kubectl refuses that; keep one";
                            findings.push(finding(index, resource, document.position(*key), "", place, sentence));
                        }
                        // What is in there the module says itself.
                        if name != "pluginConfig" {
                            rest.push(*value);
                        }
                    }
                    rest.extend(document.items(id));
                }
            }
        }
    }
    findings
}

/// Resources of one kind and name in one file.
pub fn doubled_resources(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let mut titles = HashSet::new();
        for document in &file.documents {
            let resources = document.root().map(|root| resources(document, root)).unwrap_or_default();
            for resource in resources.iter().filter(|resource| KINDS.contains(&resource.kind.as_str())) {
                if resource.name.is_empty() || titles.insert(resource.title.clone()) {
                    continue;
                }
                let place = (Level::Warning, "doubled-resource");
                let sentence = "the file has a resource of this kind and name before, and this one takes its place; \
                                give it another name, or remove one";
                findings.push(finding(index, resource, document.position(resource.root), "", place, sentence));
            }
        }
    }
    findings
}

/// Texts without quotes that some programs take for numbers of base 60.
fn sexagesimal(file: usize, document: &Document, id: NodeId, title: &str, seen: &mut Seen) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut rest = vec![id];
    while let Some(id) = rest.pop() {
        if !seen.is_new(id) {
            continue;
        }
        rest.extend(document.items(id));
        rest.extend(document.members(id).iter().map(|(_, value)| *value));
        let Some(node) = document.node(id).filter(|_| findings.len() < 10) else { break };
        if let Kind::Scalar { text, style: ScalarStyle::Plain, is_string: false } = &node.kind
            && is_sexagesimal(text)
        {
            findings.push(Finding {
                level: Level::Warning,
                code: "number-of-base-60",
                source: file,
                position: node.start,
                resource: title.to_owned(),
                path: String::new(),
                sentence: "YAML 1.1 takes this for a number of base 60, kubectl for a string; put it in quotes"
                    .to_owned(),
            });
        }
    }
    findings
}

/// Values of a document as JSON.
fn values(document: &Document, id: NodeId) -> Result<ConfigText, String> {
    let too_much = || "its aliases unfold to more than a module takes; write it out, with fewer of them".to_owned();
    write_json(document, id).map(ConfigText::Values).ok_or_else(too_much)
}

/// A finding about a resource.
fn finding(
    file: usize,
    resource: &Resource,
    position: Position,
    path: &str,
    (level, code): (Level, &'static str),
    sentence: &str,
) -> Finding {
    Finding {
        level,
        code,
        source: file,
        position,
        resource: resource.title.clone(),
        path: path.to_owned(),
        sentence: sentence.to_owned(),
    }
}
