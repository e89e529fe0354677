//! The credential header of a request (RFC 7617, section 2).

use super::pair::{Pair, decode};
use crate::request::HeaderLines;
use crate::request::header_name::is_token_byte;

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
    ///
    /// Another scheme counts as missing. Where some backend may still find a `Basic` credential, behind a tab or as a
    /// member of a list, the header is malformed: what passes as missing must not carry one.
    #[must_use]
    pub fn parse(header: HeaderLines<'_>) -> Self {
        let value = match header {
            HeaderLines::None => return Self::Missing,
            HeaderLines::One(value) => value,
            HeaderLines::Several => return Self::Malformed,
        };
        let Some((scheme, mut token)) = value.split_first_chunk::<6>() else { return Self::without_token(value) };
        // As nearly every client writes it, or in other letters.
        if scheme != b"Basic " && !scheme.eq_ignore_ascii_case(b"basic ") {
            return Self::without_token(value);
        }
        while let Some((b' ', rest)) = token.split_first() {
            token = rest;
        }
        let pair = decode(token).and_then(|bytes| Pair::new(bytes).ok());
        pair.map_or(Self::Malformed, Self::Pair)
    }

    /// What does not begin with the scheme and a space.
    #[cold]
    fn without_token(value: &[u8]) -> Self {
        let is_malformed = match scheme(value) {
            b"" => true,
            scheme if scheme.eq_ignore_ascii_case(b"basic") => true,
            _ => lists_basic(value),
        };
        if is_malformed { Self::Malformed } else { Self::Missing }
    }
}

/// The token at the beginning of a value: what it ends at does not matter, for a backend may take more than a space.
fn scheme(value: &[u8]) -> &[u8] {
    let end = value.iter().position(|byte| !is_token_byte(*byte)).unwrap_or(value.len());
    value.get(..end).unwrap_or_default()
}

/// Whether a member of a list behind the first is of the `Basic` scheme.
fn lists_basic(value: &[u8]) -> bool {
    let members = value.split(|byte| *byte == b',').skip(1);
    members.map(<[u8]>::trim_ascii_start).any(|member| scheme(member).eq_ignore_ascii_case(b"basic"))
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
            "Basic\tb2s6dGVzdA==",
            "Basic=b2s6dGVzdA==",
            "Basic\u{a0}b2s6dGVzdA==",
            "Bearer a, Basic b2s6dGVzdA==",
            "Bearer a,basic\tb2s6dGVzdA==",
            "Bearer a ,\t Basic",
            "Basic b2s6dGVzdA==, Bearer a",
        ] {
            assert_eq!(read(value), "malformed", "{value}");
        }
        for value in [
            "Bearer b2s6dGVzdA==",
            "Basicb2s6dGVzdA==",
            "Digest username=a, uri=basic, realm=basics",
            "Bearer Basic b2s6dGVzdA==",
            "Bearer a, Basics b",
        ] {
            assert_eq!(read(value), "missing", "{value}");
        }
        assert!(matches!(Presented::parse(HeaderLines::None), Presented::Missing));
        assert!(matches!(Presented::parse(HeaderLines::Several), Presented::Malformed));
    }
}
