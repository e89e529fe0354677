//! What a change surely leaves as it was, told by the texts of the rules: no number of requests shows that.

use std::collections::HashMap;

use super::Accepted;
use super::rules::{covers_all, is_as_strict};
use crate::rules::{Rule, Written};

/// The most rules that are compared with every new one.
const MAX_COMPARED: usize = 1_000;

/// The old rules, by their indexes, of which it is not sure that no request passes now that they refused.
pub(super) fn unproven(was: &Accepted, is: Option<&Accepted>) -> Vec<usize> {
    let old = &was.written;
    let Some(Accepted { written: new, .. }) = is else { return (0..old.rules.len()).collect() };
    let is_same = |rule: &Rule, other: &Rule| is_same((old, rule), (new, other));
    if new.first_match {
        // Any rule before it may take its requests.
        let same = old.rules.iter().zip(&new.rules).take_while(|(one, other)| is_same(one, other));
        let kept = if old.first_match { same.count() } else { 0 };
        return (kept..old.rules.len()).collect();
    }
    // Nearly all rules stay as they are.
    let by_text: HashMap<u64, &Rule> = new.rules.iter().map(|rule| (rule.digest, rule)).collect();
    let is_kept = |rule: &Rule| by_text.get(&rule.digest).is_some_and(|other| is_same(rule, other));
    let mut changed: Vec<(usize, &Rule)> = old.rules.iter().enumerate().filter(|(_, rule)| !is_kept(rule)).collect();
    let not_compared = changed.split_off(changed.len().min(MAX_COMPARED));
    changed.retain(|(_, rule)| !new.rules.iter().any(|other| covers_all(other, rule) && is_as_strict(other, rule)));
    changed.into_iter().chain(not_compared).map(|(index, _)| index).collect()
}

/// Whether two rules do the same.
fn is_same((written, rule): (&Written, &Rule), (others, other): (&Written, &Rule)) -> bool {
    let flags = |rule: &Rule| (rule.dry_run, rule.allow_missing, rule.has_unknown_users);
    // What is not known of users stands in the text of the rule, or in that of the lists.
    let are_lists_same = !rule.has_unknown_users || written.lists == others.lists;
    rule.is_same_text(other) && rule.users == other.users && flags(rule) == flags(other) && are_lists_same
}
