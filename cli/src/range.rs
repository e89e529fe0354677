//! Ranges of client addresses as `allow_source_ranges` has them, and the addresses at their ends: of those a policy is
//! asked.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    first: IpAddr,
    last: IpAddr,
    text: String,
}

impl Range {
    /// Reads a range that the core has accepted; `None` if it is none.
    pub fn read(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let length: Option<u32> = length.map(str::parse).transpose().ok()?;
        let (first, last) = match address.parse().ok()? {
            IpAddr::V4(address) => {
                let rest = u32::MAX.checked_shr(length.unwrap_or(32)).unwrap_or_default();
                (IpAddr::V4(address), IpAddr::V4(Ipv4Addr::from(u32::from(address) | rest)))
            }
            IpAddr::V6(address) => {
                let rest = u128::MAX.checked_shr(length.unwrap_or(128)).unwrap_or_default();
                (IpAddr::V6(address), IpAddr::V6(Ipv6Addr::from(u128::from(address) | rest)))
            }
        };
        Some(Self { first, last, text: text.to_owned() })
    }

    /// All addresses of IPv4, and all of IPv6.
    pub fn whole() -> [Self; 2] {
        let (v4, v6) = (Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED);
        [
            Self { first: v4.into(), last: Ipv4Addr::BROADCAST.into(), text: "0.0.0.0/0".to_owned() },
            Self { first: v6.into(), last: Ipv6Addr::from(u128::MAX).into(), text: "::/0".to_owned() },
        ]
    }

    /// Whether it has every address of its kind.
    pub fn is_whole(&self) -> bool {
        Self::whole().iter().any(|whole| self.holds(whole))
    }

    /// Whether an address is in it.
    pub fn has(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.first.is_ipv4() && self.first <= address && address <= self.last
    }

    /// Whether any of some addresses is in it.
    pub fn has_any(&self, addresses: &BTreeSet<IpAddr>) -> bool {
        addresses.range(self.first..=self.last).next().is_some()
    }

    /// Whether all of another is in it.
    pub fn holds(&self, other: &Self) -> bool {
        self.has(other.first) && self.has(other.last)
    }
}

/// As it is written.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Some ranges, and an address for each part that they and their overlaps divide all addresses into.
#[derive(Debug, Default)]
pub struct Ranges {
    ranges: Vec<Range>,
    addresses: BTreeSet<IpAddr>,
}

impl Ranges {
    /// Ranges and their ends, with those of all addresses; nothing where there are none.
    pub fn new<'t>(texts: impl IntoIterator<Item = &'t String>) -> Self {
        let known: BTreeSet<Range> = texts.into_iter().filter_map(|text| Range::read(text)).collect();
        if known.is_empty() {
            return Self::default();
        }
        let mut ranges: Vec<Range> = Range::whole().into();
        let others = known.into_iter().filter(|range| !range.is_whole());
        ranges.extend(others);
        let ends = |range: &Range| [Some(range.first), Some(range.last), before(range.first), after(range.last)];
        let addresses = ranges.iter().flat_map(ends).flatten().collect();
        Self { ranges, addresses }
    }

    /// An address for each part.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses.iter().copied()
    }

    /// The ranges of which every part has a property, without those that lie in others.
    pub fn where_all(&self, has_property: impl Fn(IpAddr) -> bool) -> Vec<&Range> {
        let lacking: BTreeSet<IpAddr> = self.addresses().filter(|address| !has_property(*address)).collect();
        let is_all = |range: &&Range| !range.has_any(&lacking);
        let mut all: Vec<&Range> = self.ranges.iter().filter(is_all).collect();
        // Of those that begin alike the widest comes first; they overlap only by containing one another.
        all.sort_by(|one, other| one.first.cmp(&other.first).then(other.last.cmp(&one.last)));
        all.dedup_by(|range, wider| wider.holds(range));
        all
    }
}

/// The address before one.
fn before(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => u32::from(address).checked_sub(1).map(|number| Ipv4Addr::from(number).into()),
        IpAddr::V6(address) => u128::from(address).checked_sub(1).map(|number| Ipv6Addr::from(number).into()),
    }
}

/// The address after one.
fn after(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => u32::from(address).checked_add(1).map(|number| Ipv4Addr::from(number).into()),
        IpAddr::V6(address) => u128::from(address).checked_add(1).map(|number| Ipv6Addr::from(number).into()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{Range, Ranges};

    fn all_in(texts: &[&str], inside: &[&str]) -> Vec<String> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let inside: Vec<Range> = inside.iter().map(|text| Range::read(text).unwrap()).collect();
        let ranges = Ranges::new(&texts);
        let passes = |address: IpAddr| inside.iter().any(|range| range.has(address));
        ranges.where_all(passes).into_iter().map(ToString::to_string).collect()
    }

    #[test]
    fn of_ranges_that_overlap_those_are_told_that_pass_as_a_whole() {
        assert_eq!(all_in(&["10.0.0.0/8", "10.0.0.0/16"], &["10.0.0.0/16"]), ["10.0.0.0/16"]);
        assert_eq!(all_in(&["10.0.0.0/8", "10.0.0.0/16"], &["10.0.0.0/8"]), ["10.0.0.0/8"]);
        assert_eq!(all_in(&["0.0.0.0/1", "128.0.0.0/1"], &["0.0.0.0/0"]), ["0.0.0.0/0"]);
        assert_eq!(all_in(&["::/0", "192.0.2.1"], &["::/0", "192.0.2.1"]), ["192.0.2.1", "::/0"]);
        let many: Vec<String> = (0..300).map(|number| format!("10.0.{}.{}", number / 200, number % 200 + 1)).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(all_in(&many, &many).len(), 300);
        assert!(all_in(&[], &["::/0"]).is_empty());
    }
}
