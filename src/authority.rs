//! The host of a request and the patterns that a rule compares it with.
//!
//! Both are read into one form: no port, no trailing dot, letters without case, IPv6 literals as addresses.
//! An authority that does not fit the grammar below is unreadable and counts as every host, because
//! proxies and backends differ in what they make of it.
//!
//! ```text
//! authority = host [ ":" *DIGIT ]
//! host      = "[" IPv6address "]" / label *( "." label ) [ "." ]
//! label     = 1*( ALPHA / DIGIT / "-" / "_" )
//! ```

use std::net::Ipv6Addr;

use crate::error::Problem;

/// The host that an authority names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host<'a> {
    /// A name or an IPv4 address, in the letters of the request.
    Name(&'a [u8]),
    /// An IPv6 literal.
    Ipv6(Ipv6Addr),
    /// No authority, or one that does not fit the grammar.
    Unreadable,
}

impl<'a> Host<'a> {
    /// Reads `:authority` (`host` in HTTP/1).
    #[must_use]
    pub fn of(authority: Option<&'a [u8]>) -> Self {
        let Some(authority) = authority else { return Self::Unreadable };
        if let Some(literal) = authority.strip_prefix(b"[") {
            return read_ipv6(literal).map_or(Self::Unreadable, Self::Ipv6);
        }
        match without_port(authority).map(without_trailing_dot) {
            Some(name) if is_name(name) => Self::Name(name),
            _ => Self::Unreadable,
        }
    }
}

/// One entry of `hosts`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// `*`: every host.
    Every,
    /// `foo.com`: this name, in lower case.
    Name(Box<[u8]>),
    /// `[::1]`: this address.
    Ipv6(Ipv6Addr),
    /// `*.foo.com`: names that end so, at any depth; with the dot, in lower case.
    Suffix(Box<[u8]>),
    /// `foo.*`: names that begin so; with the dot, in lower case.
    Prefix(Box<[u8]>),
}

impl HostPattern {
    /// Takes an entry of `hosts` from the configuration.
    ///
    /// # Errors
    /// [`Problem::HostPattern`] for what has none of the forms above.
    pub fn new(text: &str) -> Result<Self, Problem> {
        Self::read(text.as_bytes()).ok_or(Problem::HostPattern)
    }

    fn read(text: &[u8]) -> Option<Self> {
        if let Some(literal) = text.strip_prefix(b"[") {
            return read_ipv6(literal).map(Self::Ipv6);
        }
        if let Some(address) = str::from_utf8(text).ok().and_then(|text| text.parse().ok()) {
            return (!may_end_in_port(text)).then_some(Self::Ipv6(address));
        }
        let host = without_port(text)?;
        if host == b"*" {
            return Some(Self::Every);
        }
        let lower = |name: &[u8]| Some(name.to_ascii_lowercase().into());
        match without_trailing_dot(host) {
            [b'*', suffix @ ..] => {
                let name = suffix.strip_prefix(b".")?;
                is_name(name).then(|| lower(suffix).map(Self::Suffix))?
            }
            [prefix @ .., b'*'] => {
                let name = prefix.strip_suffix(b".")?;
                is_name(name).then(|| lower(prefix).map(Self::Prefix))?
            }
            name => is_name(name).then(|| lower(name).map(Self::Name))?,
        }
    }
}

/// Whether what follows the last colon of an address could be meant as a port: without it, there still is an address.
fn may_end_in_port(address: &[u8]) -> bool {
    let Some(colon) = address.iter().rposition(|byte| *byte == b':') else { return false };
    let (host, port) = address.split_at_checked(colon).unwrap_or_default();
    let is_address = |host: &str| host.parse::<Ipv6Addr>().is_ok();
    port.iter().skip(1).all(u8::is_ascii_digit) && str::from_utf8(host).is_ok_and(is_address)
}

/// Reads what follows `[` in an IPv6 literal.
fn read_ipv6(literal: &[u8]) -> Option<Ipv6Addr> {
    let end = literal.iter().position(|byte| *byte == b']')?;
    let (address, rest) = literal.split_at_checked(end)?;
    let port = rest.strip_prefix(b"]")?;
    without_port(port).filter(|left| left.is_empty())?;
    str::from_utf8(address).ok()?.parse().ok()
}

/// Cuts `:port`, which may be empty; `None` if what follows the colon is no number.
fn without_port(authority: &[u8]) -> Option<&[u8]> {
    match authority.iter().position(|byte| *byte == b':') {
        None => Some(authority),
        Some(colon) => {
            let (host, port) = authority.split_at_checked(colon)?;
            port.iter().skip(1).all(u8::is_ascii_digit).then_some(host)
        }
    }
}

fn without_trailing_dot(name: &[u8]) -> &[u8] {
    name.strip_suffix(b".").unwrap_or(name)
}

fn is_name(name: &[u8]) -> bool {
    name.split(|byte| *byte == b'.').all(|label| {
        !label.is_empty() && label.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}

#[cfg(test)]
mod tests {
    use super::{Host, HostPattern};

    #[test]
    fn what_does_not_fit_the_grammar_is_unreadable() {
        assert_eq!(Host::of(None), Host::Unreadable);
        for authority in [
            "",
            ".",
            "user@foo.com",
            "a..b",
            ".a",
            "foo.com:80:80",
            "foo.com:http",
            "[::1",
            "[::1]x",
            "[v1.x]",
            "[fe80::1%25eth0]",
            "b\u{fc}cher.de",
            "a b",
            "a,b",
            "a%2eb",
            "a/b",
        ] {
            assert_eq!(Host::of(Some(authority.as_bytes())), Host::Unreadable, "{authority}");
        }
    }

    #[test]
    fn patterns_of_other_forms_are_refused() {
        for text in [
            "",
            ".",
            "*foo.com",
            "foo*",
            "a.*.b",
            "*.",
            ".*",
            "*.*",
            "**",
            "user@foo.com",
            "foo.com:x",
            // With a port, or without one?
            "fe80::1:80",
            "2001:db8::a:443",
            "https://foo.com",
            "foo.com/x",
            "[::1",
            "b\u{fc}cher.de",
        ] {
            assert!(HostPattern::new(text).is_err(), "{text}");
        }
    }
}
