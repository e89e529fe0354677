//! WasmPlugin and TrafficExtension.

use std::collections::{BTreeMap, HashMap, HashSet};

use basic_auth::{FIELDS, Object};

use super::environment::{Variable, Variables};
use super::kubernetes::EXTENSIONS;
use super::text::ConfigText;
use super::{Configuration, File, Place, Resource, finding, has_field, names_module, resources, sexagesimal, values};
use crate::finding::{Finding, Level};
use crate::source::{Document, Kind, NodeId, Scalar, Seen, write_json};

/// The configuration of a resource, if it is one of this module.
pub fn plugin(
    file: usize,
    document: &Document,
    resource: &Resource,
    waypoints: &HashSet<String>,
    numbers: &mut Seen,
) -> Option<Configuration> {
    let spec = document.get(resource.root, &["spec"])?;
    let (wasm, way) = match resource.kind.as_str() {
        "TrafficExtension" => (document.get(spec, &["wasm"])?, "spec.wasm"),
        _ => (spec, "spec"),
    };
    let named = document.get(wasm, &["pluginConfig"]);
    let misnamed =
        document.members(wasm).iter().filter(|_| named.is_none()).find(|(key, value)| {
            document.text(*key).is_some_and(is_nearly_plugin_config) && has_field(document, *value)
        });
    let configuration = named.or(misnamed.map(|(_, value)| *value));
    let url = document.text_at(wasm, &["url"]).unwrap_or_default();
    let plugin_name = document.text_at(wasm, &["pluginName"]).unwrap_or_default();
    let is_ours = names_module(url)
        || names_module(plugin_name)
        || configuration.is_some_and(|configuration| has_field(document, configuration))
        || document.get(wasm, &["basic_auth_rules"]).is_some();
    if !is_ours {
        return None;
    }
    let mut plugin = Plugin { file, document, resource, spec, wasm, way, findings: Vec::new() };
    plugin.judge_kind();
    if let Some(name) = misnamed.and_then(|(key, _)| document.text(*key)) {
        let sentence = "no field of this resource, so the module gets nothing; write `pluginConfig`";
        plugin.note(wasm, name, Level::Error, NOT_APPLIED, sentence);
    }
    plugin.judge_url(url);
    plugin.judge_phase();
    plugin.judge_failure();
    plugin.judge_sum();
    plugin.judge_indent();
    let waypoint = plugin.is_for_waypoint(waypoints);
    plugin.judge_selector(waypoint);
    plugin.judge_targets();
    plugin.judge_fields(misnamed.map(|(key, _)| *key));
    if let Some(configuration) = configuration {
        plugin.findings.extend(sexagesimal(file, document, configuration, &resource.title, numbers));
    }
    let in_mesh = waypoint || plugin.is_sidecar();
    let position = configuration.map_or_else(|| document.position(wasm), |id| document.position(id));
    Some(Configuration {
        file,
        resource: resource.title.clone(),
        path: resource.path_to(&format!("{way}.pluginConfig")),
        position,
        text: configuration.map_or_else(|| Ok(ConfigText::File(String::new())), |id| values(document, id)),
        variables: plugin.variables(),
        // Istio sets `use_remote_address` at gateways alone.
        place: Place { in_mesh, has_forged_addresses: in_mesh },
        gateways: plugin.gateways(),
        fields: plugin.fields(),
        findings: plugin.findings,
    })
}

/// The code of what an API server or kubectl refuses, by the schemas that Istio installs.
pub(super) const NOT_APPLIED: &str = "not-applied";

/// The fields of the part that concerns the module, by Istio's schemas.
const OF_MODULE: [&str; 10] = [
    "failStrategy",
    "imagePullPolicy",
    "imagePullSecret",
    "pluginConfig",
    "pluginName",
    "sha256",
    "type",
    "url",
    "verificationKey",
    "vmConfig",
];
/// The other fields of a spec. `targetRef` is of a WasmPlugin alone.
const OF_SPEC: [&str; 8] = ["lua", "match", "phase", "priority", "selector", "targetRef", "targetRefs", "wasm"];

/// Whether a key is what people write for `pluginConfig`.
fn is_nearly_plugin_config(key: &str) -> bool {
    let plain: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
    ["pluginconfig", "pluginconfiguration", "config", "configuration"].contains(&plain.to_ascii_lowercase().as_str())
}

struct Plugin<'p> {
    file: usize,
    document: &'p Document,
    resource: &'p Resource,
    spec: NodeId,
    /// What concerns the module: the spec, or a part of it.
    wasm: NodeId,
    /// Its path.
    way: &'static str,
    findings: Vec<Finding>,
}

impl Plugin<'_> {
    /// Notes a finding about a field of a node, or about the node where the field is not there.
    fn note(&mut self, of: NodeId, field: &str, level: Level, code: &'static str, sentence: &str) {
        let way = if of == self.wasm { self.way } else { "spec" };
        let entry = self.document.entry(of, &[field]);
        let position = self.document.position(entry.map_or(of, |(key, _)| key));
        let path = if entry.is_some() { format!("{way}.{field}") } else { way.to_owned() };
        let path = self.resource.path_to(&path);
        self.findings.push(finding(self.file, self.resource, position, &path, (level, code), sentence));
    }

    /// What is beside the configuration.
    fn fields(&self) -> BTreeMap<String, String> {
        let of = |node: NodeId, way: &'static str| {
            let members = self.document.members(node).iter();
            members.filter_map(move |(key, value)| Some((format!("{way}.{}", self.document.text(*key)?), *value)))
        };
        let inner = if self.wasm == self.spec { None } else { Some(of(self.wasm, self.way)) };
        of(self.spec, "spec")
            .filter(|(path, _)| path != "spec.wasm")
            .chain(inner.into_iter().flatten())
            .filter(|(path, _)| !path.ends_with(".pluginConfig"))
            .map(|(path, value)| (path, write_json(self.document, value).map(|json| json.text).unwrap_or_default()))
            .collect()
    }

    /// An API server takes a resource by both of its names alone.
    fn judge_kind(&mut self) {
        let (root, document) = (self.resource.root, self.document);
        let (field, sentence) = match document.text_at(root, &["apiVersion"]) {
            None => (
                "apiVersion",
                "no `apiVersion`, and kubectl refuses that; write `apiVersion: extensions.istio.io/v1alpha1`",
            ),
            Some(version) if version.strip_prefix(EXTENSIONS) != Some("v1alpha1") => (
                "apiVersion",
                "a resource of this kind has another `apiVersion`, and kubectl refuses that; write `extensions.istio.io/v1alpha1`",
            ),
            _ if document.text_at(root, &["kind"]).is_none() => {
                ("kind", "no `kind`, and kubectl refuses that; write `kind: WasmPlugin`")
            }
            _ => return,
        };
        let entry = document.entry(root, &[field]);
        let position = document.position(entry.map_or(root, |(key, _)| key));
        let path = if entry.is_some() { self.resource.path_to(field) } else { self.resource.path.clone() };
        self.findings.push(finding(self.file, self.resource, position, &path, (Level::Error, NOT_APPLIED), sentence));
    }

    fn judge_url(&mut self, url: &str) {
        let (wasm, warning) = (self.wasm, Level::Warning);
        let scheme = url.split_once("://").map(|(scheme, _)| scheme);
        let authority = url.split('/').next().unwrap_or_default();
        match scheme {
            None if url.is_empty() => {
                self.note(wasm, "url", warning, "no-url", "no `url`, so there is no module; add it");
            }
            None if authority.contains(':') => {
                let sentence = "istiod drops a url whose host has a port and no scheme, and nothing is protected; write `oci://` before it";
                self.note(wasm, "url", warning, "url-without-scheme", sentence);
            }
            None => {
                let sentence = "a url without a scheme is read as an image's today; write `oci://` before it";
                self.note(wasm, "url", warning, "url-without-scheme", sentence);
            }
            Some(_) => {}
        }
        let has_digest =
            url.contains("@sha256:") || self.document.text_at(wasm, &["sha256"]).is_some_and(|sum| !sum.is_empty());
        if has_digest || matches!(scheme, Some("file")) || url.is_empty() {
            return;
        }
        let image = url.rsplit('/').next().unwrap_or_default();
        let tag = image.split_once(':').map(|(_, tag)| tag);
        let is_image = !matches!(scheme, Some("http" | "https"));
        let is_fixed =
            tag.is_some_and(|tag| tag.contains('.') && tag.contains(|character: char| character.is_ascii_digit()));
        if is_image && !is_fixed {
            let sentence = "this tag can move, and then another module runs; set `sha256` to the image's digest, or name a version";
            self.note(wasm, "url", warning, "moving-tag", sentence);
        } else {
            let sentence =
                "no `sha256`: whoever can write to that registry decides what runs here; set it to the image's digest";
            self.note(wasm, "url", Level::Note, "no-sha256", sentence);
        }
    }

    fn judge_phase(&mut self) {
        let phase = self.document.text_at(self.spec, &["phase"]).map(str::to_owned);
        match phase.as_deref() {
            Some("AUTHN") => {}
            Some("AUTHZ" | "STATS") => {
                let sentence = "filters that go before, authorization among them, see requests without a password; write `phase: AUTHN`";
                self.note(self.spec, "phase", Level::Warning, "phase", sentence);
            }
            Some(phase) if !phase.starts_with("UNSPECIFIED") => {
                let sentence = "no phase that Istio knows, and kubectl refuses that; write `phase: AUTHN`";
                self.note(self.spec, "phase", Level::Error, NOT_APPLIED, sentence);
            }
            _ => {
                let sentence = "without a phase the filter goes last, behind authorization; write `phase: AUTHN`";
                self.note(self.spec, "phase", Level::Warning, "phase", sentence);
            }
        }
    }

    fn judge_failure(&mut self) {
        match self.document.text_at(self.wasm, &["failStrategy"]) {
            None | Some("FAIL_CLOSE" | "FAIL_RELOAD") => {}
            Some("FAIL_OPEN") => {
                let sentence = "a module that cannot be fetched lets every request pass; remove it, for `FAIL_CLOSE` is the default";
                self.note(self.wasm, "failStrategy", Level::Warning, "fail-open", sentence);
            }
            Some(_) => {
                let sentence = "neither `FAIL_CLOSE` nor `FAIL_RELOAD`, and kubectl refuses that; remove it, for `FAIL_CLOSE` is the default";
                self.note(self.wasm, "failStrategy", Level::Error, NOT_APPLIED, sentence);
            }
        }
    }

    fn judge_sum(&mut self) {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_sum = |sum: &str| sum.is_empty() || sum.len() == 64 && sum.bytes().all(is_digit);
        if self.document.text_at(self.wasm, &["sha256"]).is_some_and(|sum| !is_sum(sum)) {
            let sentence =
                "not 64 digits of base 16 in lower case, and kubectl refuses that; write the digest without `sha256:`";
            self.note(self.wasm, "sha256", Level::Error, NOT_APPLIED, sentence);
        }
    }

    /// What stands beside `pluginConfig` in place of below it is dropped by the API server.
    fn judge_indent(&mut self) {
        let is_field = |key: &str| FIELDS.iter().any(|field| field.name == key && field.objects.contains(&Object::Top));
        let keys = self.document.members(self.wasm).iter().filter_map(|(key, _)| self.document.text(*key));
        let beside: Vec<String> = keys.filter(|key| is_field(key)).map(str::to_owned).collect();
        for field in beside {
            let sentence = "it stands beside `pluginConfig`, so the module never sees it; indent it below that";
            self.note(self.wasm, &field, Level::Error, "beside-plugin-config", sentence);
        }
    }

    fn judge_selector(&mut self, waypoint: bool) {
        if waypoint && self.document.get(self.spec, &["selector"]).is_some() {
            let sentence = "a waypoint knows no selector, so nothing is protected; write `targetRefs` with its Gateway or a Service";
            self.note(self.spec, "selector", Level::Warning, "selector-on-waypoint", sentence);
        }
    }

    /// What the resource is for, in the form that it has to have.
    fn judge_targets(&mut self) {
        let (document, spec) = (self.document, self.spec);
        let kind_of =
            |field: &str| document.get(spec, &[field]).and_then(|id| document.node(id)).map(|node| &node.kind);
        if matches!(kind_of("targetRefs"), Some(Kind::Mapping(_))) {
            let sentence = "not a list, and kubectl refuses that; write a `-` before its first field";
            self.note(spec, "targetRefs", Level::Error, NOT_APPLIED, sentence);
        }
        let selector = document.get(spec, &["selector"]);
        let keys = selector.map(|selector| document.members(selector)).unwrap_or_default();
        if keys.iter().any(|(key, _)| document.text(*key) != Some("matchLabels")) {
            let sentence = "labels beside `matchLabels` select nothing, and kubectl refuses them; write them below it";
            self.note(spec, "selector", Level::Error, NOT_APPLIED, sentence);
        }
        let ways = ["selector", "targetRef", "targetRefs"];
        let given: Vec<&str> = ways.into_iter().filter(|way| document.get(spec, &[way]).is_some()).collect();
        if let [_, .., last] = given.as_slice() {
            let sentence =
                "only one of `selector`, `targetRef` and `targetRefs` may be there, and kubectl refuses more; keep one";
            self.note(spec, last, Level::Error, NOT_APPLIED, sentence);
        }
    }

    /// Fields that Istio does not have, but for one that is told already.
    fn judge_fields(&mut self, told: Option<NodeId>) {
        let document = self.document;
        let is_one = self.spec == self.wasm;
        let parts = [(self.spec, true, is_one), (self.wasm, is_one, true)];
        for (part, of_spec, of_module) in parts.into_iter().take(if is_one { 1 } else { 2 }) {
            for (key, _) in document.members(part) {
                let name = document.text(*key).unwrap_or_default();
                let is_known = of_spec && OF_SPEC.contains(&name)
                    || of_module && OF_MODULE.contains(&name)
                    || FIELDS.iter().any(|field| field.name == name && field.objects.contains(&Object::Top))
                    || name == "<<";
                if is_known || told == Some(*key) {
                    continue;
                }
                // Its name may be anything, and is not said.
                let sentence =
                    "no field that Istio has here, so kubectl refuses it and others drop it; correct or remove it";
                let path = self.resource.path_to(if part == self.wasm { self.way } else { "spec" });
                let place = (Level::Warning, "unknown-field");
                self.findings.push(finding(self.file, self.resource, document.position(*key), &path, place, sentence));
            }
        }
        let priority = document.get(self.spec, &["priority"]).and_then(|priority| document.scalar(priority));
        let is_whole = |number: &str| number.parse::<i32>().is_ok();
        if !matches!(&priority, None | Some(Scalar::Null))
            && !matches!(&priority, Some(Scalar::Number(number)) if is_whole(number))
        {
            let sentence = "not a whole number without quotes, and kubectl refuses that; write one";
            self.note(self.spec, "priority", Level::Error, NOT_APPLIED, sentence);
        }
    }

    /// The names and kinds of what the resource is for.
    fn targets(&self) -> Vec<(&str, &str)> {
        let document = self.document;
        let several = document.get(self.spec, &["targetRefs"]).map(|several| document.items(several));
        let one = document.get(self.spec, &["targetRef"]);
        let all = several.unwrap_or_default().iter().copied().chain(one);
        let text = |id, name| document.text_at(id, &[name]).unwrap_or_default();
        all.map(|id| (text(id, "kind"), text(id, "name"))).collect()
    }

    fn gateways(&self) -> Vec<String> {
        let targets = self.targets();
        if targets.iter().any(|(kind, _)| *kind != "Gateway") {
            return Vec::new();
        }
        targets.into_iter().map(|(_, name)| name.to_owned()).collect()
    }

    fn is_for_waypoint(&self, waypoints: &HashSet<String>) -> bool {
        const LABEL: &str = "gateway.networking.k8s.io/gateway-name";
        let selected = self.document.at(self.spec, &["selector", "matchLabels"]);
        let selected = selected.and_then(|labels| self.document.text_at(labels, &[LABEL]));
        let targets = self.targets();
        let gateways = targets.iter().filter(|(kind, _)| *kind == "Gateway").map(|(_, name)| *name).chain(selected);
        let is_for_service = targets.iter().any(|(kind, _)| *kind == "Service");
        is_for_service || gateways.into_iter().any(|name| name.contains("waypoint") || waypoints.contains(name))
    }

    fn is_sidecar(&self) -> bool {
        let selector = self.document.at(self.spec, &["selector", "matchLabels"]);
        let values = selector.map(|labels| self.document.members(labels)).unwrap_or_default();
        let is_gateway =
            |(_, value): &(NodeId, NodeId)| self.document.text(*value).is_some_and(|text| text.contains("gateway"));
        selector.is_some() && !values.iter().any(is_gateway)
    }

    fn variables(&self) -> Variables {
        let document = self.document;
        let entries = document.at(self.wasm, &["vmConfig", "env"]).map(|env| document.items(env)).unwrap_or_default();
        let declared = entries.iter().filter_map(|entry| {
            let name = document.text_at(*entry, &["name"])?.to_owned();
            let is_host = document.text_at(*entry, &["valueFrom"]) == Some("HOST");
            let value = document.text_at(*entry, &["value"]).unwrap_or_default();
            Some((name, if is_host { Variable::Host } else { Variable::Inline(value.to_owned()) }))
        });
        Variables { declared: Some(declared.collect::<HashMap<_, _>>()) }
    }
}

/// The names of the Gateways of a stream that are waypoints.
pub fn waypoints(files: &[File]) -> HashSet<String> {
    let mut names = HashSet::new();
    for document in files.iter().flat_map(|file| &file.documents) {
        for resource in document.root().map(|root| resources(document, root)).unwrap_or_default() {
            let class = document.text_at(resource.root, &["spec", "gatewayClassName"]);
            if resource.kind == "Gateway" && class == Some("istio-waypoint") {
                names.insert(resource.name);
            }
        }
    }
    names
}
