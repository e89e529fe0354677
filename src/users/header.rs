//! The credential header of a request (RFC 7617, section 2).

use super::pair::{Pair, decode};
use crate::request::HeaderLines;

/// What a request presents as its credential. Its `Debug` shows no password.
#[derive(Debug)]
pub enum Presented {
    /// No credential of the `Basic` scheme.
    Missing,
    /// Something of the `Basic` scheme, or several headers, from which no pair can be read.
    Malformed,
    /// A user name and a password.
    Pair(Pair),
}

impl Presented {
    /// Reads the credential header.
    ///
    /// ```text
    /// credentials = "Basic" 1*SP token68    ; RFC 9110, section 11.4; the scheme without case
    /// ```
    /// The token is base64 in its canonical form (RFC 4648, section 3.5), with all of its padding or none.
    #[must_use]
    pub fn parse(header: HeaderLines<'_>) -> Self {
        let value = match header {
            HeaderLines::None => return Self::Missing,
            HeaderLines::One(value) => value,
            HeaderLines::Several => return Self::Malformed,
        };
        let end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
        let (scheme, token) = value.split_at_checked(end).unwrap_or((value, b""));
        if scheme.is_empty() {
            return Self::Malformed;
        }
        if !scheme.eq_ignore_ascii_case(b"basic") {
            return Self::Missing;
        }
        let spaces = token.iter().take_while(|byte| **byte == b' ').count();
        let pair = decode(token.get(spaces..).unwrap_or_default()).and_then(|bytes| Pair::new(bytes).ok());
        pair.map_or(Self::Malformed, Self::Pair)
    }
}

#[cfg(test)]
mod tests {
    use super::Presented;
    use crate::request::HeaderLines;

    /// What the header's value is read as: the pair's text, or the name of the problem.
    fn read(value: &str) -> String {
        match Presented::parse(HeaderLines::One(value.as_bytes())) {
            Presented::Missing => "missing".into(),
            Presented::Malformed => "malformed".into(),
            Presented::Pair(pair) => String::from_utf8_lossy(pair.bytes()).into_owned(),
        }
    }

    #[test]
    fn the_scheme_compares_without_case_and_the_token_is_canonical() {
        for value in ["Basic b2s6dGVzdA==", "basic b2s6dGVzdA", "BASIC   b2s6dGVzdA=="] {
            assert_eq!(read(value), "ok:test", "{value}");
        }
        for value in [
            "",
            " ",
            "Basic",
            "Basic ",
            "Basic b2s6dGVzdA=",
            "Basic b2s6dGVzdB==",
            "Basic b2s",
            "Basic b2s6dGVzdA== ",
            "Basic b2s6dGVzdA==,Basic b2s6dGVzdA==",
            "Basic b2s6\tdGVzdA==",
            "Basic \u{fc}",
        ] {
            assert_eq!(read(value), "malformed", "{value}");
        }
        for value in ["Bearer b2s6dGVzdA==", "Basicb2s6dGVzdA==", "Basic\tb2s6dGVzdA=="] {
            assert_eq!(read(value), "missing", "{value}");
        }
        assert!(matches!(Presented::parse(HeaderLines::None), Presented::Missing));
        assert!(matches!(Presented::parse(HeaderLines::Several), Presented::Malformed));
    }
}
