//! A part of a document as the JSON that reaches the module, with the way back: which byte of it stands where.

use std::collections::HashSet;

use super::scalar::Scalar;
use super::{Document, Kind, NodeId, Position};

/// The most bytes of JSON that a document may become, as many times what it has in nodes and texts: aliases unfold, and
/// more is hardly meant.
const MAX_GROWTH: usize = 64;
/// How deep values may lie in one another.
const MAX_DEPTH: usize = 128;

/// JSON, and where its values stand in the file that it is from.
#[derive(Debug)]
pub struct JsonText {
    /// The JSON.
    pub text: String,
    /// For each key and each value where it begins, and where that is in the file; in order.
    places: Vec<(usize, Position)>,
}

impl JsonText {
    /// Where in the file the value stands that begins at or before a byte.
    pub fn position(&self, offset: usize) -> Position {
        let next = self.places.partition_point(|(start, _)| *start <= offset);
        next.checked_sub(1).and_then(|index| self.places.get(index)).map_or(Position::START, |(_, place)| *place)
    }
}

/// Writes a node as JSON; `None` where aliases unfold it beyond what the module takes, or too deep.
pub fn write_json(document: &Document, id: NodeId) -> Option<JsonText> {
    let max_bytes = document.weight().saturating_mul(MAX_GROWTH);
    let mut writer = Writer { document, max_bytes, json: JsonText { text: String::new(), places: Vec::new() } };
    writer.write(id, 0)?;
    Some(writer.json)
}

struct Writer<'d> {
    document: &'d Document,
    max_bytes: usize,
    json: JsonText,
}

impl Writer<'_> {
    fn write(&mut self, id: NodeId, depth: usize) -> Option<()> {
        // A chain of aliases can be deeper than any document.
        if self.json.text.len() > self.max_bytes || depth > MAX_DEPTH {
            return None;
        }
        let node = self.document.node(id)?;
        self.json.places.push((self.json.text.len(), node.start));
        match &node.kind {
            Kind::Scalar { .. } => match self.document.scalar(id)? {
                Scalar::Null => self.json.text.push_str("null"),
                Scalar::Boolean(truth) => self.json.text.push_str(if truth { "true" } else { "false" }),
                Scalar::Number(number) => self.json.text.push_str(&number),
                Scalar::Text(text) => self.json.text.push_str(&quoted(&text)),
            },
            Kind::Sequence(items) => {
                self.json.text.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        self.json.text.push(',');
                    }
                    self.write(*item, depth + 1)?;
                }
                self.json.text.push(']');
            }
            Kind::Mapping(_) => {
                self.json.text.push('{');
                for (index, (key, value)) in self.merged(id).into_iter().enumerate() {
                    if index > 0 {
                        self.json.text.push(',');
                    }
                    let name = self.document.text(key).unwrap_or_default();
                    self.json.places.push((self.json.text.len(), self.document.position(key)));
                    self.json.text.push_str(&quoted(name));
                    self.json.text.push(':');
                    self.write(value, depth + 1)?;
                }
                self.json.text.push('}');
            }
        }
        Some(())
    }

    /// The members of a mapping, with those that `<<` brings and that are not there otherwise.
    fn merged(&self, id: NodeId) -> Vec<(NodeId, NodeId)> {
        let members = self.document.members(id);
        let is_merge = |key: NodeId| self.document.text(key) == Some("<<");
        if !members.iter().any(|(key, _)| is_merge(*key)) {
            return members.to_vec();
        }
        let mut own: Vec<_> = members.iter().filter(|(key, _)| !is_merge(*key)).copied().collect();
        let mut names: HashSet<&str> = own.iter().filter_map(|(key, _)| self.document.text(*key)).collect();
        for (_, merged) in members.iter().filter(|(key, _)| is_merge(*key)) {
            let several = self.document.items(*merged);
            let sources = if several.is_empty() { std::slice::from_ref(merged) } else { several };
            for (key, value) in sources.iter().flat_map(|source| self.document.members(*source)) {
                if self.document.text(*key).is_some_and(|name| names.insert(name)) {
                    own.push((*key, *value));
                }
            }
        }
        own
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
