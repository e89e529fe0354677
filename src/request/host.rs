//! The host of a request: no port, no trailing dot, letters without case, IPv6 literals as addresses.
//!
//! An authority that does not fit the grammar below is unreadable and counts as every host, because
//! proxies and backends differ in what they make of it.
//!
//! ```text
//! authority = host [ ":" *DIGIT ]
//! host      = "[" IPv6address "]" / label *( "." label ) [ "." ]
//! label     = 1*( ALPHA / DIGIT / "-" / "_" )
//! ```

use std::net::Ipv6Addr;

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
    pub fn parse(authority: Option<&'a [u8]>) -> Self {
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

/// The host of an authority as a URL has it, without a port; `None` if it cannot be read.
pub(crate) fn location_host(authority: Option<&[u8]>) -> Option<&[u8]> {
    let authority = authority?;
    match Host::parse(Some(authority)) {
        Host::Unreadable => None,
        Host::Ipv6(_) => {
            let end = authority.iter().position(|byte| *byte == b']')?;
            authority.get(..=end)
        }
        Host::Name(_) => without_port(authority),
    }
}

/// Reads what follows `[` in an IPv6 literal.
pub(crate) fn read_ipv6(literal: &[u8]) -> Option<Ipv6Addr> {
    let end = literal.iter().position(|byte| *byte == b']')?;
    let (address, rest) = literal.split_at_checked(end)?;
    let port = rest.strip_prefix(b"]")?;
    without_port(port).filter(|left| left.is_empty())?;
    str::from_utf8(address).ok()?.parse().ok()
}

/// Cuts `:port`, which may be empty; `None` if what follows the colon is no number.
pub(crate) fn without_port(authority: &[u8]) -> Option<&[u8]> {
    match authority.iter().position(|byte| *byte == b':') {
        None => Some(authority),
        Some(colon) => {
            let (host, port) = authority.split_at_checked(colon)?;
            port.iter().skip(1).all(u8::is_ascii_digit).then_some(host)
        }
    }
}

pub(crate) fn without_trailing_dot(name: &[u8]) -> &[u8] {
    name.strip_suffix(b".").unwrap_or(name)
}

pub(crate) fn is_name(name: &[u8]) -> bool {
    name.split(|byte| *byte == b'.').all(|label| {
        !label.is_empty() && label.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}

#[cfg(test)]
mod tests {
    use super::Host;

    #[test]
    fn what_does_not_fit_the_grammar_is_unreadable() {
        assert_eq!(Host::parse(None), Host::Unreadable);
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
            assert_eq!(Host::parse(Some(authority.as_bytes())), Host::Unreadable, "{authority}");
        }
    }

    #[test]
    fn a_location_has_the_host_without_its_port() {
        for (authority, host) in [
            ("foo.com", Some("foo.com")),
            ("Foo.com.:8080", Some("Foo.com.")),
            ("[::1]:80", Some("[::1]")),
            ("user@foo.com", None),
            ("foo.com/x", None),
            ("", None),
        ] {
            assert_eq!(super::location_host(Some(authority.as_bytes())), host.map(str::as_bytes), "{authority}");
        }
        assert_eq!(super::location_host(None), None);
    }
}
