//! What is read: files, folders and standard input, as text with lines.

mod json;
mod open;
mod scalar;
mod yaml;

pub use json::{JsonText, write_json};
pub use open::{Opened, Unreadable, open, read_text};
pub use scalar::{Scalar, is_sexagesimal};
pub use yaml::{Document, Kind, Node, NodeId, Seen, SyntaxError, parse};

use std::fmt;

/// A file that was read.
#[derive(Debug)]
pub struct Source {
    /// Its name as it was given, or `-` for standard input.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Where its lines begin, in bytes.
    lines: Vec<usize>,
    /// Whether it was named itself, and not found in a folder.
    pub is_named: bool,
}

/// A place in a text: line and column, both counted from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Position {
    /// The beginning of a text.
    pub const START: Self = Self { line: 1, column: 1 };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Source {
    /// A text that was read.
    pub fn new(name: String, text: String, is_named: bool) -> Self {
        // To YAML a carriage return alone ends a line as well.
        let bytes = text.as_bytes();
        let is_end =
            |(index, byte): &(usize, &u8)| **byte == b'\n' || **byte == b'\r' && bytes.get(index + 1) != Some(&b'\n');
        let ends = bytes.iter().enumerate().filter(is_end).map(|(index, _)| index + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        Self { name, text, lines, is_named }
    }

    /// A line without its end, counted from 1; empty if there is none.
    pub fn line(&self, line: usize) -> &str {
        let bounds = |line: usize| self.lines.get(line).copied();
        let start = line.checked_sub(1).and_then(bounds).unwrap_or(self.text.len());
        let end = bounds(line).unwrap_or(self.text.len());
        self.text.get(start..end).unwrap_or_default().trim_end_matches(['\n', '\r'])
    }

    /// The place of a byte of the text.
    pub fn position(&self, offset: usize) -> Position {
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default();
        Position { line, column: before.chars().count() + 1 }
    }

    /// The byte of the text at a place; the end of the text if there is no such place.
    pub fn offset(&self, position: Position) -> usize {
        let Some(start) = position.line.checked_sub(1).and_then(|line| self.lines.get(line)) else {
            return self.text.len();
        };
        let rest = self.text.get(*start..).unwrap_or_default();
        let within = rest.char_indices().nth(position.column.saturating_sub(1)).map_or(rest.len(), |(index, _)| index);
        start + within
    }
}

#[cfg(test)]
mod tests {
    use super::{Position, Source};

    #[test]
    fn places_and_bytes_are_told_from_one_another() {
        let source = Source::new("x".into(), "aé\nb\r\n".into(), true);
        for (offset, line, column) in [(0, 1, 1), (1, 1, 2), (3, 1, 3), (4, 2, 1), (7, 3, 1)] {
            let position = Position { line, column };
            assert_eq!((source.position(offset), source.offset(position)), (position, offset));
        }
        assert_eq!(["", "aé", "b", "", ""], [0, 1, 2, 3, 4].map(|line| source.line(line)));
        let source = Source::new("x".into(), "a\rb\r\nc".into(), true);
        assert_eq!(["a", "b", "c"], [1, 2, 3].map(|line| source.line(line)));
        assert_eq!(source.position(2), Position { line: 2, column: 1 });
    }
}
