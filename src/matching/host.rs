//! The host patterns of a rule, read into the form of a request's [host](crate::request::host).

use std::fmt;
use std::net::Ipv6Addr;

use crate::request::host::{is_name, read_ipv6, without_port, without_trailing_dot};

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
    /// [`HostPatternError`] for what has none of the forms above.
    pub fn new(text: &str) -> Result<Self, HostPatternError> {
        Self::read(text.as_bytes()).ok_or(HostPatternError)
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

/// A host pattern has none of the forms that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostPatternError;

impl fmt::Display for HostPatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a host pattern; write `foo.com`, `*.foo.com`, `foo.*`, `[::1]` or `*`")
    }
}

impl std::error::Error for HostPatternError {}

#[cfg(test)]
mod tests {
    use super::HostPattern;

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
