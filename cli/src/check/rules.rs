//! Rules that do not go together.

use basic_auth::{Policy, Request};

use super::Judge;
use crate::finding::Level;
use crate::rules::{Rule, Written};
use crate::witness::Witness;

/// The most rules that one is compared with: those that cover its example.
const MAX_COMPARED: usize = 32;
/// The most findings of a kind: a configuration that is made by a program repeats itself.
const MAX_FINDINGS: usize = 100;

impl Judge<'_> {
    /// Warns of rules that nobody can pass together, and of rules that say nothing.
    pub(super) fn rules(&mut self, policy: &Policy, written: &Written) {
        let (mut unshared, mut useless) = (0, 0);
        for (index, rule) in written.rules.iter().enumerate() {
            let Some(witness) = Witness::of(rule) else { continue };
            let request = Request {
                method: witness.method.as_bytes(),
                path: Some(witness.path.as_bytes()),
                authority: Some(witness.host.as_bytes()),
                ..Request::default()
            };
            let covering: Vec<usize> = policy.covering(&request).map(|(index, _)| index).take(MAX_COMPARED).collect();
            let others = || covering.iter().filter(|other| **other != index);
            let rules = || others().filter_map(|other| Some((*other, written.rules.get(*other)?)));
            if unshared < MAX_FINDINGS
                && !written.first_match
                && let Some((other, rule)) =
                    rules().find(|(other, earlier)| *other < index && share_nobody(earlier, rule))
            {
                unshared += 1;
                let sentence = format!(
                    "nobody passes here: {} covers this path, too, and has no user in common; add one to both, or move this one before it and set `first_match: true` at the top",
                    rule.title(other)
                );
                self.about_rule("no-shared-user", index, written, sentence);
            }
            let makes_useless = |(other, earlier): &(usize, &Rule)| {
                if earlier.is_same_text(rule) {
                    return false;
                }
                let is_earlier = *other < index;
                if written.first_match {
                    is_earlier && covers_all(earlier, rule)
                } else {
                    covers_all(earlier, rule)
                        && is_as_strict(earlier, rule)
                        && earlier.treatment == rule.treatment
                        && (is_earlier || !covers_all(rule, earlier))
                }
            };
            // With `first_match` the rule is not among those that cover its own example.
            let earlier = rules().find(makes_useless);
            if let Some((other, earlier)) = earlier.filter(|_| useless < MAX_FINDINGS) {
                useless += 1;
                let sentence = if written.first_match {
                    format!(
                        "never asked: {} comes first and covers all that this one does; move this one before it",
                        earlier.title(other)
                    )
                } else {
                    format!(
                        "says nothing: {} covers all that this one does and lets in nobody whom this one would not; remove it",
                        earlier.title(other)
                    )
                };
                self.about_rule("useless-rule", index, written, sentence);
            }
        }
    }

    fn about_rule(&mut self, code: &'static str, index: usize, written: &Written, sentence: String) {
        let (Ok(text), Some(rule)) = (&self.configuration.text, written.rules.get(index)) else { return };
        let position = text.position(self.source, rule.offset);
        self.add(Level::Warning, code, position, &format!("basic_auth_rules[{index}]"), sentence);
    }
}

/// Whether nobody passes both rules.
fn share_nobody(one: &Rule, other: &Rule) -> bool {
    let are_known = !one.has_unknown_users && !other.has_unknown_users;
    are_known
        && !one.is_lenient()
        && !other.is_lenient()
        && !one.users.iter().any(|(name, secrets)| {
            other
                .users
                .get(name)
                .is_some_and(|others| secrets.iter().any(|secret| others.iter().any(|other| may_be_one(secret, other))))
        })
}

/// Whether what is known of two passwords lets them be one: of two hashes nobody knows.
fn may_be_one(one: &str, other: &str) -> bool {
    one == other || one.starts_with("hash ") || other.starts_with("hash ")
}

/// Whether whoever passes a rule passes another as well.
pub(super) fn is_as_strict(rule: &Rule, other: &Rule) -> bool {
    !rule.has_unknown_users
        && !other.has_unknown_users
        && !rule.is_lenient()
        && rule.users.iter().all(|(name, secrets)| {
            other.users.get(name).is_some_and(|others| secrets.iter().all(|secret| others.contains(secret)))
        })
}

/// Whether a rule covers all that another does, as far as their texts tell.
pub(super) fn covers_all(rule: &Rule, other: &Rule) -> bool {
    let path = match (rule.matcher.as_str(), other.matcher.as_str()) {
        ("prefix", "prefix" | "exact") => other.pattern.starts_with(&rule.pattern),
        ("prefix", _) if rule.pattern == "/" => true,
        ("suffix", "suffix" | "exact") => other.pattern.ends_with(&rule.pattern),
        _ => rule.matcher == other.matcher && rule.pattern == other.pattern,
    };
    let every_host = |rule: &Rule| rule.hosts.is_empty() || rule.hosts.iter().any(|host| host == "*");
    let hosts = every_host(rule)
        || (!every_host(other)
            && other.hosts.iter().all(|host| rule.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))));
    let methods = match (&rule.methods, &other.methods) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(known), Some(others)) => others.iter().all(|method| known.contains(method)),
    };
    path && hosts && methods && rule.except.iter().all(|except| other.except.contains(except))
}
