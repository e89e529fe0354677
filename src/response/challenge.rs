//! The realm of a rule and the challenge that names it (RFC 7617, section 2; RFC 9110, section 11.5).

use std::fmt;

use crate::request::header_map;

/// A realm, with its challenge and the headers that carry it written once, at load.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Realm {
    text: Box<str>,
    challenge: Box<str>,
    headers: Box<[u8]>,
}

impl Realm {
    /// The realm where a configuration names none.
    pub const DEFAULT: &str = "istio";

    /// Takes a realm from the configuration.
    ///
    /// # Errors
    /// `RealmError`: a quoted string cannot hold one (RFC 9110, section 5.6.4).
    pub fn new(text: &str) -> Result<Self, RealmError> {
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(RealmError);
        }
        let mut challenge = String::from("Basic realm=\"");
        for character in text.chars() {
            if matches!(character, '"' | '\\') {
                challenge.push('\\');
            }
            challenge.push(character);
        }
        challenge.push_str("\", charset=\"UTF-8\"");
        let headers = header_map::serialize(&[("www-authenticate", challenge.as_bytes())]);
        Ok(Self { text: text.into(), challenge: challenge.into(), headers })
    }

    /// The realm as configured.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value of `www-authenticate`: `Basic realm="…", charset="UTF-8"`.
    #[must_use]
    pub fn challenge(&self) -> &str {
        &self.challenge
    }

    /// The headers of a refusal, as a serialized [header map](header_map).
    #[must_use]
    pub fn headers(&self) -> &[u8] {
        &self.headers
    }
}

/// A realm holds a control character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RealmError;

impl fmt::Display for RealmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a control character in the realm (RFC 9110); remove it")
    }
}

impl std::error::Error for RealmError {}

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
