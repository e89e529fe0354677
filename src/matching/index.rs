//! The index of a policy: from a request's host and path to the rules that may cover it.
//!
//! Rules that name the same host pattern form a group, and each group has its own tree of path patterns. The host of a
//! request chooses its groups in one walk, and each group's tree tells its rules in another. What is found is everything
//! that covers the request by host and path, and those regexes whose literal beginning fits.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::iter;
use std::net::Ipv6Addr;
use std::slice;

use super::fold::fold_case;
use super::host::HostPattern;
use super::path::PatternReading;
use super::readings::{Readings, without_trailing_slash};
use super::regex::tried;
use super::tree::{Forest, From, IndexedText};
use crate::distinct::Distinct;
use crate::order;
use crate::request::host::Host;

/// The group of the rules for every host.
const EVERY_HOST: u32 = 0;
/// The group of all other rules, for a host that cannot be read.
const UNREADABLE_HOST: u32 = 1;
/// The first group of a host pattern.
const FIRST_PATTERN: u32 = 2;

/// How many rules all readings of a path may find, each as often as it is found; beyond that every rule is asked, as for a
/// path that cannot be read.
const MAX_FOUND: usize = 1 << 15;

/// Where the rules are entered.
#[derive(Default)]
pub(crate) struct IndexBuilder {
    /// The patterns of the groups from [`FIRST_PATTERN`] on.
    patterns: Distinct<HostPattern>,
    forward: Vec<IndexedText>,
    backward: Vec<IndexedText>,
    regexes: Vec<(u32, u32)>,
    rules: Vec<Vec<u32>>,
}

impl IndexBuilder {
    /// Enters a rule. Rules are entered in their order.
    #[inline(never)]
    pub(crate) fn add(&mut self, rule: u32, hosts: Box<[HostPattern]>, path: &[PatternReading]) {
        for group in self.groups_of(hosts) {
            self.add_to_group(group, rule, path);
        }
    }

    fn groups_of(&mut self, hosts: Box<[HostPattern]>) -> Vec<u32> {
        if hosts.is_empty() || hosts.contains(&HostPattern::Every) {
            return vec![EVERY_HOST];
        }
        let mut groups = vec![UNREADABLE_HOST];
        for host in hosts {
            let (number, _) = self.patterns.add(host);
            groups.push(FIRST_PATTERN.saturating_add(u32::try_from(number).unwrap_or(u32::MAX)));
        }
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    fn add_to_group(&mut self, group: u32, rule: u32, path: &[PatternReading]) {
        for reading in path {
            let entry = |text: &[u8], whole| IndexedText { tree: group, text: text.into(), whole, value: rule };
            match reading {
                PatternReading::Prefix(prefix) => {
                    self.forward.push(entry(prefix, false));
                    // `/api/` covers `/api` as well, which many serve alike, but not `/apiary`.
                    self.forward.extend(without_trailing_slash(prefix).map(|path| entry(path, true)));
                }
                PatternReading::Exact(exact) => self.forward.push(entry(exact, true)),
                PatternReading::Suffix(suffix) => {
                    let reversed: Vec<u8> = suffix.iter().rev().copied().collect();
                    self.backward.push(entry(&reversed, false));
                }
                PatternReading::Regex(regex) => {
                    self.forward.push(entry(&fold_case(regex.beginning()), false));
                    self.regexes.push((group, rule));
                }
            }
        }
        let index = usize::try_from(group).unwrap_or(usize::MAX);
        if self.rules.len() <= index {
            self.rules.resize(index.saturating_add(1), Vec::new());
        }
        if let Some(rules) = self.rules.get_mut(index) {
            rules.push(rule);
        }
    }

    /// The finished index.
    #[inline(never)]
    pub(crate) fn build(self) -> Index {
        Index {
            hosts: HostIndex::new(self.patterns.into_values()),
            forward: Forest::new(self.forward, From::Beginning),
            backward: Forest::new(self.backward, From::End),
            regexes: self.regexes,
            rules: self.rules,
        }
    }
}

/// From a request's host and path to the rules that may cover it.
pub(crate) struct Index {
    hosts: HostIndex,
    /// Prefixes, whole paths and the beginnings of regexes.
    forward: Forest,
    /// Suffixes, reversed.
    backward: Forest,
    /// The group and number of every rule with a regex.
    regexes: Vec<(u32, u32)>,
    /// The rules of each group, in order.
    rules: Vec<Vec<u32>>,
}

impl Index {
    /// The rules that may cover a request to that host and path, in order and without repetition.
    pub(crate) fn candidates(&self, host: Option<&[u8]>, path: &Readings<'_>) -> Candidates<'_> {
        let groups = self.hosts.groups(host);
        let groups = groups.as_deref().unwrap_or_default();
        let mut found = Found::One(None);
        if let Readings::Plain(path) = path {
            // Nearly every path; a chain of iterators costs as much again.
            let mut reading = Some(*path);
            while let Some(path) = reading {
                self.look_up(groups, path, &mut found);
                reading = without_trailing_slash(path);
            }
            return found.into_candidates();
        }
        let Some(readings) = path.covering() else { return self.every_rule(groups) };
        let is_ascii = path.is_ascii();
        for reading in readings {
            if is_ascii {
                self.look_up(groups, reading, &mut found);
            } else {
                self.look_up(groups, &fold_case(reading), &mut found);
            }
            // Each reading may find them all again.
            if found.len() > MAX_FOUND {
                return self.every_rule(groups);
            }
        }
        found.into_candidates()
    }

    /// Each reading of a path, the same with its letters folded, and the rules that may cover a request to that host by it
    /// alone. `None` where path or host cannot be read.
    #[cold]
    pub(crate) fn candidates_by_reading<'r>(
        &'r self,
        host: Option<&[u8]>,
        path: &'r Readings<'_>,
    ) -> Option<impl Iterator<Item = (&'r [u8], Vec<u8>, Candidates<'static>)>> {
        if matches!(Host::parse(host), Host::Unreadable) {
            return None;
        }
        let groups = self.hosts.groups(host).unwrap_or_default();
        let readings = path.covering()?;
        Some(readings.map(move |reading| {
            let mut found = Found::One(None);
            let folded = fold_case(reading);
            self.look_up(&groups, &folded, &mut found);
            (reading, folded, found.into_candidates())
        }))
    }

    /// Adds the rules that may cover a request by a reading of its path, of which all but ASCII letters are folded.
    fn look_up(&self, groups: &[u32], reading: &[u8], found: &mut Found) {
        for group in iter::once(EVERY_HOST).chain(groups.iter().copied()) {
            self.forward.walk(group, reading, u8::to_ascii_lowercase, |rules| found.extend(rules));
            self.backward.walk(group, reading, u8::to_ascii_lowercase, |rules| found.extend(rules));
        }
        // A regex covers what it cannot be tried on, wherever that begins.
        if !self.regexes.is_empty() && tried(reading).is_none() {
            let is_chosen = |group: u32| group == EVERY_HOST || groups.contains(&group);
            let chosen = self.regexes.iter().filter(|(group, _)| is_chosen(*group));
            chosen.for_each(|(_, rule)| found.extend(&[*rule]));
        }
    }

    /// Every rule for the host, where no path can be looked up.
    #[cold]
    fn every_rule(&self, groups: &[u32]) -> Candidates<'_> {
        let rules = |group| usize::try_from(group).ok().and_then(|index| self.rules.get(index));
        if groups.is_empty() {
            return Candidates::Listed(rules(EVERY_HOST).map(Vec::as_slice).unwrap_or_default().iter());
        }
        let groups = iter::once(EVERY_HOST).chain(groups.iter().copied());
        let lists = groups.filter_map(rules).filter_map(|rules| rules.split_first()).map(Reverse);
        Candidates::Merged(lists.collect())
    }
}

/// Numbers of rules as they are found. One alone, which is the common case, needs no memory.
enum Found {
    /// At most one.
    One(Option<u32>),
    /// In any order and perhaps with repetition.
    Several(Vec<u32>),
}

impl Found {
    fn extend(&mut self, rules: &[u32]) {
        match (&mut *self, rules) {
            (Self::One(one @ None), [rule]) => *one = Some(*rule),
            (Self::One(Some(one)), [rule]) if rule == one => {}
            (Self::One(one), _) => *self = Self::Several(one.iter().chain(rules).copied().collect()),
            (Self::Several(found), _) => found.extend_from_slice(rules),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::One(rule) => usize::from(rule.is_some()),
            Self::Several(rules) => rules.len(),
        }
    }

    fn into_candidates(self) -> Candidates<'static> {
        match self {
            Self::One(rule) => Candidates::One(rule),
            Self::Several(rules) => Candidates::several(rules),
        }
    }
}

/// Numbers of rules, in order and without repetition.
pub(crate) enum Candidates<'a> {
    /// At most one.
    One(Option<u32>),
    /// These.
    Several(std::vec::IntoIter<u32>),
    /// Those of an ordered list.
    Listed(slice::Iter<'a, u32>),
    /// Those of several ordered lists, taken from them as they are asked for: mostly it is the first that decides.
    Merged(BinaryHeap<Reverse<(&'a u32, &'a [u32])>>),
}

impl Candidates<'_> {
    /// These, in any order and perhaps with repetition.
    pub(crate) fn several(mut rules: Vec<u32>) -> Self {
        rules.sort_unstable();
        rules.dedup();
        Self::Several(rules.into_iter())
    }

    /// Whether it is known that there are none.
    pub(crate) fn are_none(&self) -> bool {
        matches!(self, Self::One(None))
    }

    /// How many there are at most, where they are counted.
    pub(crate) fn at_most(&self) -> usize {
        match self {
            Self::One(rule) => usize::from(rule.is_some()),
            Self::Several(rules) => rules.len(),
            Self::Listed(rules) => rules.len(),
            Self::Merged(_) => 0,
        }
    }
}

impl Iterator for Candidates<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        match self {
            Self::One(rule) => rule.take(),
            Self::Several(rules) => rules.next(),
            Self::Listed(rules) => rules.next().copied(),
            Self::Merged(lists) => {
                let next = *lists.peek()?.0.0;
                while let Some(mut list) = lists.peek_mut()
                    && *list.0.0 == next
                {
                    match list.0.1.split_first() {
                        Some(rest) => *list = Reverse(rest),
                        None => drop(PeekMut::pop(list)),
                    }
                }
                Some(next)
            }
        }
    }
}

/// From a host to its groups.
struct HostIndex {
    is_empty: bool,
    /// Names, and the beginnings of `foo.*`.
    forward: Forest,
    /// The endings of `*.foo.com`, reversed.
    backward: Forest,
    /// In order.
    addresses: Vec<(Ipv6Addr, u32)>,
}

impl HostIndex {
    fn new(patterns: Vec<HostPattern>) -> Self {
        let is_empty = patterns.is_empty();
        let (mut forward, mut backward, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
        for (pattern, value) in patterns.into_iter().zip(FIRST_PATTERN..) {
            let entry = |text: Box<[u8]>, whole| IndexedText { tree: 0, text, whole, value };
            match pattern {
                HostPattern::Every => {}
                HostPattern::Name(name) => forward.push(entry(name, true)),
                HostPattern::Prefix(prefix) => forward.push(entry(prefix, false)),
                HostPattern::Suffix(suffix) => {
                    backward.push(entry(suffix.iter().rev().copied().collect(), false));
                }
                HostPattern::Ipv6(address) => addresses.push((address, value)),
            }
        }
        order::sort(&mut addresses, Ord::cmp);
        Self {
            is_empty,
            forward: Forest::new(forward, From::Beginning),
            backward: Forest::new(backward, From::End),
            addresses,
        }
    }

    /// The groups of a host, but for the one of the rules for every host; `None` if there are no others.
    #[inline]
    fn groups(&self, authority: Option<&[u8]>) -> Option<Vec<u32>> {
        if self.is_empty { None } else { Some(self.look_up(authority)) }
    }

    fn look_up(&self, authority: Option<&[u8]>) -> Vec<u32> {
        let mut groups = Vec::new();
        match Host::parse(authority) {
            Host::Unreadable => groups.push(UNREADABLE_HOST),
            Host::Ipv6(address) => {
                let found = self.addresses.binary_search_by_key(&address, |(known, _)| *known);
                groups.extend(found.ok().and_then(|index| self.addresses.get(index)).map(|(_, group)| *group));
            }
            Host::Name(name) => {
                self.forward.walk(0, name, u8::to_ascii_lowercase, |found| {
                    groups.extend_from_slice(found);
                });
                self.backward.walk(0, name, u8::to_ascii_lowercase, |found| groups.extend_from_slice(found));
            }
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::{Candidates, IndexBuilder};
    use crate::matching::host::HostPattern;
    use crate::matching::path::PatternReading;
    use crate::matching::readings::Readings;
    use crate::matching::regex::{Dot, PathRegex};

    fn covers(pattern: &str, authority: &str) -> bool {
        let mut builder = IndexBuilder::default();
        builder.add(0, Box::from([HostPattern::new(pattern).unwrap()]), &[PatternReading::Prefix(Box::from(*b"/"))]);
        builder.build().candidates(Some(authority.as_bytes()), &Readings::Plain(b"/")).next().is_some()
    }

    #[test]
    fn names_compare_without_case_port_and_trailing_dot() {
        for authority in ["foo.com", "FOO.com", "foo.com.", "foo.com:8080", "foo.com:", "Foo.Com.:443"] {
            assert!(covers("foo.com", authority), "{authority}");
            assert!(covers("FOO.com.:80", authority), "{authority}");
            assert!(!covers("bar.com", authority), "{authority}");
        }
        assert!(!covers("foo.com", "foo.com.evil.org"));
    }

    #[test]
    fn wildcards_stand_for_at_least_one_label() {
        for authority in ["a.foo.com", "A.B.FOO.COM:80", "a.foo.com."] {
            assert!(covers("*.foo.com", authority), "{authority}");
        }
        for authority in ["foo.com", "xfoo.com", "a.foo.com.org"] {
            assert!(!covers("*.foo.com", authority), "{authority}");
        }
        for authority in ["foo.com", "FOO.co.uk", "foo.x:1"] {
            assert!(covers("foo.*", authority), "{authority}");
        }
        for authority in ["foo", "foo.", "foox.com", "a.foo.com"] {
            assert!(!covers("foo.*", authority), "{authority}");
        }
        assert!(covers("*", "anything.at.all"));
    }

    #[test]
    fn ipv6_literals_compare_as_addresses() {
        for authority in ["[::1]", "[::1]:80", "[0:0:0:0:0:0:0:1]:", "[::0001]"] {
            assert!(covers("[::1]", authority), "{authority}");
            assert!(covers("::1", authority), "{authority}");
            assert!(covers("[0::1]:8080", authority), "{authority}");
        }
        assert!(!covers("[::1]", "[::2]"));
        assert!(!covers("[::1]", "localhost"));
    }

    #[test]
    fn an_address_is_found_among_others() {
        let mut builder = IndexBuilder::default();
        let addresses = ["::3", "::1", "ff::", "::2"];
        for (rule, address) in (0..).zip(addresses) {
            let prefix = PatternReading::Prefix(Box::from(*b"/"));
            builder.add(rule, Box::from([HostPattern::new(address).unwrap()]), &[prefix]);
        }
        let index = builder.build();
        let found =
            |authority: &str| index.candidates(Some(authority.as_bytes()), &Readings::Plain(b"/")).collect::<Vec<_>>();
        for (rule, address) in (0..).zip(addresses) {
            assert_eq!(found(&format!("[{address}]")), [rule], "{address}");
        }
        assert!(found("[::4]").is_empty());
    }

    #[test]
    fn a_host_that_cannot_be_read_is_every_host() {
        for authority in ["", "user@foo.com", "a..b"] {
            for pattern in ["foo.com", "*.foo.com", "foo.*", "::1", "*"] {
                assert!(covers(pattern, authority), "{pattern}, {authority}");
            }
        }
    }

    #[test]
    fn candidates_come_in_order_and_once() {
        let mut builder = IndexBuilder::default();
        let host = |name| HostPattern::new(name).unwrap();
        let prefix = |text: &str| PatternReading::Prefix(text.as_bytes().into());
        builder.add(0, Box::from([host("*.foo.com"), host("a.*")]), &[prefix("/a")]);
        builder.add(1, Box::default(), &[prefix("/a/b"), prefix("/a")]);
        builder.add(2, Box::from([host("bar.com")]), &[prefix("/a")]);
        builder.add(3, Box::from([host("a.foo.com")]), &[PatternReading::Suffix(Box::from(*b"c")), prefix("/")]);
        let index = builder.build();
        let found =
            |authority: &str, path| -> Vec<u32> { index.candidates(Some(authority.as_bytes()), &path).collect() };
        assert_eq!(found("a.foo.com", Readings::Plain(b"/a/b/c")), [0, 1, 3]);
        assert_eq!(found("A.foo.com", Readings::Plain(b"/C")), [3]);
        assert_eq!(found("bar.com", Readings::Plain(b"/A")), [1, 2]);
        assert_eq!(found("x.org", Readings::Plain(b"/a/b")), [1]);
        assert!(found("x.org", Readings::Plain(b"/b")).is_empty());
        assert_eq!(found("a.foo.com", Readings::Unreadable), [0, 1, 3]);
        assert_eq!(found("user@x", Readings::Unreadable), [0, 1, 2, 3]);
    }

    #[test]
    fn a_regex_is_looked_at_only_where_a_path_begins_as_it_does() {
        let mut builder = IndexBuilder::default();
        builder.add(
            0,
            Box::default(),
            &[PatternReading::Regex(PathRegex::new("/Api/.*", Dot::EveryCharacter).unwrap().into())],
        );
        let index = builder.build();
        for (path, found) in [(&b"/api/x"[..], true), (b"/API/", true), (b"/ap", false), (b"/other", false)] {
            assert_eq!(index.candidates(None, &Readings::Plain(path)).next().is_some(), found);
        }
    }

    #[test]
    fn one_rule_alone_needs_no_memory() {
        let mut builder = IndexBuilder::default();
        let prefix = |text: &str| PatternReading::Prefix(text.as_bytes().into());
        builder.add(0, Box::default(), &[prefix("/a"), prefix("/a/b")]);
        let index = builder.build();
        for path in [&b"/a/b/c"[..], b"/a/b", b"/a/", b"/a"] {
            assert!(matches!(index.candidates(None, &Readings::Plain(path)), Candidates::One(Some(0))));
        }
    }
}
