//! Configurations in the texts of ConfigMaps and Secrets: Envoy's own files are often there, or the JSON alone.

use saphyr_parser::ScalarStyle;

use super::text::ConfigText;
use super::{Configuration, Resource, bare, envoy, has_field, values};
use crate::source::{Document, Kind, NodeId, Position, Source, parse};

/// Adds the configurations in the texts of a ConfigMap, and in the plain ones of a Secret.
pub fn texts(file: usize, document: &Document, resource: &Resource, found: &mut Vec<Configuration>) {
    let field = if resource.kind == "Secret" { "stringData" } else { "data" };
    let data = document.get(resource.root, &[field]);
    for (key, value) in data.map(|data| document.members(data)).unwrap_or_default() {
        let is_ours = document.text(*value).is_some_and(|text| text.contains("basic_auth"));
        if is_ours && let Some(name) = document.text(*key) {
            let title = format!("{} {name}", resource.title);
            text(file, document, *value, &title, found);
        }
    }
}

/// Adds those in one text.
fn text(file: usize, document: &Document, id: NodeId, title: &str, found: &mut Vec<Configuration>) {
    let Some(node) = document.node(id) else { return };
    let Kind::Scalar { text, style, .. } = &node.kind else { return };
    let titled = |configuration: Configuration| Configuration { resource: title.to_owned(), ..configuration };
    if text.trim_start().starts_with('{') && text.contains("\"basic_auth_rules\"") {
        // Handed over as it is written, so that errors are the module's own.
        let text = ConfigText::String { text: text.to_string(), start: node.start, style: *style };
        found.push(titled(bare(file, node.start, Ok(text))));
        return;
    }
    // What is neither YAML nor JSON is something else.
    let documents = parse(&Source::new(String::new(), text.to_string(), false)).unwrap_or_default();
    for mut inner in documents {
        // A text in lines stands in the file as it is, but for its indent; of another the beginning has to do.
        inner.relocate(|place| match style {
            ScalarStyle::Literal => {
                Position { line: node.start.line + place.line - 1, column: node.start.column + place.column - 1 }
            }
            _ => node.start,
        });
        let Some(root) = inner.root() else { continue };
        if has_field(&inner, root) {
            found.push(titled(bare(file, inner.position(root), values(&inner, root))));
        } else {
            let (kind, name) = (String::new(), String::new());
            let resource = Resource { kind, title: title.to_owned(), name, root, path: String::new() };
            envoy::filters(file, &inner, &resource, &mut inner.unseen(), found);
        }
    }
}
