//! Which rules are about a request, and by what.

use super::Policy;
use crate::matching::budget::MatchBudget;
use crate::matching::readings::Readings;
use crate::matching::target::Target;
use crate::request::Request;

/// A rule whose hosts and path pattern match a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The index of the rule.
    pub rule: usize,
    /// The readings that its pattern matches; none where path or host cannot be read, which every rule covers.
    pub readings: Vec<Vec<u8>>,
    /// Whether the rule covers the method.
    pub method: bool,
    /// Whether one of its exceptions takes the request out.
    pub excepted: bool,
}

impl Match {
    /// Whether the rule covers the request.
    #[must_use]
    pub fn covers(&self) -> bool {
        self.method && !self.excepted
    }
}

impl Policy {
    /// The rules whose hosts and path patterns match a request, in the order of the configuration, whether their methods
    /// and exceptions let them cover it or not.
    #[must_use]
    pub fn matches(&self, request: &Request<'_>) -> Vec<Match> {
        let path = Readings::parse(request.method, request.path);
        let budget = MatchBudget::behind_readings(&path);
        let mut matches: Vec<Match> = Vec::new();
        let mut add = |index: u32, reading: Option<&[u8]>| {
            let Some((rule, compiled)) = self.indexed_rule(index) else { return };
            let regex = compiled.regex.as_deref();
            if reading.is_some_and(|reading| regex.is_some_and(|regex| !regex.covers(reading, &budget))) {
                return;
            }
            let position = matches.iter().position(|known| known.rule == rule).unwrap_or_else(|| {
                let method = compiled.methods.cover(request.method);
                let target = Target { method: request.method, path: &path, budget: &budget };
                let excepted = compiled.except.is_some_and(|id| self.exceptions.except(id, target));
                matches.push(Match { rule, readings: Vec::new(), method, excepted });
                matches.len().saturating_sub(1)
            });
            if let Some(known) = matches.get_mut(position) {
                known.readings.extend(reading.map(<[u8]>::to_vec));
            }
        };
        if let Some(readings) = self.index.candidates_by_reading(request.authority, &path) {
            for (reading, _, candidates) in readings {
                candidates.for_each(|index| add(index, Some(reading)));
            }
        } else {
            for index in self.index.candidates(request.authority, &path) {
                // An unreadable host is every host; a path that can be read still has to match.
                let is_path_unreadable = matches!(path, Readings::Unreadable);
                let covers = self.indexed_rule(index).is_some_and(|(_, rule)| {
                    is_path_unreadable
                        || rule.regex.as_deref().is_none_or(|regex| path.any(|reading| regex.covers(reading, &budget)))
                });
                if covers {
                    add(index, None);
                }
            }
        }
        matches.sort_by_key(|known| known.rule);
        matches
    }
}
