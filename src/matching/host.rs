//! The host patterns of a rule, read into the words of a request's [host](crate::request::host).

use std::fmt;
use std::net::Ipv6Addr;

use crate::request::host::{is_name, read_ipv6, without_port, without_trailing_dot};
use crate::users::name::{UNFILLED, has_placeholder};

/// One entry of `hosts`. Case, port and a trailing dot do not count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// `*`: every host.
    Every,
    /// `foo.com`: this name, in lower case.
    Name(Box<[u8]>),
    /// `[::1]`: this address.
    Ipv6(Ipv6Addr),
    /// `*.foo.com`, `*-staging.foo.com`, `*.1`: names that end so, in lower case. With its dot, the first covers any depth,
    /// and not `foo.com`.
    Suffix(Box<[u8]>),
    /// `foo.*`, `staging-*`, `127.0.0*`: names that begin so, in lower case.
    Prefix(Box<[u8]>),
}

impl HostPattern {
    /// Takes an entry of `hosts` from the configuration.
    ///
    /// # Errors
    /// [`HostPatternError`] for what has none of the forms above.
    pub fn new(text: &str) -> Result<Self, HostPatternError> {
        Self::parse(text.as_bytes()).ok_or_else(|| HostPatternError::explain(text))
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let lower = |name: &[u8]| Box::from(name.to_ascii_lowercase());
        if let Some(literal) = text.strip_prefix(b"[") {
            return read_ipv6(without_any_port(literal)).map(Self::Ipv6);
        }
        if let Some(address) = str::from_utf8(text).ok().and_then(|text| text.parse().ok()) {
            return (!may_end_in_port(text)).then_some(Self::Ipv6(address));
        }
        // Any port, or those that begin so: no port counts.
        if text.contains(&b':') && text.ends_with(b"*") {
            return Self::parse(without_any_port(text)).filter(|_| text != b"*");
        }
        match without_trailing_dot(without_port(text)?) {
            b"*" => Some(Self::Every),
            [b'*', suffix @ ..] => is_part_of_name(suffix).then(|| Self::Suffix(lower(suffix))),
            [prefix @ .., b'*'] => is_part_of_name(prefix).then(|| Self::Prefix(lower(prefix))),
            name => is_name(name).then(|| Self::Name(lower(name))),
        }
    }
}

/// `host:80*` and `host:*` to `host:80` and `host:`.
fn without_any_port(host: &[u8]) -> &[u8] {
    host.strip_suffix(b"*").unwrap_or(host)
}

/// Whether a name may begin or end so.
fn is_part_of_name(part: &[u8]) -> bool {
    part.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// Whether what follows the last colon of an address could be meant as a port: without it, there still is an address.
fn may_end_in_port(address: &[u8]) -> bool {
    let Some(colon) = address.iter().rposition(|byte| *byte == b':') else { return false };
    let (host, port) = address.split_at_checked(colon).unwrap_or_default();
    let is_address = |host: &str| host.parse::<Ipv6Addr>().is_ok();
    port.iter().skip(1).all(u8::is_ascii_digit) && str::from_utf8(host).is_ok_and(is_address)
}

/// Why an entry of `hosts` is refused. Its `Display` says what to do and quotes nothing of the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostPatternError {
    /// A URL: it has a scheme.
    Scheme,
    /// It goes on with a path.
    Path,
    /// It has a user before an `@`.
    User,
    /// It has a letter that is not ASCII.
    NotAscii,
    /// It has a placeholder that nobody filled in.
    Placeholder,
    /// It has a blank, at an end or within.
    Blank,
    /// It has a character that only regexes have.
    Regex,
    /// A `*` that stands neither at the beginning nor at the end, or more than one.
    Wildcard,
    /// An IPv6 address without brackets that may end in a port.
    Brackets,
    /// It is the empty string.
    Empty,
    /// It begins with a dot.
    Dot,
    /// What follows the colon is no port.
    Port,
    /// Anything else.
    Other,
}

impl HostPatternError {
    /// What is wrong with a text that is no host pattern.
    fn explain(text: &str) -> Self {
        if has_placeholder(text) {
            Self::Placeholder
        } else if text.contains("://") {
            Self::Scheme
        } else if text.contains('@') {
            Self::User
        } else if text.contains('/') {
            Self::Path
        } else if !text.is_ascii() {
            Self::NotAscii
        } else if text.contains(|letter: char| letter.is_ascii_whitespace()) {
            Self::Blank
        } else if text.contains(['\\', '^', '$', '(', '|', '+', '?', '{']) {
            Self::Regex
        } else if text.contains('*') {
            Self::Wildcard
        } else if text.parse::<Ipv6Addr>().is_ok() {
            Self::Brackets
        } else if text.is_empty() {
            Self::Empty
        } else if text.len() > 1 && text.starts_with('.') {
            Self::Dot
        } else if !text.contains('[') && text.split(':').count() == 2 {
            Self::Port
        } else {
            Self::Other
        }
    }
}

impl fmt::Display for HostPatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "a URL, no host pattern; drop the scheme, and write the path as `prefix`",
            Self::Path => "no host has a path; drop what begins with the `/`, and write it as `prefix`",
            Self::User => "no host has a user; drop what stands before the `@`",
            Self::NotAscii => "a host in letters that no request has; write its punycode, `xn--...`",
            Self::Placeholder => UNFILLED,
            Self::Blank => "no host has a blank; remove it, and write each host as an entry of its own",
            Self::Regex => "a host is no regex here; write `foo.com`, or `*.foo.com` for all names below it",
            Self::Wildcard => "a `*` stands for anything at the beginning or the end of a host, and once; write `*.foo.com`, `staging-*` or `*`",
            Self::Brackets => "an IPv6 address that may end in a port; write it in brackets, like `[::1]`",
            Self::Empty => "an empty host; write one, or remove it",
            Self::Dot => "no host begins with a dot; write `*.foo.com` for all names below `foo.com`",
            Self::Port => "no port has this; remove what begins with the `:`, for no port counts",
            Self::Other => "not a host pattern; write `foo.com`, `*.foo.com`, `foo.*`, `[::1]` or `*`",
        })
    }
}

impl std::error::Error for HostPatternError {}

#[cfg(test)]
mod tests {
    use super::{HostPattern, HostPatternError};

    #[test]
    fn a_star_stands_at_either_end_of_any_text() {
        let (suffix, prefix) = (
            |text: &str| HostPattern::Suffix(text.as_bytes().into()),
            |text: &str| HostPattern::Prefix(text.as_bytes().into()),
        );
        for (text, pattern) in [
            ("*", HostPattern::Every),
            ("*:8080", HostPattern::Every),
            ("*:*", HostPattern::Every),
            ("*.", HostPattern::Every),
            ("*.Foo.com", suffix(".foo.com")),
            ("*.foo.com.:443", suffix(".foo.com")),
            ("*.foo.com:*", suffix(".foo.com")),
            ("*foo.com", suffix("foo.com")),
            ("*-staging.example.com", suffix("-staging.example.com")),
            ("*.1", suffix(".1")),
            ("foo.*", prefix("foo.")),
            ("foo*", prefix("foo")),
            ("staging-*", prefix("staging-")),
            ("127.0.0*", prefix("127.0.0")),
            ("localhost:*", HostPattern::Name(Box::from(*b"localhost"))),
            ("localhost:80*", HostPattern::Name(Box::from(*b"localhost"))),
            ("[::1]:*", HostPattern::Ipv6(std::net::Ipv6Addr::LOCALHOST)),
            ("[::1]*", HostPattern::Ipv6(std::net::Ipv6Addr::LOCALHOST)),
        ] {
            assert_eq!(HostPattern::new(text), Ok(pattern), "{text}");
        }
    }

    #[test]
    fn patterns_of_other_forms_are_refused_with_their_cure() {
        for (text, error) in [
            ("", HostPatternError::Empty),
            (".foo.com", HostPatternError::Dot),
            (".", HostPatternError::Other),
            ("a..b", HostPatternError::Other),
            ("foo com", HostPatternError::Blank),
            ("foo.com ", HostPatternError::Blank),
            ("foo.com, bar.com", HostPatternError::Blank),
            ("foo\\.com", HostPatternError::Regex),
            ("^foo.com", HostPatternError::Regex),
            (".*foo.com$", HostPatternError::Regex),
            ("(foo|bar).com", HostPatternError::Regex),
            ("{{ .Values.host }}", HostPatternError::Placeholder),
            ("${HOST}.example.com", HostPatternError::Placeholder),
            ("foo.com:x", HostPatternError::Port),
            ("[::1", HostPatternError::Other),
            ("a.*.b", HostPatternError::Wildcard),
            ("*.*", HostPatternError::Wildcard),
            ("**", HostPatternError::Wildcard),
            ("*foo*", HostPatternError::Wildcard),
            ("*::1]", HostPatternError::Wildcard),
            ("[2001:db8:*", HostPatternError::Wildcard),
            ("user@foo.com", HostPatternError::User),
            // With a port, or without one?
            ("fe80::1:80", HostPatternError::Brackets),
            ("2001:db8::a:443", HostPatternError::Brackets),
            ("https://foo.com", HostPatternError::Scheme),
            ("https://user@foo.com/x", HostPatternError::Scheme),
            ("foo.com/x", HostPatternError::Path),
            ("b\u{fc}cher.de", HostPatternError::NotAscii),
        ] {
            assert_eq!(HostPattern::new(text), Err(error), "{text}");
        }
    }
}
