//! What a change surely leaves as it was, told by the texts of the rules: no number of requests shows that.

use super::Accepted;
use super::rules::{covers_all, is_as_strict};
use crate::rules::{Rule, Written};

/// The old rules, by their indexes, of which it is not sure that no request passes now that they refused.
pub(super) fn unproven(was: &Accepted, is: Option<&Accepted>) -> Vec<usize> {
    let old = &was.written;
    let is_kept = |index: usize, rule: &Rule| {
        let Some(Accepted { written: new, .. }) = is else { return false };
        if new.first_match {
            // Any rule before it may take its requests.
            let same = old.rules.iter().zip(&new.rules).take_while(|(one, other)| is_same((old, one), (new, other)));
            return old.first_match && same.count() > index;
        }
        new.rules
            .iter()
            .any(|other| is_same((old, rule), (new, other)) || (covers_all(other, rule) && is_as_strict(other, rule)))
    };
    old.rules.iter().enumerate().filter(|(index, rule)| !is_kept(*index, rule)).map(|(index, _)| index).collect()
}

/// Whether two rules do the same.
fn is_same((written, rule): (&Written, &Rule), (others, other): (&Written, &Rule)) -> bool {
    let flags = |rule: &Rule| (rule.dry_run, rule.allow_missing, rule.has_unknown_users);
    // What is not known of users stands in the text of the rule, or in that of the lists.
    let are_lists_same = !rule.has_unknown_users || written.lists == others.lists;
    rule.is_same_text(other) && rule.users == other.users && flags(rule) == flags(other) && are_lists_same
}
