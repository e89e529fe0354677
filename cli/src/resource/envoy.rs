//! Envoy's own configuration, wherever it stands: bootstraps, `config_dump`, what istioctl prints, EnvoyFilters.
//!
//! Field names are those of the protobuf messages, or in camel case as protobuf's JSON has them.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use basic_auth::Problem;
use saphyr_parser::ScalarStyle;

use super::environment::{Variable, Variables};
use super::text::ConfigText;
use super::{Configuration, Place, Resource, finding, has_field, names_module};
use crate::finding::Level;
use crate::source::{Document, Kind, NodeId, Seen};

/// Adds the configurations of all filters of this module in a document.
pub fn filters(file: usize, document: &Document, resource: &Resource, seen: &mut Seen, found: &mut Vec<Configuration>) {
    let mut walk = Walk { file, document, resource, seen, way: Vec::new(), found };
    walk.visit(resource.root, None);
}

struct Walk<'w> {
    file: usize,
    document: &'w Document,
    resource: &'w Resource,
    seen: &'w mut Seen,
    /// The way from the root to the node that is visited.
    way: Vec<Step<'w>>,
    found: &'w mut Vec<Configuration>,
}

/// A step of a way: a key, or an index.
#[derive(Clone, Copy)]
enum Step<'w> {
    Key(&'w str),
    Index(usize),
}

impl Walk<'_> {
    /// Looks at a node and all below it. `manager` is the connection manager that it stands in.
    fn visit(&mut self, id: NodeId, manager: Option<NodeId>) {
        if !self.seen.is_new(id) {
            return;
        }
        let document = self.document;
        let is_manager = document.get(id, &["http_filters", "httpFilters"]).is_some();
        let manager = if is_manager { Some(id) } else { manager };
        if document.get(id, &["vm_config", "vmConfig"]).is_some() {
            self.plugin(id, &self.path(), manager);
            return;
        }
        match document.node(id).map(|node| &node.kind) {
            Some(Kind::Sequence(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.way.push(Step::Index(index));
                    self.visit(*item, manager);
                    self.way.pop();
                }
            }
            Some(Kind::Mapping(members)) => {
                for (key, value) in members {
                    self.way.push(Step::Key(document.text(*key).unwrap_or_default()));
                    self.visit(*value, manager);
                    self.way.pop();
                }
            }
            _ => {}
        }
    }

    /// The path of the node that is visited.
    fn path(&self) -> String {
        let mut path = self.resource.path.clone();
        for step in &self.way {
            let _ = match step {
                Step::Index(index) => write!(path, "[{index}]"),
                Step::Key(key) if path.is_empty() => write!(path, "{key}"),
                Step::Key(key) => write!(path, ".{key}"),
            };
        }
        path
    }

    /// A `PluginConfig` of Envoy's Wasm filter.
    fn plugin(&mut self, id: NodeId, path: &str, manager: Option<NodeId>) {
        let document = self.document;
        let Some(vm) = document.get(id, &["vm_config", "vmConfig"]) else { return };
        let configuration = document.get(id, &["configuration"]);
        let code = document.get(vm, &["code"]);
        let file_name = code.and_then(|code| document.text_at(code, &["local", "filename"]));
        let uri = code
            .and_then(|code| document.get(code, &["remote"]))
            .and_then(|remote| document.text(document.get(document.get(remote, &["http_uri", "httpUri"])?, &["uri"])?));
        let names = [
            document.text_at(id, &["name"]),
            document.get(id, &["root_id", "rootId"]).and_then(|id| document.text(id)),
        ];
        let is_ours = names.into_iter().chain([file_name, uri]).flatten().any(names_module)
            || configuration.is_some_and(|configuration| self.is_ours(configuration));
        if !is_ours {
            return;
        }
        let mut findings = Vec::new();
        let opens =
            document.get(id, &["fail_open", "failOpen"]).is_some_and(|value| document.text(value) == Some("true"));
        let policy = document.entry(id, &["failure_policy", "failurePolicy"]);
        let policy = policy.filter(|(_, value)| document.text(*value) == Some("FAIL_OPEN"));
        if let Some((key, _)) = policy.or_else(|| document.entry(id, &["fail_open", "failOpen"]).filter(|_| opens)) {
            let place = (Level::Warning, "fail-open");
            let name = document.text(key).unwrap_or_default();
            let sentence =
                "a module that is not there lets every request pass; remove it, for to fail closed is the default";
            findings.push(finding(
                self.file,
                self.resource,
                document.position(key),
                &format!("{path}.{name}"),
                place,
                sentence,
            ));
        }
        let is_client = |manager: NodeId| {
            let field = document.get(manager, &["use_remote_address", "useRemoteAddress"]);
            field.is_some_and(|field| document.text(field) == Some("true"))
        };
        let position = configuration.map_or_else(|| document.position(id), |id| document.position(id));
        let path = format!("{path}.configuration");
        self.found.push(Configuration {
            file: self.file,
            resource: self.resource.title.clone(),
            path,
            position,
            text: configuration.map_or_else(|| Ok(ConfigText::File(String::new())), |id| self.text(id)),
            variables: self.variables(vm),
            place: Place { in_mesh: false, has_forged_addresses: manager.is_some_and(|manager| !is_client(manager)) },
            gateways: Vec::new(),
            fields: BTreeMap::new(),
            findings,
        });
    }

    fn is_ours(&self, configuration: NodeId) -> bool {
        let value = self.document.get(configuration, &["value"]).unwrap_or(configuration);
        self.document.text(value).is_some_and(|text| text.contains("basic_auth_rule"))
            || has_field(self.document, value)
    }

    /// The text that Envoy hands to the module: the value of a `StringValue` or `BytesValue`, else raw protobuf.
    fn text(&self, configuration: NodeId) -> Result<ConfigText, String> {
        let document = self.document;
        let kind = document.text_at(configuration, &["@type"]).unwrap_or_default();
        let value = document.get(configuration, &["value"]);
        let string = value.and_then(|value| Some((document.node(value)?, document.text(value)?)));
        match (kind.rsplit('.').next(), string) {
            (Some("StringValue"), Some((node, text))) => {
                let style = match &node.kind {
                    Kind::Scalar { style, .. } => *style,
                    _ => ScalarStyle::Plain,
                };
                Ok(ConfigText::String { text: text.to_owned(), start: node.start, style })
            }
            (Some("BytesValue"), Some((node, text))) => {
                let bytes = BASE64_STANDARD.decode(text).map_err(|_| Problem::NotUtf8.to_string())?;
                let text = String::from_utf8(bytes).map_err(|_| Problem::NotUtf8.to_string())?;
                Ok(ConfigText::String { text, start: node.start, style: ScalarStyle::Plain })
            }
            _ => Err(Problem::Protobuf.to_string()),
        }
    }

    fn variables(&self, vm: NodeId) -> Variables {
        let document = self.document;
        let mut declared = HashMap::new();
        if let Some(variables) = document.get(vm, &["environment_variables", "environmentVariables"]) {
            let keys = document.get(variables, &["host_env_keys", "hostEnvKeys"]);
            for key in keys.map(|keys| document.items(keys)).unwrap_or_default() {
                declared.extend(document.text(*key).map(|name| (name.to_owned(), Variable::Host)));
            }
            let values = document.get(variables, &["key_values", "keyValues"]);
            for (key, value) in values.map(|values| document.members(values)).unwrap_or_default() {
                if let (Some(key), Some(value)) = (document.text(*key), document.text(*value)) {
                    declared.insert(key.to_owned(), Variable::Inline(value.to_owned()));
                }
            }
        }
        Variables { declared: Some(declared) }
    }
}
