//! The realm of a rule (RFC 7617, section 2; RFC 9110, section 11.5).

use std::fmt;

/// A realm.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Realm(Box<str>);

/// A realm holds a control character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RealmError;

impl fmt::Display for RealmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a control character in the realm (RFC 9110); remove it")
    }
}

impl std::error::Error for RealmError {}

impl Realm {
    /// The realm where a configuration names none.
    pub const DEFAULT: &str = "istio";

    /// Takes a realm from the configuration.
    ///
    /// # Errors
    /// `RealmError`: a quoted string cannot hold a control character (RFC 9110, section 5.6.4).
    pub fn new(text: &str) -> Result<Self, RealmError> {
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(RealmError);
        }
        Ok(Self(text.into()))
    }

    /// The realm as configured.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The challenge that names it: `Basic realm="…", charset="UTF-8"`.
    #[must_use]
    pub fn challenge(&self) -> String {
        let mut challenge = String::from("Basic realm=\"");
        for character in self.0.chars() {
            if matches!(character, '"' | '\\') {
                challenge.push('\\');
            }
            challenge.push(character);
        }
        challenge.push_str("\", charset=\"UTF-8\"");
        challenge
    }
}

#[cfg(test)]
mod tests {
    use super::{Realm, RealmError};

    #[test]
    fn quotes_and_backslashes_are_escaped() {
        let realm = Realm::new(r#"the "inner" C:\ "#).unwrap();
        assert_eq!(realm.challenge(), r#"Basic realm="the \"inner\" C:\\ ", charset="UTF-8""#);
    }

    #[test]
    fn control_characters_are_refused() {
        for text in ["a\nb", "a\r\nset-cookie: x", "\0", "tab\there", "\u{7f}"] {
            assert!(matches!(Realm::new(text), Err(RealmError)), "{text:?}");
        }
        assert!(Realm::new("Büro").is_ok());
    }
}
