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

use super::error::{ConfigError, Problem};
use super::suggest::nearest;

/// The way from the document to a node, as a list linked towards the document.
#[derive(Clone, Copy)]
enum Path<'a> {
    Document,
    Field(&'a Path<'a>, &'static str),
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
pub(crate) struct Node<'a> {
    text: &'a str,
    path: Path<'a>,
}

impl<'a> Node<'a> {
    /// The document.
    pub(crate) fn document(text: &'a [u8]) -> Result<Self, ConfigError> {
        let text = str::from_utf8(text).map_err(|_| ConfigError::of_document(Problem::NotUtf8))?;
        Ok(Self { text, path: Path::Document })
    }

    /// What is wrong with this node.
    pub(crate) fn error(&self, problem: impl Into<Problem>) -> ConfigError {
        ConfigError { path: self.path(), problem: problem.into() }
    }

    /// The path of the node.
    pub(crate) fn path(&self) -> String {
        self.path.to_string()
    }

    /// The node's string. Borrowed where the JSON has no escape.
    pub(crate) fn string(&self) -> Result<Cow<'a, str>, ConfigError> {
        let Some(quoted) = self.text.strip_prefix('"') else {
            return Err(self.wrong_type("a string"));
        };
        match quoted.strip_suffix('"') {
            Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain)),
            _ => self.parse().map(Cow::Owned),
        }
    }

    /// The node's number, which must be a whole one between two others. Istio writes `10` as `10.0`.
    pub(crate) fn whole_number(&self, min: u32, max: u32) -> Result<u32, ConfigError> {
        let is_number = self.text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        if !is_number {
            return Err(self.wrong_type("a number"));
        }
        let number: f64 = self.parse()?;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
        if number.fract() == 0.0 && (f64::from(min)..=f64::from(max)).contains(&number) {
            return Ok(number as u32);
        }
        Err(self.error(Problem::NumberRange { min, max }))
    }

    /// Calls `read` with every item of the node's array, in order.
    pub(crate) fn for_each_item(
        &self,
        read: &mut dyn FnMut(Node<'_>) -> Result<(), ConfigError>,
    ) -> Result<(), ConfigError> {
        if !self.text.starts_with('[') {
            return Err(self.wrong_type("an array"));
        }
        let items: Vec<&RawValue> = self.parse()?;
        for (index, item) in items.into_iter().enumerate() {
            read(Node { text: item.get(), path: Path::Item(&self.path, index) })?;
        }
        Ok(())
    }

    /// The node's fields, all of which must be among `known` and none of which may be there twice.
    pub(crate) fn fields(&self, known: &'static [&'static str]) -> Result<Fields<'_>, ConfigError> {
        let Members(members) = match self.path {
            Path::Document => self.members_of_document()?,
            _ if self.text.starts_with('{') => self.parse()?,
            _ => return Err(self.wrong_type("an object")),
        };
        let mut found: Vec<(&'static str, &str)> = Vec::with_capacity(members.len().min(known.len()));
        for (written, value) in members {
            let Some(name) = known.iter().find(|name| **name == written) else {
                let resembles = nearest(&written, known).map(|nearest| (written.into_owned(), nearest));
                return Err(self.error(Problem::UnknownField { resembles, known }));
            };
            let field = Node { text: value.get(), path: Path::Field(&self.path, name) };
            if found.iter().any(|(earlier, _)| earlier == name) {
                return Err(field.error(Problem::DoubledField));
            }
            found.push((name, field.text));
        }
        Ok(Fields { path: &self.path, found })
    }

    /// The document's syntax is checked here, once and as a whole.
    fn members_of_document(&self) -> Result<Members<'a>, ConfigError> {
        self.parse().or_else(|error| {
            // Not an object, or no JSON at all; or there is an escape in a name that is no character.
            let raw: &RawValue = serde_json::from_str(self.text)
                .map_err(|error| self.error(Problem::NotJson { line: error.line(), column: error.column() }))?;
            let document = Node { text: raw.get(), path: self.path };
            Err(if raw.get().starts_with('{') { error } else { document.wrong_type("an object") })
        })
    }

    fn wrong_type(&self, expected: &'static str) -> ConfigError {
        let found = match self.text.as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            _ => "a number",
        };
        self.error(Problem::WrongType { expected, found })
    }

    /// The syntax was checked with the document; what is left to fail is an escape that is no character.
    fn parse<T: Deserialize<'a>>(&self) -> Result<T, ConfigError> {
        serde_json::from_str(self.text).map_err(|_| self.error(Problem::LoneSurrogate))
    }
}

/// The fields of an object.
pub(crate) struct Fields<'a> {
    path: &'a Path<'a>,
    found: Vec<(&'static str, &'a str)>,
}

impl Fields<'_> {
    /// The field of that name, if the object has it.
    pub(crate) fn get(&self, name: &'static str) -> Option<Node<'_>> {
        let (name, text) = self.found.iter().find(|(found, _)| *found == name)?;
        Some(Node { text, path: Path::Field(self.path, name) })
    }
}

/// The members of an object with their doubles, which `serde_json`'s own maps would drop.
struct Members<'de>(Vec<(Cow<'de, str>, &'de RawValue)>);

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
                while let Some(Name(name)) = map.next_key()? {
                    members.push((name, map.next_value()?));
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

    use super::{Node, Path};

    #[test]
    fn a_string_is_copied_only_where_it_has_an_escape() {
        for (json, is_copied) in [(r#""plain""#, false), (r#""\u0070lain""#, true)] {
            let node = Node { text: json, path: Path::Document };
            let text = node.string().unwrap();
            assert_eq!((&*text, matches!(text, Cow::Owned(_))), ("plain", is_copied));
        }
    }
}
