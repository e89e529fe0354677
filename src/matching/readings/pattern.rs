//! The readings of the patterns in a configuration.

use super::decode::{Escapes, decode, has_overlong_sequence};
use super::scan::scan;
use super::set::ReadingSet;
use super::steps::{Text, without_trailing_slash};

/// What part of a path a pattern stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternKind {
    /// All of it.
    Path,
    /// Its beginning. What the pattern ends in may go on in the path: its last segment is no whole one.
    Prefix,
    /// Its end. What the pattern begins with may have begun earlier in the path.
    Suffix,
}

impl PatternKind {
    /// The readings of a pattern of this kind, itself first; `None` if there are too many, or if it has a malformed escape
    /// or an overlong UTF-8 sequence, as no path that a rule is compared with has.
    ///
    /// A `%` that only decoding uncovers is left alone here: a request with one is unreadable and covered anyway.
    #[must_use]
    pub fn readings(self, pattern: &[u8]) -> Option<Vec<Vec<u8>>> {
        let marks = scan(pattern);
        if marks.is_plain() && (self == Self::Prefix || without_trailing_slash(pattern).is_none()) {
            return Some(vec![pattern.to_vec()]);
        }
        // As written, a malformed escape is a mistake.
        if !is_well_formed(pattern) {
            return None;
        }
        let set = match self {
            Self::Path => ReadingSet::of_path(pattern),
            Self::Prefix => ReadingSet::of_part(pattern, Text::Prefix),
            Self::Suffix => ReadingSet::of_part(pattern, Text::Suffix),
        };
        set.ok().map(ReadingSet::into_texts)
    }
}

/// Whether every escape in a pattern is one, and none stands for an overlong sequence.
#[must_use]
pub(crate) fn is_well_formed(pattern: &[u8]) -> bool {
    decode(pattern, Escapes::All).is_some_and(|decoded| !has_overlong_sequence(&decoded))
}
