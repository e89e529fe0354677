//! Whom a login comes from, for fairness and for locks.

use std::net::{IpAddr, SocketAddr};

/// A client, as far as it can be told from others by its address.
///
/// An IPv4 address is one client; so is an IPv6 network of 64 bits, because
/// whoever has one such address has all of them (RFC 6177). An IPv4 address
/// written as IPv6 (`::ffff:192.0.2.1`) is the IPv4 one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Client {
    kind: u8,
    network: [u8; 8],
}

impl Client {
    /// All clients whose address cannot be read: a Unix socket's, for one. They
    /// share one place in every queue and table.
    pub const UNKNOWN: Self = Self { kind: 0, network: [0; 8] };

    /// The client with this address.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // The upper half is shifted down.
    pub const fn from_ip(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, d] = address.octets();
                Self { kind: 4, network: [a, b, c, d, 0, 0, 0, 0] }
            }
            IpAddr::V6(address) => {
                let bits = address.to_bits() >> 64;
                Self { kind: 6, network: (bits as u64).to_be_bytes() }
            }
        }
    }

    /// The client in nine bytes, different for different clients.
    #[must_use]
    pub fn bytes(&self) -> [u8; 9] {
        let mut bytes = [self.kind; 9];
        let (network, _kind) = bytes.split_at_mut(8);
        network.copy_from_slice(&self.network);
        bytes
    }
}

/// The address in Envoy's `source.address`, with or without a port; `None` if there is none: a Unix socket's client, for
/// one.
pub(crate) fn parse_source_address(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok()?;
    text.parse::<SocketAddr>().map(|socket| socket.ip()).or_else(|_| text.parse()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(text: &str) -> Client {
        parse_source_address(text.as_bytes()).map_or(Client::UNKNOWN, Client::from_ip)
    }

    #[test]
    fn ports_do_not_count() {
        assert_eq!(client("192.0.2.1:443"), client("192.0.2.1:444"));
        assert_eq!(client("192.0.2.1:443"), client("192.0.2.1"));
        assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
    }

    #[test]
    fn an_ipv6_client_is_a_network() {
        assert_eq!(client("[2001:db8::1]:80"), client("2001:db8::ffff:ffff:ffff:ffff"));
        assert_ne!(client("2001:db8:0:1::1"), client("2001:db8::1"));
        assert_eq!(client("[::ffff:192.0.2.1]:80"), client("192.0.2.1:80"));
    }

    #[test]
    fn unreadable_addresses_are_one_client() {
        assert_eq!(client("/var/run/socket"), Client::UNKNOWN);
        assert_eq!(parse_source_address(&[0xff, 0xfe]), None);
        assert_ne!(client("0.0.0.0"), Client::UNKNOWN);
        assert_ne!(client("::").bytes(), Client::UNKNOWN.bytes());
    }
}
