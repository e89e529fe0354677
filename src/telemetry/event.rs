//! What is counted.

use crate::decision::{Decision, Exemption, Reason};

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// No rule covered a request.
    Passed,
    /// A user was accepted.
    Accepted,
    /// A password was hashed and compared.
    Verification,
    /// A configuration was refused.
    ConfigRefused,
    /// A list of users was fetched, or was as before.
    Fetched,
    /// A list of users could not be fetched.
    FetchFailed,
    /// A covered request was asked for no user.
    Exempt(Exemption),
    /// A request was refused, throttled or redirected.
    Refused(Reason),
    /// A rule on trial would have refused a request.
    DryRun(Reason),
}

/// How many events there are before those of exemptions and reasons.
const FIRST: usize = 6;

/// How many events there are.
pub(super) const EVENTS: usize = FIRST + Exemption::ALL.len() + 2 * Reason::ALL.len();

impl Event {
    /// Every event, in the order of [`Event::index`].
    pub fn all() -> impl Iterator<Item = Self> {
        let exempt = Exemption::ALL.into_iter().map(Self::Exempt);
        let refused = Reason::ALL.into_iter().map(Self::Refused);
        let dry_run = Reason::ALL.into_iter().map(Self::DryRun);
        let first: [Self; FIRST] =
            [Self::Passed, Self::Accepted, Self::Verification, Self::ConfigRefused, Self::Fetched, Self::FetchFailed];
        first.into_iter().chain(exempt).chain(refused).chain(dry_run)
    }

    /// The event of a decision, but for what a rule on trial would have done.
    pub(super) fn of(decision: &Decision<'_>) -> Self {
        match decision {
            Decision::Pass => Self::Passed,
            Decision::Accepted { .. } => Self::Accepted,
            Decision::Exempt { by, .. } => Self::Exempt(*by),
            refused => Self::Refused(refused.reason().unwrap_or(Reason::NotConfigured)),
        }
    }

    /// Its number among all.
    #[must_use]
    pub fn index(self) -> usize {
        let (exemptions, reasons) = (Exemption::ALL.len(), Reason::ALL.len());
        match self {
            Self::Passed => 0,
            Self::Accepted => 1,
            Self::Verification => 2,
            Self::ConfigRefused => 3,
            Self::Fetched => 4,
            Self::FetchFailed => 5,
            Self::Exempt(by) => FIRST.saturating_add(by as usize),
            Self::Refused(reason) => exemptions.saturating_add(FIRST).saturating_add(reason as usize),
            Self::DryRun(reason) => {
                exemptions.saturating_add(reasons).saturating_add(FIRST).saturating_add(reason as usize)
            }
        }
    }

    /// The last part of its counter's name.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Passed => "passed".to_owned(),
            Self::Accepted => "accepted".to_owned(),
            Self::Verification => "verifications".to_owned(),
            Self::ConfigRefused => "config_refused".to_owned(),
            Self::Fetched => "fetch.success".to_owned(),
            Self::FetchFailed => "fetch.failure".to_owned(),
            Self::Exempt(by) => format!("exempt.{by}"),
            Self::Refused(reason) => format!("refused.{reason}"),
            Self::DryRun(reason) => format!("dry_run.{reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{EVENTS, Event};

    #[test]
    fn every_event_has_its_number_and_a_name_of_its_own() {
        let all: Vec<Event> = Event::all().collect();
        assert!(all.iter().enumerate().all(|(index, event)| event.index() == index), "{all:?}");
        assert_eq!(all.len(), EVENTS);
        let names: HashSet<String> = all.iter().map(|event| event.name()).collect();
        assert_eq!(names.len(), all.len());
        assert!(names.contains("refused.wrong_password") && names.contains("exempt.cors_preflight"));
        assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte))));
    }
}
