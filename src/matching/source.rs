//! The client addresses from which a rule asks for no password: `allow_source_ranges`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::order;

/// One entry of `allow_source_ranges` in CIDR notation (RFC 4632, RFC 4291): `10.0.0.0/8`, `2001:db8::/32`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceRange {
    first: IpAddr,
    last: IpAddr,
}

/// Why an entry of `allow_source_ranges` is refused. Its `Display` says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceRangeError {
    /// It is no address with a prefix length.
    Form,
    /// The prefix is longer than the address.
    PrefixLength {
        /// The longest.
        max: u8,
    },
    /// The address has bits set behind the prefix.
    HostBits {
        /// The network's own address.
        network: IpAddr,
        /// The length of the prefix.
        prefix: u8,
    },
}

impl fmt::Display for SourceRangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("not a range of addresses; write one like `10.0.0.0/8` or `2001:db8::/32`"),
            Self::PrefixLength { max } => write!(f, "a prefix that is longer than the address; write /0 to /{max}"),
            Self::HostBits { network, prefix } => {
                write!(f, "an address that is not the beginning of its range; write `{network}/{prefix}`")
            }
        }
    }
}

impl std::error::Error for SourceRangeError {}

impl SourceRange {
    /// Takes an entry of `allow_source_ranges` from the configuration.
    ///
    /// # Errors
    /// [`SourceRangeError`]
    pub fn parse(text: &str) -> Result<Self, SourceRangeError> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| SourceRangeError::Form)?;
        let max = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => max,
            // `+8` and `08` are numbers to the parser.
            Some(digits)
                if !digits.is_empty()
                    && digits.bytes().all(|byte| byte.is_ascii_digit())
                    && (digits == "0" || !digits.starts_with('0')) =>
            {
                digits.parse().map_err(|_| SourceRangeError::PrefixLength { max })?
            }
            Some(_) => return Err(SourceRangeError::Form),
        };
        if prefix > max {
            return Err(SourceRangeError::PrefixLength { max });
        }
        let length = u32::from(prefix);
        let (first, last): (IpAddr, IpAddr) = match address {
            IpAddr::V4(address) => {
                let rest = u32::MAX.checked_shr(length).unwrap_or_default();
                (Ipv4Addr::from(u32::from(address) & !rest).into(), Ipv4Addr::from(u32::from(address) | rest).into())
            }
            IpAddr::V6(address) => {
                let rest = u128::MAX.checked_shr(length).unwrap_or_default();
                (Ipv6Addr::from(u128::from(address) & !rest).into(), Ipv6Addr::from(u128::from(address) | rest).into())
            }
        };
        if first != address {
            return Err(SourceRangeError::HostBits { network: first, prefix });
        }
        Ok(Self { first, last })
    }
}

/// All ranges of a rule: looked up in a number of steps that grows with the logarithm of theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRanges(Box<[SourceRange]>);

impl SourceRanges {
    /// Collects ranges, of which one is enough; they may overlap.
    #[must_use]
    pub fn new(mut ranges: Vec<SourceRange>) -> Self {
        // Of ranges that begin alike the widest comes first. CIDR ranges overlap only by containing one another.
        order::sort(&mut ranges, |one, other| one.first.cmp(&other.first).then(other.last.cmp(&one.last)));
        ranges.dedup_by(|range, wider| range.last <= wider.last && range.first.is_ipv4() == wider.first.is_ipv4());
        Self(ranges.into())
    }

    /// Whether an address is in a range. An IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`) is the IPv4 one.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let after = self.0.partition_point(|range| range.first <= address);
        let range = after.checked_sub(1).and_then(|index| self.0.get(index));
        range.is_some_and(|range| range.last >= address && range.first.is_ipv4() == address.is_ipv4())
    }
}

#[cfg(test)]
mod tests {
    use super::{SourceRange, SourceRangeError, SourceRanges};

    fn ranges(texts: &[&str]) -> SourceRanges {
        SourceRanges::new(texts.iter().map(|text| SourceRange::parse(text).unwrap()).collect())
    }

    #[test]
    fn an_address_is_in_a_range_from_its_first_to_its_last() {
        for (range, inside, outside) in [
            (
                "10.0.0.0/8",
                &["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"][..],
                &["9.255.255.255", "11.0.0.0", "::a00:1"][..],
            ),
            ("192.0.2.1", &["192.0.2.1"], &["192.0.2.0", "192.0.2.2"]),
            ("192.0.2.1/32", &["192.0.2.1"], &["192.0.2.0", "192.0.2.2"]),
            ("0.0.0.0/0", &["0.0.0.0", "255.255.255.255"], &["::", "2001:db8::1"]),
            ("2001:db8::/32", &["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"], &["2001:db7::", "2001:db9::"]),
            ("::1", &["::1"], &["::", "::2", "0.0.0.1"]),
            ("::/0", &["::", "ffff::"], &["10.0.0.1"]),
        ] {
            let ranges = ranges(&[range]);
            assert!(inside.iter().all(|address| ranges.contain(address.parse().unwrap())), "{range}");
            assert!(!outside.iter().any(|address| ranges.contain(address.parse().unwrap())), "{range}");
        }
    }

    #[test]
    fn ranges_may_overlap_and_come_in_any_order() {
        let ranges =
            ranges(&["10.1.2.0/24", "192.168.0.0/16", "10.0.0.0/8", "::1", "10.1.0.0/16", "10.0.0.0/16", "10.0.0.0/8"]);
        for (address, is_in) in [
            ("10.1.2.3", true),
            ("10.1.3.3", true),
            ("10.200.0.1", true),
            ("11.0.0.1", false),
            ("192.168.255.255", true),
            ("192.169.0.0", false),
            ("::1", true),
            ("::2", false),
        ] {
            assert_eq!(ranges.contain(address.parse().unwrap()), is_in, "{address}");
        }
        assert!(!super::SourceRanges::new(Vec::new()).contain("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn what_is_no_range_is_refused_with_the_cure() {
        for (text, error) in [
            ("", SourceRangeError::Form),
            ("10.0.0.0/", SourceRangeError::Form),
            ("10.0.0.0/+8", SourceRangeError::Form),
            ("10.0.0.0/08", SourceRangeError::Form),
            ("10.0.0/8", SourceRangeError::Form),
            ("10.0.0.0/8 ", SourceRangeError::Form),
            ("localhost", SourceRangeError::Form),
            ("10.0.0.0/33", SourceRangeError::PrefixLength { max: 32 }),
            ("10.0.0.0/999", SourceRangeError::PrefixLength { max: 32 }),
            ("::/129", SourceRangeError::PrefixLength { max: 128 }),
            ("10.1.2.3/8", SourceRangeError::HostBits { network: "10.0.0.0".parse().unwrap(), prefix: 8 }),
            ("2001:db8::1/64", SourceRangeError::HostBits { network: "2001:db8::".parse().unwrap(), prefix: 64 }),
        ] {
            assert_eq!(SourceRange::parse(text), Err(error), "{text}");
        }
        let error = SourceRange::parse("10.1.2.3/8").unwrap_err();
        assert_eq!(error.to_string(), "an address that is not the beginning of its range; write `10.0.0.0/8`");
    }
}
