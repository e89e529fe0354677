//! YAML, and so JSON, as a tree whose nodes know where they stand.
//!
//! The parser is `saphyr-parser`, which reports events with their places and builds nothing. The tree is made here so that
//! hostile text is bounded: an alias is a link and no copy, and depth and number of nodes have an end.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use super::scalar::{Scalar, resolve};
use super::{Position, Source};

/// The most nodes of a file. A hundred thousand rules are a million.
const MAX_NODES: usize = if cfg!(test) { 1_000 } else { 4_000_000 };
/// How deep nodes may lie in one another.
const MAX_DEPTH: usize = 128;

/// A document of a file.
#[derive(Debug, Default)]
pub struct Document {
    /// All nodes, in the order in which they begin.
    nodes: Vec<Node>,
    /// The root; `None` of an empty document.
    root: Option<NodeId>,
    /// How many bytes its texts have.
    text_bytes: usize,
}

/// The index of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(usize);

/// Which nodes of a document were seen.
pub struct Seen(Vec<bool>);

impl Seen {
    /// Whether a node is seen for the first time.
    pub fn is_new(&mut self, id: NodeId) -> bool {
        self.0.get_mut(id.0).is_some_and(|seen| !std::mem::replace(seen, true))
    }
}

/// A node.
#[derive(Debug)]
pub struct Node {
    /// Where it begins; of a text in lines, where its first line does.
    pub start: Position,
    /// Where it ends.
    pub end: Position,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Debug)]
pub enum Kind {
    /// A scalar.
    Scalar {
        /// Its text.
        text: Box<str>,
        /// How it is written.
        style: ScalarStyle,
        /// Whether a tag says that it is a string.
        is_string: bool,
    },
    /// A sequence.
    Sequence(Vec<NodeId>),
    /// A mapping, doubled keys included.
    Mapping(Vec<(NodeId, NodeId)>),
}

/// Why a text cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where.
    pub position: Position,
    /// What is wrong, and what to do.
    pub sentence: String,
}

impl Document {
    /// The root.
    pub fn root(&self) -> Option<NodeId> {
        self.root
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0)
    }

    /// Which nodes were seen, none of them yet: aliases lead to one node by several ways.
    pub fn unseen(&self) -> Seen {
        Seen(vec![false; self.nodes.len()])
    }

    /// All nodes.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> {
        (0..self.nodes.len()).map(NodeId)
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// How much there is of it: its nodes, and the bytes of its texts.
    pub fn weight(&self) -> usize {
        self.len() + self.text_bytes
    }

    /// The nodes that begin in a line.
    pub fn nodes_of_line(&self, line: usize) -> impl Iterator<Item = &Node> {
        let first = self.nodes.partition_point(|node| node.start.line < line);
        self.nodes.get(first..).unwrap_or_default().iter().take_while(move |node| node.start.line == line)
    }

    /// The members of a mapping, none of another node.
    pub fn members(&self, id: NodeId) -> &[(NodeId, NodeId)] {
        match self.node(id).map(|node| &node.kind) {
            Some(Kind::Mapping(members)) => members,
            _ => &[],
        }
    }

    /// The items of a sequence, none of another node.
    pub fn items(&self, id: NodeId) -> &[NodeId] {
        match self.node(id).map(|node| &node.kind) {
            Some(Kind::Sequence(items)) => items,
            _ => &[],
        }
    }

    /// The text of a scalar, whatever it is otherwise.
    pub fn text(&self, id: NodeId) -> Option<&str> {
        match &self.node(id)?.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The value of a scalar.
    pub fn scalar(&self, id: NodeId) -> Option<Scalar<'_>> {
        match &self.node(id)?.kind {
            Kind::Scalar { text, style: ScalarStyle::Plain, is_string: false } => Some(resolve(text)),
            Kind::Scalar { text, .. } => Some(Scalar::Text(Cow::Borrowed(text))),
            _ => None,
        }
    }

    /// The last member of a mapping whose key is one of these.
    pub fn get(&self, id: NodeId, names: &[&str]) -> Option<NodeId> {
        self.entry(id, names).map(|(_, value)| value)
    }

    /// The same, with the key.
    pub fn entry(&self, id: NodeId, names: &[&str]) -> Option<(NodeId, NodeId)> {
        let is_named = |key: NodeId| self.text(key).is_some_and(|text| names.contains(&text));
        self.members(id).iter().rev().find(|(key, _)| is_named(*key)).copied()
    }

    /// The node at the end of a way of keys.
    pub fn at(&self, id: NodeId, way: &[&str]) -> Option<NodeId> {
        way.iter().try_fold(id, |id, name| self.get(id, &[name]))
    }

    /// The text of the scalar at the end of a way of keys.
    pub fn text_at(&self, id: NodeId, way: &[&str]) -> Option<&str> {
        self.text(self.at(id, way)?)
    }

    /// Puts all nodes where they stand in the file that holds the text of this document.
    pub fn relocate(&mut self, place: impl Fn(Position) -> Position) {
        for node in &mut self.nodes {
            (node.start, node.end) = (place(node.start), place(node.end));
        }
    }

    /// Where a node begins.
    pub fn position(&self, id: NodeId) -> Position {
        self.node(id).map_or(Position::START, |node| node.start)
    }
}

/// Reads all documents of a text.
///
/// # Errors
/// [`SyntaxError`]
pub fn parse(source: &Source) -> Result<Vec<Document>, SyntaxError> {
    let mut parser = Parser::new_from_str(&source.text);
    let mut documents = Vec::new();
    let (mut builder, mut nodes_before) = (Builder::default(), 0);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| syntax_error(source, position(error.marker()), error.info()))?;
        let (start, end) = (position(&span.start), position(&span.end));
        match event {
            Event::StreamEnd => break,
            Event::DocumentEnd => {
                nodes_before += builder.document.len();
                documents.push(std::mem::take(&mut builder.document));
            }
            Event::DocumentStart(_) => builder = Builder { nodes_before, ..Builder::default() },
            event => builder.add(event, start, end)?,
        }
    }
    Ok(documents)
}

fn position(marker: &Marker) -> Position {
    Position { line: marker.line(), column: marker.col() + 1 }
}

/// What a parser says is no sentence for everybody, and its words never quote the text.
fn syntax_error(source: &Source, position: Position, info: &str) -> SyntaxError {
    // The parser stops before a tab, which may be an indent in the next line.
    let next = Position { line: position.line + 1, column: 1 };
    let is_tab = info.contains("tab") && source.line(next.line).starts_with('\t');
    let position = if is_tab { next } else { position };
    let line = source.line(position.line);
    let cure = if source.text.contains("{{") {
        "this looks like a template; give what Helm makes of it: `helm template . | basic-auth check -`"
    } else if line.contains('\t') {
        "a tab is no indent in YAML; write blanks"
    } else if line.contains('*') && (info.contains("anchor") || info.contains("alias")) {
        "a `*` begins an alias in YAML; put the text in quotes"
    } else {
        "fix it there or in the line before"
    };
    SyntaxError { position, sentence: format!("neither YAML nor JSON: {info}; {cure}") }
}

/// A document as far as it was read.
#[derive(Default)]
struct Builder {
    document: Document,
    /// The collections that are not at their end, each with its anchor.
    open: Vec<(NodeId, usize)>,
    /// The key of each open mapping that waits for its value.
    keys: Vec<Option<NodeId>>,
    anchors: HashMap<usize, NodeId>,
    nodes_before: usize,
}

impl Builder {
    fn add(&mut self, event: Event<'_>, start: Position, end: Position) -> Result<(), SyntaxError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_string =
                    tag.is_some_and(|tag| tag.suffix == "str" || tag.handle == "!" && tag.suffix.is_empty());
                let id = self.node(start, end, Kind::Scalar { text: text.into(), style, is_string })?;
                self.note_anchor(anchor, id);
                self.place(id);
            }
            Event::Alias(anchor) => {
                let Some(id) = self.anchors.get(&anchor) else {
                    let sentence = "an alias within what it stands for would never end; remove it".to_owned();
                    return Err(SyntaxError { position: start, sentence });
                };
                self.place(*id);
            }
            Event::SequenceStart(anchor, _) => self.open(start, end, Kind::Sequence(Vec::new()), anchor)?,
            Event::MappingStart(anchor, _) => self.open(start, end, Kind::Mapping(Vec::new()), anchor)?,
            Event::SequenceEnd | Event::MappingEnd => {
                self.keys.pop();
                if let Some((id, anchor)) = self.open.pop() {
                    if let Some(node) = self.document.nodes.get_mut(id.0) {
                        node.end = end;
                    }
                    // Only now, so that nothing holds itself.
                    self.note_anchor(anchor, id);
                    self.place(id);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Remembers a node that has an anchor; 0 is none.
    fn note_anchor(&mut self, anchor: usize, id: NodeId) {
        if anchor > 0 {
            self.anchors.insert(anchor, id);
        }
    }

    fn open(&mut self, start: Position, end: Position, kind: Kind, anchor: usize) -> Result<(), SyntaxError> {
        if self.open.len() >= MAX_DEPTH {
            let sentence = format!("more than {MAX_DEPTH} nodes within one another; write it flatter");
            return Err(SyntaxError { position: start, sentence });
        }
        let id = self.node(start, end, kind)?;
        self.open.push((id, anchor));
        self.keys.push(None);
        Ok(())
    }

    fn node(&mut self, start: Position, end: Position, kind: Kind) -> Result<NodeId, SyntaxError> {
        let id = NodeId(self.document.nodes.len());
        if self.nodes_before + id.0 >= MAX_NODES {
            let sentence = format!("more than {MAX_NODES} nodes; give the part that matters");
            return Err(SyntaxError { position: start, sentence });
        }
        if let Kind::Scalar { text, .. } = &kind {
            self.document.text_bytes += text.len();
        }
        self.document.nodes.push(Node { start, end, kind });
        Ok(id)
    }

    /// Puts a node that is complete where it belongs.
    fn place(&mut self, id: NodeId) {
        let Some((parent, _)) = self.open.last() else {
            self.document.root = Some(id);
            return;
        };
        let key = self.keys.last_mut();
        match (self.document.nodes.get_mut(parent.0).map(|node| &mut node.kind), key) {
            (Some(Kind::Sequence(items)), _) => items.push(id),
            (Some(Kind::Mapping(members)), Some(key)) => match key.take() {
                Some(name) => members.push((name, id)),
                None => *key = Some(id),
            },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_NODES, parse};
    use crate::source::{Position, Source};

    #[test]
    fn the_number_of_nodes_has_an_end_in_one_document_and_in_many() {
        for text in ["- x\n".repeat(MAX_NODES), "--- x\n".repeat(MAX_NODES + 1)] {
            let error = parse(&Source::new("x".into(), text, true)).unwrap_err();
            assert!(error.sentence.starts_with("more than 1000 nodes"), "{}", error.sentence);
        }
        assert!(parse(&Source::new("x".into(), "- x\n".repeat(MAX_NODES - 1), true)).is_ok());
    }

    #[test]
    fn nodes_know_where_they_stand() {
        let source = Source::new("x".into(), "a: [1, 'b']\n---\nc: |\n  d\n".into(), true);
        let documents = parse(&source).unwrap();
        let at = |document: usize, way: &[&str]| {
            let root = documents[document].root().unwrap();
            documents[document].at(root, way).unwrap()
        };
        let items = documents[0].items(at(0, &["a"]));
        assert_eq!(documents[0].position(items[1]), Position { line: 1, column: 8 });
        assert_eq!(documents[1].text_at(documents[1].root().unwrap(), &["c"]), Some("d\n"));
        assert_eq!(documents[1].position(at(1, &["c"])), Position { line: 4, column: 3 });
    }
}
