//! JSON, read in place: each node knows its path and is parsed only when it is asked for.
//!
//! A tree of the whole document would cost a module with 100,000 rules tens of megabytes that wasm memory never
//! gives back. The text stays where it is instead, and one rule at a time is taken apart.
//! Errors are this crate's own: those of `serde_json` can quote the value they stumbled over.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::error::{JsonType, Problem};
use super::other_format;

/// The way from the document to a node, as a list linked towards the document.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    Document,
    Field(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document => Ok(()),
            Self::Field(Self::Document, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// A value of the document, not parsed yet.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    text: &'a str,
    path: Path<'a>,
}

impl<'a> Node<'a> {
    /// The document, whose syntax is checked with its [members](Self::members).
    pub(super) fn document(text: &'a str) -> Self {
        Self { text, path: Path::Document }
    }

    /// A value of one of the node's fields.
    pub(super) fn field(&'a self, name: &'a str, text: &'a str) -> Self {
        Self { text, path: Path::Field(&self.path, name) }
    }

    /// The node, but at the position of one of its members.
    pub(super) fn at_member(&self, text: &'a str) -> Self {
        Self { text, path: self.path }
    }

    /// The path of the node.
    pub(super) fn path(&self) -> Path<'a> {
        self.path
    }

    /// The node's JSON.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// Where the node is in the document, to be compared with other nodes.
    pub(super) fn position(&self) -> usize {
        self.text.as_ptr().addr()
    }

    /// What kind of value the node is.
    pub(super) fn json_type(&self) -> JsonType {
        match self.text.as_bytes().first() {
            Some(b'{') => JsonType::Object,
            Some(b'[') => JsonType::Array,
            Some(b'"') => JsonType::String,
            Some(b't' | b'f') => JsonType::Boolean,
            Some(b'n') => JsonType::Null,
            _ => JsonType::Number,
        }
    }

    /// The node's string. Borrowed where the JSON has no escape.
    pub(super) fn string(&self) -> Result<Cow<'a, str>, Problem> {
        self.expect(JsonType::String)?;
        match self.text.strip_prefix('"').and_then(|quoted| quoted.strip_suffix('"')) {
            Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain)),
            _ => self.parse().map(Cow::Owned),
        }
    }

    /// The node's number, which must be a whole one between two others. Istio writes `10` as `10.0`.
    pub(super) fn whole_number(&self, min: u32, max: u32) -> Result<u32, Problem> {
        self.expect(JsonType::Number)?;
        // One that is larger than any other is no error of syntax, but of range.
        let number: f64 = serde_json::from_str(self.text).map_err(|_| Problem::NumberRange { min, max })?;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
        if number.fract() == 0.0 && (f64::from(min)..=f64::from(max)).contains(&number) {
            return Ok(number as u32);
        }
        Err(Problem::NumberRange { min, max })
    }

    /// The node's truth value.
    pub(super) fn boolean(&self) -> Result<bool, Problem> {
        self.expect(JsonType::Boolean)?;
        Ok(self.text == "true")
    }

    /// The one of some strings that the node is.
    pub(super) fn one_of(&self, known: &'static [&'static str]) -> Result<&'static str, Problem> {
        // A word of YAML 1.1 (`off`) is a boolean here, and quotes alone would not make it one of them.
        if matches!(self.json_type(), JsonType::Boolean | JsonType::Number) {
            return Err(Problem::NotOneOf { known });
        }
        let text = self.string()?;
        known.iter().find(|name| **name == text).copied().ok_or(Problem::NotOneOf { known })
    }

    /// The items of the node's array, in order.
    pub(super) fn items(&self) -> Result<impl ExactSizeIterator<Item = Node<'_>>, Problem> {
        self.expect(JsonType::Array)?;
        let items: Vec<&RawValue> = self.parse()?;
        let item =
            |(index, item): (usize, &'a RawValue)| Node { text: item.get(), path: Path::Item(&self.path, index) };
        Ok(items.into_iter().enumerate().map(item))
    }

    /// The names and values of the node's fields. The syntax of a document is checked with this, once and as a whole.
    pub(super) fn members(&self) -> Result<Vec<(Cow<'a, str>, &'a str)>, Problem> {
        if !matches!(self.path, Path::Document) {
            self.expect(JsonType::Object)?;
        }
        self.parse().map(|Members(members)| members).or_else(|problem| {
            // There is an escape in a name that is no character; or the document is no object, or no JSON.
            let raw: &RawValue = serde_json::from_str(self.text).map_err(|error| {
                other_format::recognise(self.text)
                    .unwrap_or(Problem::NotJson { line: error.line(), column: error.column() })
            })?;
            Node { text: raw.get(), path: self.path }.expect(JsonType::Object)?;
            Err(problem)
        })
    }

    /// Whether the node is of this type.
    fn expect(&self, expected: JsonType) -> Result<(), Problem> {
        let found = self.json_type();
        if found == expected { Ok(()) } else { Err(Problem::WrongType { expected, found }) }
    }

    /// The syntax was checked with the document; what is left to fail is an escape that is no character.
    fn parse<T: Deserialize<'a>>(&self) -> Result<T, Problem> {
        serde_json::from_str(self.text).map_err(|_| Problem::LoneSurrogate)
    }
}

/// The members of an object with their doubles, which `serde_json`'s own maps would drop.
struct Members<'de>(Vec<(Cow<'de, str>, &'de str)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Name(name), value)) = map.next_entry::<_, &'de RawValue>()? {
                    members.push((name, value.get()));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

/// A member's name; `Cow` alone would always be copied by serde.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }
            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::Node;

    #[test]
    fn a_string_is_copied_only_where_it_has_an_escape() {
        for (json, is_copied) in [(r#""plain""#, false), (r#""\u0070lain""#, true)] {
            let text = Node::document(json).string().unwrap();
            assert_eq!((&*text, matches!(text, Cow::Owned(_))), ("plain", is_copied));
        }
    }
}
