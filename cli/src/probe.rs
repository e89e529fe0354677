//! Requests at the boundaries of all patterns of a configuration: where something can be decided otherwise.

use std::collections::BTreeSet;

use crate::rules::{Rule, Written};
use crate::witness::{OTHER_HOST, host_of, path_of};

/// The most hosts of one rule that are tried.
const MAX_HOSTS: usize = 8;
/// The most requests.
const MAX_PROBES: usize = 2_000_000;

/// A request at a boundary.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Probe {
    /// Its host.
    pub host: String,
    /// Its path.
    pub path: String,
    /// Its method.
    pub method: String,
}

/// Requests at the boundaries of some configurations.
pub fn probes<'w>(all: impl IntoIterator<Item = &'w Written>) -> Vec<Probe> {
    let rules: Vec<&Rule> = all.into_iter().flat_map(|written| &written.rules).collect();
    let mut methods: BTreeSet<&str> = ["GET", "POST", "DELETE"].into();
    let named = rules.iter().flat_map(|rule| {
        let of_exceptions = rule.except.iter().filter_map(|except| except.methods.as_ref());
        rule.methods.iter().chain(of_exceptions).flatten()
    });
    methods.extend(named.map(String::as_str).take(MAX_HOSTS));
    let mut probes = BTreeSet::new();
    let mut add = |hosts: &BTreeSet<String>, path: String| {
        for host in hosts {
            for method in &methods {
                if probes.len() < MAX_PROBES {
                    probes.insert(Probe { host: host.clone(), path: path.clone(), method: (*method).to_owned() });
                }
            }
        }
    };
    add(&[OTHER_HOST.to_owned()].into(), "/".to_owned());
    for rule in rules {
        let mut hosts: BTreeSet<String> = rule.hosts.iter().take(MAX_HOSTS).map(|host| host_of(host)).collect();
        hosts.insert(OTHER_HOST.to_owned());
        let patterns = rule.except.iter().map(|except| (&except.matcher, &except.pattern));
        for (matcher, pattern) in [(&rule.matcher, &rule.pattern)].into_iter().chain(patterns) {
            for path in beside(matcher, pattern) {
                add(&hosts, path);
            }
        }
    }
    probes.into_iter().collect()
}

/// Paths that a pattern covers, and such as are next to it.
fn beside(matcher: &str, pattern: &str) -> Vec<String> {
    let Some(path) = path_of(matcher, pattern) else { return Vec::new() };
    let parent = path.trim_end_matches('/').rsplit_once('/').map_or("/", |(parent, _)| parent);
    let parent = if parent.is_empty() { "/".to_owned() } else { parent.to_owned() };
    let below = if path.ends_with('/') { format!("{path}x") } else { format!("{path}/x") };
    vec![format!("{path}x"), below, parent, path]
}
