//! The text of a configuration as the module gets it, and where in the file each of its bytes stands.

use saphyr_parser::ScalarStyle;

use crate::source::{JsonText, Position, Source};

/// The text of a configuration.
#[derive(Debug)]
pub enum ConfigText {
    /// The file itself.
    File(String),
    /// Values of a document, written as JSON.
    Values(JsonText),
    /// A string in a document.
    String {
        /// The string.
        text: String,
        /// Where it begins; of one in lines, where its first line does.
        start: Position,
        /// How it is written.
        style: ScalarStyle,
    },
}

impl ConfigText {
    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::File(text) | Self::String { text, .. } => text,
            Self::Values(json) => &json.text,
        }
    }

    /// Where in the file the value stands that begins at a byte.
    pub fn position(&self, source: &Source, offset: usize) -> Position {
        match self {
            Self::File(_) => source.position(offset),
            Self::Values(json) => json.position(offset),
            Self::String { text, start, style } => {
                let before = text.get(..offset).unwrap_or(text);
                if matches!(style, ScalarStyle::Literal) {
                    let lines = before.matches('\n').count();
                    let within = before.rsplit('\n').next().unwrap_or_default().chars().count();
                    return Position { line: start.line + lines, column: start.column + within };
                }
                in_quotes(source, *start, before.chars().count())
            }
        }
    }

    /// Where in the file the key stands whose value begins at a byte.
    pub fn key_position(&self, source: &Source, offset: usize) -> Position {
        self.position(source, key_offset(self.as_str(), offset).unwrap_or(offset))
    }

    /// The byte at a line and column of the text, both from 1, the column in bytes.
    pub fn offset_of(&self, line: usize, column: usize) -> usize {
        let before: usize = self.as_str().split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        before + column.saturating_sub(1)
    }
}

/// The byte at which the key begins whose value begins at another.
fn key_offset(json: &str, value: usize) -> Option<usize> {
    let before = json.get(..value)?.trim_end().strip_suffix(':')?.trim_end().strip_suffix('"')?;
    // A quote is escaped by an odd number of backslashes.
    before.rmatch_indices('"').map(|(index, _)| index).find(|index| {
        let escapes = before.get(..*index).unwrap_or_default().bytes().rev().take_while(|byte| *byte == b'\\').count();
        escapes % 2 == 0
    })
}

/// The place of a character of a string in quotes, of which an escape is several in the file.
fn in_quotes(source: &Source, start: Position, characters: usize) -> Position {
    let from = source.offset(start);
    let mut rest = source.text.get(from..).unwrap_or_default();
    let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''));
    rest = rest.get(quote.map_or(0, char::len_utf8)..).unwrap_or_default();
    for _ in 0..characters {
        let length = match (quote, rest.as_bytes()) {
            (Some('"'), [b'\\', b'u', ..]) => 6,
            (Some('"'), [b'\\', ..]) | (Some('\''), [b'\'', b'\'', ..]) => 2,
            _ => rest.chars().next().map_or(0, char::len_utf8),
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    source.position(source.text.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use saphyr_parser::ScalarStyle;

    use super::{ConfigText, key_offset};
    use crate::source::{Position, Source};

    #[test]
    fn a_value_in_a_quoted_string_is_found_in_its_file() {
        let source = Source::new("x".into(), "value: \"{\\\"realm\\\": \\u0031}\"".into(), true);
        let start = Position { line: 1, column: 8 };
        let text = ConfigText::String { text: "{\"realm\": 1}".into(), start, style: ScalarStyle::DoubleQuoted };
        assert_eq!(text.position(&source, 10), Position { line: 1, column: 21 });
        assert_eq!(text.key_position(&source, 10), Position { line: 1, column: 10 });
    }

    #[test]
    fn a_value_in_a_string_of_lines_is_found_in_its_file() {
        let source = Source::new("x".into(), "value: |\n  {\n    \"realm\": 1\n  }\n".into(), true);
        let start = Position { line: 2, column: 3 };
        let text = ConfigText::String { text: "{\n  \"realm\": 1\n}\n".into(), start, style: ScalarStyle::Literal };
        assert_eq!(text.position(&source, 13), Position { line: 3, column: 14 });
        assert_eq!(text.offset_of(2, 12), 13);
    }

    #[test]
    fn a_key_is_found_before_its_value() {
        assert_eq!(key_offset(r#"{"a\"b" : 1}"#, 10), Some(1));
        assert_eq!(key_offset("[1]", 1), None);
    }
}
