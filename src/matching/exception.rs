//! What a rule does not cover.
//!
//! An exception is compared as it is written, and every [reading](super::readings) of the path has to match it.

use super::fold::fold_case;
use super::path::{Matcher, PatternError};
use super::readings::{self, Readings};
use super::regex::{Dot, PathRegex};

/// What a rule does not cover: one entry of `except`.
#[derive(Debug, Clone)]
pub struct Exception {
    /// The path, as it is written.
    pub(crate) pattern: ExceptionPattern,
    /// The methods, as they are written; `None` is every method.
    pub(crate) methods: Option<Box<[Box<str>]>>,
}

#[derive(Debug, Clone)]
pub(crate) enum ExceptionPattern {
    Prefix(Box<[u8]>),
    Exact(Box<[u8]>),
    Suffix(Box<[u8]>),
    Regex(PathRegex),
}

impl Exception {
    /// Takes an exception from the configuration. Without `methods` it is made for every method.
    ///
    /// # Errors
    /// [`PatternError`]
    pub fn new(matcher: Matcher, text: &str, methods: Option<Vec<Box<str>>>) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        let literal = || {
            if text.contains('?') {
                return Err(PatternError::Query);
            }
            if !text.starts_with('/') && matcher != Matcher::Suffix {
                return Err(PatternError::NoSlash);
            }
            if !readings::is_well_formed(text.as_bytes()) {
                return Err(PatternError::Unreadable);
            }
            Ok(text.as_bytes().into())
        };
        let pattern = match matcher {
            Matcher::Prefix => ExceptionPattern::Prefix(literal()?),
            Matcher::Exact => ExceptionPattern::Exact(literal()?),
            Matcher::Suffix => ExceptionPattern::Suffix(literal()?),
            Matcher::Regex => ExceptionPattern::Regex(PathRegex::new(text, Dot::WithinLine)?),
        };
        Ok(Self { pattern, methods: methods.map(Into::into) })
    }

    /// The same exception, to compare with a path whose letters are folded.
    #[must_use]
    pub(crate) fn folded(&self) -> Self {
        let pattern = match &self.pattern {
            ExceptionPattern::Prefix(text) => ExceptionPattern::Prefix(fold_case(text).into()),
            ExceptionPattern::Exact(text) => ExceptionPattern::Exact(fold_case(text).into()),
            ExceptionPattern::Suffix(text) => ExceptionPattern::Suffix(fold_case(text).into()),
            ExceptionPattern::Regex(regex) => ExceptionPattern::Regex(regex.ignoring_case()),
        };
        Self { pattern, methods: self.methods.clone() }
    }

    /// Whether it compares by a regex.
    #[must_use]
    pub fn is_regex(&self) -> bool {
        matches!(self.pattern, ExceptionPattern::Regex(_))
    }

    /// Whether every path that it matches has a reading which it does not match, so that it never takes a request out.
    #[must_use]
    pub fn never_applies(&self) -> bool {
        // As plain as a path with this text in it can be.
        let path = match &self.pattern {
            ExceptionPattern::Prefix(text) => [text, &b"x"[..]].concat(),
            ExceptionPattern::Exact(text) => text.to_vec(),
            ExceptionPattern::Suffix(text) => [b"/x", &**text].concat(),
            ExceptionPattern::Regex(_) => return false,
        };
        let mut readings = 0_u32;
        let all = Readings::parse(b"GET", Some(&path)).all(|_| {
            readings = readings.saturating_add(1);
            true
        });
        !all || readings > 1
    }
}

#[cfg(test)]
mod tests {
    use super::Exception;
    use crate::matching::path::{Matcher, PathPattern};

    #[test]
    fn regexes_are_told_from_what_costs_less() {
        for (matcher, regexes) in [(Matcher::Prefix, 0), (Matcher::Exact, 0), (Matcher::Suffix, 0), (Matcher::Regex, 1)]
        {
            assert_eq!(PathPattern::new(matcher, "/a/").unwrap().regexes(), regexes, "{matcher:?}");
            assert_eq!(Exception::new(matcher, "/a/", None).unwrap().is_regex(), regexes > 0, "{matcher:?}");
        }
    }

    #[test]
    fn an_exception_that_never_applies_is_known() {
        for (matcher, text, never) in [
            (Matcher::Prefix, "/a/.b/c..d/", false),
            (Matcher::Exact, "/a/", false),
            (Matcher::Suffix, ".css", false),
            (Matcher::Regex, "/a;b", false),
            (Matcher::Prefix, "/caf\u{e9}/", false),
            (Matcher::Prefix, "/a%20b/", true),
            (Matcher::Exact, "/a//b", true),
            (Matcher::Prefix, "/a;", true),
            (Matcher::Prefix, "/a/.", false),
            (Matcher::Exact, "/a/.", true),
            (Matcher::Suffix, "#x", true),
            (Matcher::Exact, "/a/../b", true),
        ] {
            assert_eq!(Exception::new(matcher, text, None).unwrap().never_applies(), never, "{matcher:?} {text}");
        }
    }
}
