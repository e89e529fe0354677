//! Configurations in the texts of ConfigMaps and Secrets: Envoy's own files are often there, or the JSON alone.

use std::collections::HashSet;

use saphyr_parser::ScalarStyle;

use super::text::ConfigText;
use super::{Configuration, Resource, bare, envoy, has_field, istio, resources, values};
use crate::source::{Document, Kind, NodeId, Position, Source, parse};

/// Adds the configurations in the texts of a ConfigMap, and in the plain ones of a Secret.
pub fn texts(
    file: usize,
    document: &Document,
    resource: &Resource,
    waypoints: &HashSet<String>,
    found: &mut Vec<Configuration>,
) {
    for (name, value) in values_of(document, resource) {
        let title = format!("{} {name}", resource.title);
        text(file, document, value, &title, waypoints, found);
    }
}

/// The texts that may hold a configuration, with their names.
fn values_of<'d>(document: &'d Document, resource: &Resource) -> Vec<(&'d str, NodeId)> {
    let field = if resource.kind == "Secret" { "stringData" } else { "data" };
    let data = document.get(resource.root, &[field]);
    let members = data.map(|data| document.members(data)).unwrap_or_default();
    let is_ours = |value: &NodeId| document.text(*value).is_some_and(|text| text.contains("basic_auth"));
    members
        .iter()
        .filter(|(_, value)| is_ours(value))
        .filter_map(|(key, value)| Some((document.text(*key)?, *value)))
        .collect()
}

/// The documents in the texts of a ConfigMap or a Secret, where they stand in the file.
pub fn documents(document: &Document, resource: &Resource) -> Vec<Document> {
    values_of(document, resource).into_iter().flat_map(|(_, value)| inner(document, value)).collect()
}

/// The documents in a text. What is neither YAML nor JSON is something else.
fn inner(document: &Document, id: NodeId) -> Vec<Document> {
    let Some(node) = document.node(id) else { return Vec::new() };
    let Kind::Scalar { text, style, .. } = &node.kind else { return Vec::new() };
    let mut documents = parse(&Source::new(String::new(), text.to_string(), false)).unwrap_or_default();
    for inner in &mut documents {
        // A text in lines stands in the file as it is, but for its indent; of another the beginning has to do.
        inner.relocate(|place| match style {
            ScalarStyle::Literal => {
                Position { line: node.start.line + place.line - 1, column: node.start.column + place.column - 1 }
            }
            _ => node.start,
        });
    }
    documents
}

/// Adds those in one text.
fn text(
    file: usize,
    document: &Document,
    id: NodeId,
    title: &str,
    waypoints: &HashSet<String>,
    found: &mut Vec<Configuration>,
) {
    let Some(node) = document.node(id) else { return };
    let Kind::Scalar { text, style, .. } = &node.kind else { return };
    let titled = |configuration: Configuration| Configuration { resource: title.to_owned(), ..configuration };
    if text.trim_start().starts_with('{') && text.contains("\"basic_auth_rules\"") && !text.contains("\"apiVersion\"") {
        // Handed over as it is written, so that errors are the module's own.
        let text = ConfigText::String { text: text.to_string(), start: node.start, style: *style };
        found.push(titled(bare(file, node.start, Ok(text))));
        return;
    }
    for inner in inner(document, id) {
        let Some(root) = inner.root() else { continue };
        if has_field(&inner, root) {
            found.push(titled(bare(file, inner.position(root), values(&inner, root))));
            continue;
        }
        let (mut seen, mut numbers) = (inner.unseen(), inner.unseen());
        for resource in resources(&inner, root) {
            let title = format!("{title} {}", resource.title).trim_end().to_owned();
            let resource = Resource { title, ..resource };
            if resource.is_plugin() {
                found.extend(istio::plugin(file, &inner, &resource, waypoints, &mut numbers));
            } else {
                envoy::filters(file, &inner, &resource, &mut seen, found);
            }
        }
    }
}
