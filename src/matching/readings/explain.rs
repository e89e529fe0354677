//! How each reading of a path was reached.

use std::iter;

use super::Readings;

/// A reading of a path, and how it was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReachedReading<'r> {
    /// The reading.
    pub bytes: &'r [u8],
    /// The index of the reading that it was made of, and the name of the [step](super::STEPS) that did it; `None` for the
    /// path as it was sent, up to its `?`.
    pub made: Option<(usize, &'static str)>,
    /// Whether it counts for rules alone, and not for their exceptions.
    pub for_rules_alone: bool,
}

impl Readings<'_> {
    /// The readings in the order in which they were reached; `None` if the path is unreadable.
    #[must_use]
    pub fn reached(&self) -> Option<Vec<ReachedReading<'_>>> {
        match self {
            Self::Plain(path) => {
                let sent = ReachedReading { bytes: path, made: None, for_rules_alone: false };
                let cut = self.covering()?.enumerate().skip(1).map(|(index, bytes)| ReachedReading {
                    bytes,
                    made: Some((index.saturating_sub(1), "cut_trailing_slash")),
                    for_rules_alone: true,
                });
                Some(iter::once(sent).chain(cut).collect())
            }
            Self::Several(set) => {
                let for_exceptions = set.for_exceptions().len();
                let reached = set.for_rules().iter().enumerate().map(|(index, reading)| ReachedReading {
                    bytes: &reading.bytes,
                    made: reading.made,
                    for_rules_alone: index >= for_exceptions,
                });
                Some(reached.collect())
            }
            Self::Unreadable => None,
        }
    }
}
