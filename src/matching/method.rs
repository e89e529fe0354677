//! Request methods (RFC 9110, section 9) and the sets of them that a rule names.

use std::fmt;

use crate::request::header_name::is_token_byte;

/// The methods of RFC 9110, section 9.3, and `PATCH` (RFC 5789). The index of each is its bit in a [`Methods`].
const STANDARD: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// The method `GET`, as its bit.
const GET: u16 = 1;
/// The method `HEAD`, as its bit.
const HEAD: u16 = 1 << 1;

/// The methods that a rule covers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Methods {
    /// Every method, unknown ones too.
    Every,
    /// These.
    Some {
        /// One bit for each of the standard methods.
        standard: u16,
        /// Methods that no standard names, in capitals.
        other: Box<[Box<str>]>,
    },
}

impl Methods {
    /// Collects the methods of `request_methods`, of which there is at least one.
    pub fn new<'a>(methods: impl IntoIterator<Item = MethodPattern<'a>>) -> Self {
        let mut bits = 0;
        let mut names = Vec::new();
        for method in methods {
            match method {
                MethodPattern::Every => return Self::Every,
                // `HEAD` asks for what `GET` asks for; a rule that names `GET` alone must not leave it open.
                MethodPattern::Standard(GET) => bits |= GET | HEAD,
                MethodPattern::Standard(bit) => bits |= bit,
                MethodPattern::Other(name) => names.push(name.to_ascii_uppercase().into()),
            }
        }
        Self::Some { standard: bits, other: names.into() }
    }

    /// Whether the set has this method, compared without case: over HTTP/2 a `get` reaches a filter.
    ///
    /// Where the method is not known, it may be any: no request is without one, so its headers could not be read.
    #[must_use]
    pub fn cover(&self, method: &[u8]) -> bool {
        match self {
            Self::Every => true,
            _ if method.is_empty() => true,
            Self::Some { standard, other } => match standard_bit(method) {
                Some(bit) => standard & bit != 0,
                None => other.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(method)),
            },
        }
    }
}

/// One entry of `request_methods`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MethodPattern<'a> {
    /// `*`
    Every,
    /// A standard method, as its bit.
    Standard(u16),
    /// Another token.
    Other(&'a str),
}

impl<'a> MethodPattern<'a> {
    /// Takes an entry of `request_methods` from the configuration.
    ///
    /// # Errors
    /// [`MethodError::NotToken`], [`MethodError::Separator`], or [`MethodError::Case`] for a standard method not in capitals:
    /// methods are case-sensitive, so `get` is more likely a slip than another method.
    pub fn new(text: &'a str) -> Result<Self, MethodError> {
        if text == "*" {
            return Ok(Self::Every);
        }
        if text.is_empty() || !text.bytes().all(is_token_byte) {
            let is_list = text.bytes().any(|byte| matches!(byte, b' ' | b','));
            return Err(if is_list { MethodError::Separator } else { MethodError::NotToken });
        }
        match STANDARD.iter().zip(0_u32..).find(|(name, _)| name.eq_ignore_ascii_case(text)) {
            Some((name, index)) if *name == text => Ok(Self::Standard(1_u16.wrapping_shl(index))),
            Some((standard, _)) => Err(MethodError::Case { standard }),
            None => Ok(Self::Other(text)),
        }
    }
}

fn standard_bit(method: &[u8]) -> Option<u16> {
    let index = STANDARD.iter().zip(0_u32..).find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(method))?.1;
    Some(1_u16.wrapping_shl(index))
}

/// Why an entry of `request_methods` is refused. Its `Display` says what to do and quotes nothing of the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MethodError {
    /// It is no token (RFC 9110, section 5.6.2).
    NotToken,
    /// It has a blank or a comma.
    Separator,
    /// It is a standard method that is not written in capitals; methods are case-sensitive (RFC 9110, section 9.1).
    Case {
        /// The standard method.
        standard: &'static str,
    },
}

impl fmt::Display for MethodError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotToken => {
                f.write_str("not a method (RFC 9110 wants a token); write one like `GET`, or `*` for every method")
            }
            Self::Separator => {
                f.write_str("a blank or a comma is in no method; write each method as an entry of its own")
            }
            Self::Case { standard } => write!(f, "methods are case-sensitive; write `{standard}`"),
        }
    }
}

impl std::error::Error for MethodError {}

#[cfg(test)]
mod tests {
    use super::{MethodError, MethodPattern, Methods};

    fn methods(names: &[&str]) -> Methods {
        Methods::new(names.iter().map(|name| MethodPattern::new(name).unwrap()))
    }

    #[test]
    fn get_covers_head_and_not_the_reverse() {
        assert!(methods(&["GET"]).cover(b"HEAD"));
        assert!(!methods(&["HEAD"]).cover(b"GET"));
    }

    #[test]
    fn requests_compare_without_case() {
        let methods = methods(&["POST", "PROPFIND"]);
        for covered in [&b"POST"[..], b"post", b"PropFind"] {
            assert!(methods.cover(covered));
        }
        for open in [&b"GET"[..], b"POSTS", b"\xff"] {
            assert!(!methods.cover(open));
        }
    }

    #[test]
    fn what_is_not_known_is_every_method() {
        assert!(methods(&["POST"]).cover(b""));
    }

    #[test]
    fn a_star_anywhere_is_every_method() {
        assert_eq!(methods(&["GET", "*"]), Methods::Every);
        assert!(methods(&["*"]).cover(b"\xff"));
    }

    #[test]
    fn entries_that_are_no_method_are_refused() {
        for text in ["", "G\u{e9}T", "\n"] {
            assert_eq!(MethodPattern::new(text), Err(MethodError::NotToken), "{text:?}");
        }
        for text in ["GET POST", "GET,POST", "GET "] {
            assert_eq!(MethodPattern::new(text), Err(MethodError::Separator), "{text:?}");
        }
        for text in ["get", "Get", "gET"] {
            assert_eq!(MethodPattern::new(text), Err(MethodError::Case { standard: "GET" }));
        }
    }
}
