//! What is counted: events of decisions about requests that a rule covers. What no rule covers costs no count.
//!
//! Envoy shows a counter as `wasmcustom.basic_auth.refused.missing` in `/stats`, and as `basic_auth_refused_missing` in
//! `/stats/prometheus`. Counters are exact: each is incremented in the request that it counts.

use crate::decision::{Decision, Exemption, Reason};

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A user was accepted.
    Accepted,
    /// A covered request was asked for no user.
    Exempt(Exemption),
    /// A request was refused, throttled or redirected.
    Refused(Reason),
    /// A rule on trial would have refused a request.
    DryRun(Reason),
}

impl Event {
    /// Every event, in the order of [`Event::index`].
    pub fn all() -> impl Iterator<Item = Self> {
        let exempt = Exemption::ALL.into_iter().map(Self::Exempt);
        let refused = Reason::ALL.into_iter().map(Self::Refused);
        let dry_run = Reason::ALL.into_iter().map(Self::DryRun);
        [Self::Accepted].into_iter().chain(exempt).chain(refused).chain(dry_run)
    }

    /// Its number among all.
    #[must_use]
    pub fn index(self) -> usize {
        let (exemptions, reasons) = (Exemption::ALL.len(), Reason::ALL.len());
        match self {
            Self::Accepted => 0,
            Self::Exempt(by) => 1_usize.saturating_add(by as usize),
            Self::Refused(reason) => exemptions.saturating_add(1).saturating_add(reason as usize),
            Self::DryRun(reason) => {
                exemptions.saturating_add(reasons).saturating_add(1).saturating_add(reason as usize)
            }
        }
    }

    /// The name of its counter.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Accepted => "basic_auth.accepted".to_owned(),
            Self::Exempt(by) => format!("basic_auth.exempt.{by}"),
            Self::Refused(reason) => format!("basic_auth.refused.{reason}"),
            Self::DryRun(reason) => format!("basic_auth.dry_run.{reason}"),
        }
    }
}

/// The events of a decision: at most one, and what a rule on trial would have done.
pub(crate) fn events(decision: &Decision<'_>) -> impl Iterator<Item = Event> {
    let (event, dry_run) = match decision {
        Decision::Pass => (None, None),
        Decision::Accepted { dry_run, .. } => (Some(Event::Accepted), *dry_run),
        Decision::Exempt { by, dry_run, .. } => (Some(Event::Exempt(*by)), *dry_run),
        refused => (refused.reason().map(Event::Refused), None),
    };
    event.into_iter().chain(dry_run.map(|dry_run| Event::DryRun(dry_run.reason)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Event, events};
    use crate::decision::{Decision, DryRun, Exemption, Reason};

    #[test]
    fn every_event_has_its_number_and_a_name_of_its_own() {
        let all: Vec<Event> = Event::all().collect();
        assert!(all.iter().enumerate().all(|(index, event)| event.index() == index), "{all:?}");
        let names: HashSet<String> = all.iter().map(|event| event.name()).collect();
        assert_eq!(names.len(), all.len());
        assert!(
            names.contains("basic_auth.refused.wrong_password") && names.contains("basic_auth.exempt.cors_preflight")
        );
        assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte))));
    }

    #[test]
    fn what_no_rule_covers_is_not_counted_and_what_is_on_trial_is_counted_twice() {
        let of = |decision: &Decision<'_>| events(decision).collect::<Vec<_>>();
        assert!(of(&Decision::Pass).is_empty());
        assert_eq!(of(&Decision::AmbiguousPath), [Event::Refused(Reason::AmbiguousPath)]);
        let dry_run = Some(DryRun { reason: Reason::Missing, rule: 0 });
        let exempt = Decision::Exempt { by: Exemption::DryRun, rule: 0, dry_run };
        assert_eq!(of(&exempt), [Event::Exempt(Exemption::DryRun), Event::DryRun(Reason::Missing)]);
    }
}
