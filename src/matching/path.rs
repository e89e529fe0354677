//! The path pattern of a rule.
//!
//! A pattern covers a request if one of its own [readings] matches one of the path's, letters compared
//! without case: `/a%20b`, `/a b` and `/a//b` all protect what they name.

use std::fmt;

use super::fold::fold_case;
use super::readings::{self, PatternKind};
use super::regex::{Dot, PathRegex};
use crate::users::name::{UNFILLED, has_placeholder};

/// The ways to compare a path, by the field that chooses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matcher {
    /// `prefix`: the path begins so; `/api` covers `/apiary`.
    Prefix,
    /// `exact`: the path is this.
    Exact,
    /// `suffix`: the path ends so.
    Suffix,
    /// `regex`: the whole path matches.
    Regex,
}

impl Matcher {
    /// The names of the fields.
    pub const FIELDS: &[&str] = &["prefix", "exact", "suffix", "regex"];

    /// The matcher that a field of that name chooses.
    #[must_use]
    pub(crate) fn from_field(field: &str) -> Self {
        match field {
            "exact" => Self::Exact,
            "suffix" => Self::Suffix,
            "regex" => Self::Regex,
            _ => Self::Prefix,
        }
    }
}

/// What a rule covers: the readings of its pattern, of which one that matches is enough.
#[derive(Debug, Clone)]
pub struct PathPattern {
    readings: Box<[PatternReading]>,
}

/// One reading of a pattern, its letters [folded](fold_case).
#[derive(Debug, Clone)]
pub enum PatternReading {
    /// The path begins so.
    Prefix(Box<[u8]>),
    /// The path is this.
    Exact(Box<[u8]>),
    /// The path ends so.
    Suffix(Box<[u8]>),
    /// The path matches as a whole.
    Regex(Box<PathRegex>),
}

impl PathPattern {
    /// Takes a pattern from the configuration.
    ///
    /// # Errors
    /// [`PatternError`]
    pub fn new(matcher: Matcher, text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        let read = |kind: PatternKind, reading: fn(Box<[u8]>) -> PatternReading| {
            let path = readings::without_query(text.as_bytes());
            if path.is_empty() {
                return Err(PatternError::Query);
            }
            if path.first() != Some(&b'/') && matcher != Matcher::Suffix {
                return Err(PatternError::NoSlash);
            }
            let readings = kind.readings(path).ok_or_else(|| {
                if readings::is_well_formed(path) { PatternError::Readings } else { PatternError::Unreadable }
            })?;
            Ok(readings.iter().map(|text| reading(fold_case(text).into())).collect())
        };
        let readings = match matcher {
            Matcher::Prefix => read(PatternKind::Prefix, PatternReading::Prefix)?,
            Matcher::Exact => read(PatternKind::Path, PatternReading::Exact)?,
            Matcher::Suffix => read(PatternKind::Suffix, PatternReading::Suffix)?,
            Matcher::Regex => Box::from([PatternReading::Regex(PathRegex::new(text, Dot::EveryCharacter)?.into())]),
        };
        Ok(Self { readings })
    }

    /// The readings of the pattern.
    #[must_use]
    pub fn readings(&self) -> &[PatternReading] {
        &self.readings
    }

    /// How many bytes they have, of a regex those that it begins with.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let bytes = |reading: &PatternReading| match reading {
            PatternReading::Prefix(text) | PatternReading::Exact(text) | PatternReading::Suffix(text) => text.len(),
            PatternReading::Regex(regex) => regex.beginning().len(),
        };
        self.readings.iter().map(bytes).fold(0, usize::saturating_add)
    }

    /// How many of them are regexes.
    #[must_use]
    pub fn regexes(&self) -> usize {
        self.readings.iter().filter(|reading| matches!(reading, PatternReading::Regex(_))).count()
    }

    /// The readings of the pattern.
    #[must_use]
    pub fn into_readings(self) -> Box<[PatternReading]> {
        self.readings
    }
}

impl PatternReading {
    /// The regex, if it is one.
    #[must_use]
    pub fn into_regex(self) -> Option<Box<PathRegex>> {
        match self {
            Self::Regex(regex) => Some(regex),
            _ => None,
        }
    }
}

/// Why a path pattern is refused. Its `Display` says what to do and quotes nothing of the pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatternError {
    /// It is the empty string.
    Empty,
    /// It has nothing before its `?`, or it is an exception's and has a `?`.
    Query,
    /// It stands for the beginning or the whole of a path and does not begin with `/`.
    NoSlash,
    /// It has a placeholder that nobody filled in.
    Placeholder,
    /// It is a regex that matches nothing that begins with `/`.
    RegexWithoutSlash,
    /// It has a malformed escape or an overlong UTF-8 sequence.
    Unreadable,
    /// It has too many readings, or a malformed one.
    Readings,
    /// It is a regex that does not compile, or not within [`REGEX_SIZE_LIMIT`](super::regex::REGEX_SIZE_LIMIT).
    Regex {
        /// What is wrong with it, in words that quote nothing of it.
        reason: String,
    },
}

impl PatternError {
    /// The error, or that a placeholder is behind it.
    #[must_use]
    pub(crate) fn explain(self, text: &str) -> Self {
        if has_placeholder(text) { Self::Placeholder } else { self }
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("an empty pattern; write `prefix: /` to cover every path"),
            Self::Query => f.write_str("the query is no part of a path; match what is before the `?`"),
            Self::NoSlash => f.write_str("a path begins with `/`; begin the pattern with it: a host belongs in `hosts`, a `^` in `regex`"),
            Self::Placeholder => f.write_str(UNFILLED),
            Self::RegexWithoutSlash => f.write_str(
                "a regex matches the whole path, which begins with `/`; begin it with `/`, or with `/.*` if anything may come before",
            ),
            Self::Unreadable => {
                f.write_str("an escape that no path can hold; write `%25` for a percent sign, and characters as UTF-8")
            }
            Self::Readings => {
                f.write_str("too many readings, or one that no path can have; write the path as it is served")
            }
            Self::Regex { reason } => write!(f, "not a regex that can be used ({reason}); fix or shorten it"),
        }
    }
}

impl std::error::Error for PatternError {}
