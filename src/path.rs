//! The path patterns of a rule, and the exceptions that it makes.
//!
//! A pattern covers a request if one of its own [readings] matches one of the path's, ASCII letters
//! compared without case: `/a%20b`, `/a b` and `/a//b` all protect what they name. An exception is compared as it is
//! written, and every reading of the path has to match it.

use std::cmp;

use memchr::memmem;
use regex_lite::{Regex, RegexBuilder};

use crate::error::Problem;
use crate::readings::{self, Readings};

/// The most bytes that a compiled regex may take. Its matching time is the product of its size and the path's length.
pub const REGEX_SIZE_LIMIT: usize = 16 * 1024;

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
    pub fn of(field: &str) -> Self {
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
    forms: Box<[PathForm]>,
}

/// One reading of a pattern, in lower case.
#[derive(Debug, Clone)]
pub enum PathForm {
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
    /// The [`Problem`] of the pattern.
    pub fn new(matcher: Matcher, text: &str) -> Result<Self, Problem> {
        if text.is_empty() {
            return Err(Problem::EmptyPattern);
        }
        let read = |forms: fn(&[u8]) -> Option<Vec<Vec<u8>>>, form: fn(Box<[u8]>) -> PathForm| {
            let path = readings::without_query(text.as_bytes());
            if path.is_empty() {
                return Err(Problem::PatternIsQuery);
            }
            if path.first() != Some(&b'/') && matcher != Matcher::Suffix {
                return Err(Problem::PatternNoSlash);
            }
            let forms = forms(path).ok_or_else(|| {
                if readings::is_well_formed(path) { Problem::PatternReadings } else { Problem::PatternUnreadable }
            })?;
            Ok(forms.iter().map(|text| form(text.to_ascii_lowercase().into())).collect())
        };
        let forms = match matcher {
            Matcher::Prefix => read(readings::forms_of_prefix, PathForm::Prefix)?,
            Matcher::Exact => read(readings::forms_of_path, PathForm::Exact)?,
            Matcher::Suffix => read(readings::forms_of_suffix, PathForm::Suffix)?,
            Matcher::Regex => Box::from([PathForm::Regex(PathRegex::new(text, Dot::EveryCharacter)?.into())]),
        };
        Ok(Self { forms })
    }

    /// The readings of the pattern.
    #[must_use]
    pub fn forms(&self) -> &[PathForm] {
        &self.forms
    }

    /// How many bytes they have, of a regex those that it begins with.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let bytes = |form: &PathForm| match form {
            PathForm::Prefix(text) | PathForm::Exact(text) | PathForm::Suffix(text) => text.len(),
            PathForm::Regex(regex) => regex.beginning.len(),
        };
        self.forms.iter().map(bytes).fold(0, usize::saturating_add)
    }

    /// How many of them are regexes.
    #[must_use]
    pub fn regexes(&self) -> usize {
        self.forms.iter().filter(|form| matches!(form, PathForm::Regex(_))).count()
    }

    /// The readings of the pattern.
    #[must_use]
    pub fn into_forms(self) -> Box<[PathForm]> {
        self.forms
    }
}

impl PathForm {
    /// The regex, if it is one.
    #[must_use]
    pub fn into_regex(self) -> Option<Box<PathRegex>> {
        match self {
            Self::Regex(regex) => Some(regex),
            _ => None,
        }
    }
}

/// What a dot in a regex stands for, if its flags do not say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dot {
    /// Every character: a rule has to hold behind a decoded line feed as well.
    EveryCharacter,
    /// Every character but the line feed, as it is usual.
    WithinLine,
}

/// A regex that matches whole paths.
#[derive(Debug, Clone)]
pub struct PathRegex {
    regex: Regex,
    /// How every path that matches begins, in lower case.
    beginning: Box<[u8]>,
    /// A text that is in every match. Looking for it is a hundred times as quick as the regex.
    required: Box<str>,
}

impl PathRegex {
    /// Compiles a regex from the configuration.
    ///
    /// # Errors
    /// [`Problem::Regex`], or [`Problem::PatternNoSlash`] for one that no path can match.
    pub fn new(pattern: &str, dot: Dot) -> Result<Self, Problem> {
        let regex = whole_path_regex(pattern, dot)?;
        let beginning = literal_beginning(pattern);
        if !beginning.is_empty() && !beginning.starts_with('/') {
            return Err(Problem::PatternNoSlash);
        }
        Ok(Self {
            regex,
            beginning: beginning.to_ascii_lowercase().into_bytes().into(),
            required: required_literal(pattern).into(),
        })
    }

    /// How every path that matches begins, in lower case.
    #[must_use]
    pub fn beginning(&self) -> &[u8] {
        &self.beginning
    }

    /// Whether the regex covers a reading. What is no text cannot be known not to match.
    #[must_use]
    pub fn covers(&self, reading: &[u8]) -> bool {
        str::from_utf8(reading).map_or(true, |path| self.is_match(path))
    }

    /// Whether the whole of a text matches.
    pub(crate) fn is_match(&self, path: &str) -> bool {
        memmem::find(path.as_bytes(), self.required.as_bytes()).is_some() && self.regex.is_match(path)
    }
}

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
    /// The [`Problem`] of the pattern.
    pub fn new(matcher: Matcher, text: &str, methods: Option<Vec<Box<str>>>) -> Result<Self, Problem> {
        if text.is_empty() {
            return Err(Problem::EmptyPattern);
        }
        let literal = || {
            if text.contains('?') {
                return Err(Problem::PatternIsQuery);
            }
            if !text.starts_with('/') && matcher != Matcher::Suffix {
                return Err(Problem::PatternNoSlash);
            }
            if !readings::is_well_formed(text.as_bytes()) {
                return Err(Problem::PatternUnreadable);
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
        let all = Readings::of(b"GET", Some(&path)).all(|_| {
            readings = readings.saturating_add(1);
            true
        });
        !all || readings > 1
    }
}

/// A regex that matches whole paths only.
fn whole_path_regex(pattern: &str, dot: Dot) -> Result<Regex, Problem> {
    let dot_matches_new_line = dot == Dot::EveryCharacter;
    let compile = |pattern: &str| {
        RegexBuilder::new(pattern).size_limit(REGEX_SIZE_LIMIT).dot_matches_new_line(dot_matches_new_line).build()
    };
    let problem = |error: regex_lite::Error| Problem::Regex { reason: error.to_string() };
    // Alone first: `a)|(b` must not find its missing halves in what is put around it.
    compile(pattern).map_err(problem)?;
    // In a pattern that ends in a comment, `(?x)a # b`, the line end keeps what follows out of it.
    let whole = compile(&format!(r"\A(?:{pattern})\z")).or_else(|_| compile(&format!("\\A(?:{pattern}\n)\\z")));
    whole.map_err(problem)
}

/// What is no literal character in a regex.
const METACHARACTERS: &str = r"\.+*?()|[]{}^$";

/// The text with which every match of a regex begins; it may be shorter than it could be.
fn literal_beginning(pattern: &str) -> &str {
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    if has_outer_alternative(pattern) {
        return "";
    }
    let end = pattern.find(|character| METACHARACTERS.contains(character)).unwrap_or(pattern.len());
    let (literal, rest) = pattern.split_at_checked(end).unwrap_or_default();
    // What may be there no time at all is no part of the beginning. After a `+` it may, too: `a+*`.
    if !rest.starts_with(['*', '?', '{', '+']) {
        return literal;
    }
    without_last(literal)
}

/// The text without its last character.
fn without_last(text: &str) -> &str {
    text.char_indices().next_back().and_then(|(last, _)| text.get(..last)).unwrap_or_default()
}

/// The longest text outside of groups and classes that is in every match of a regex; empty if none is plain to see.
fn required_literal(pattern: &str) -> &str {
    // Flags could change what a letter stands for.
    if pattern.contains("(?") || has_outer_alternative(pattern) {
        return "";
    }
    let longer = |one, other| cmp::max_by_key(one, other, |text: &&str| text.len());
    let mut longest = "";
    let mut depth = 0_usize;
    let mut rest = pattern;
    while let Some(end) = rest.find(|character| METACHARACTERS.contains(character)) {
        let (literal, here) = rest.split_at_checked(end).unwrap_or_default();
        // What may be there no time at all is not required, as in `literal_beginning`.
        let kept = if here.starts_with(['*', '?', '{', '+']) { without_last(literal) } else { literal };
        if depth == 0 {
            longest = longer(longest, kept);
        }
        let mut characters = here.chars();
        match characters.next() {
            Some('(') => depth = depth.saturating_add(1),
            Some(')') => depth = depth.saturating_sub(1),
            // Classes, escapes and counts have a grammar of their own, in which this is the safe place to stop.
            Some('[' | '\\' | '{') => return longest,
            _ => {}
        }
        rest = characters.as_str();
    }
    if depth == 0 { longer(longest, rest) } else { longest }
}

/// Whether a regex may have an alternative outside of all groups. Where that takes more than counting parentheses, in
/// character classes and comments, the answer is that it may.
fn has_outer_alternative(pattern: &str) -> bool {
    let mut depth = 0_usize;
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => return true,
            '[' | '#' if pattern.contains('|') => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{Dot, Exception, Matcher, PathPattern, PathRegex, literal_beginning, required_literal};

    #[test]
    fn regexes_are_told_from_what_costs_less() {
        for (matcher, regexes) in [(Matcher::Prefix, 0), (Matcher::Exact, 0), (Matcher::Suffix, 0), (Matcher::Regex, 1)]
        {
            assert_eq!(PathPattern::new(matcher, "/a/").unwrap().regexes(), regexes, "{matcher:?}");
            assert_eq!(Exception::new(matcher, "/a/", None).unwrap().is_regex(), regexes > 0, "{matcher:?}");
        }
    }

    #[test]
    fn a_regex_may_be_as_large_as_people_write_them_and_no_larger() {
        for (pattern, fits) in [
            ("/api/v[0-9]+/(users|orders|items)/[a-z0-9-]{1,36}(/.*)?", true),
            ("/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", true),
            ("/(a{100}){100}", false),
            ("/[a-z]{1,1000}", false),
        ] {
            assert_eq!(PathRegex::new(pattern, Dot::WithinLine).is_ok(), fits, "{pattern}");
        }
    }

    #[test]
    fn a_dot_in_a_rule_is_a_line_feed_as_well() {
        for (pattern, of_a_rule, of_an_exception) in
            [("/a/.*", true, false), ("(?s)/a/.*", true, true), ("(?-s)/a/.*", false, false), ("/a/[^/]*", true, true)]
        {
            let is_match = |dot| PathRegex::new(pattern, dot).unwrap().is_match("/a/x\ny");
            assert_eq!(
                (is_match(Dot::EveryCharacter), is_match(Dot::WithinLine)),
                (of_a_rule, of_an_exception),
                "{pattern}"
            );
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

    #[test]
    fn a_regex_begins_with_what_every_match_begins_with() {
        for (pattern, beginning) in [
            ("/api/v[0-9]+", "/api/v"),
            ("^/api/.*", "/api/"),
            ("/api/(users|orders)", "/api/"),
            ("/api/(users|orders)?", "/api/"),
            ("/apis?", "/api"),
            ("/apis*", "/api"),
            ("/apis{0,2}", "/api"),
            ("/apis+", "/api"),
            ("/apis+*", "/api"),
            ("/caf\u{e9}?", "/caf"),
            ("/a|/b", ""),
            ("/a(b)|/c", ""),
            (r"/a\|b", "/a"),
            ("/a[(]|/b", ""),
            ("/a[|]b", ""),
            ("/a(?x:# ( \n b)|/c", ""),
            ("(?i)/api", ""),
            ("(?x) /t # c", ""),
            (r"/a\.json", "/a"),
            (".*", ""),
            ("/plain", "/plain"),
        ] {
            assert_eq!(literal_beginning(pattern), beginning, "{pattern}");
        }
    }

    #[test]
    fn a_regex_requires_what_every_match_has() {
        for (pattern, required) in [
            ("/.*x0001.*[0-9]+", "x0001"),
            ("/plain", "/plain"),
            ("^/a$", "/a"),
            ("/(users|orders)/export", "/export"),
            ("/apis?/v", "/api"),
            ("/ab*c", "/a"),
            ("/ab+c", "/a"),
            ("/ab+*c", "/a"),
            ("/a{0}bc", "/"),
            ("/.*/caf\u{e9}s?", "/caf\u{e9}"),
            ("/(a(b)c)?/de", "/de"),
            ("(abc)?", ""),
            ("/[abc]def", "/"),
            (r"/a\(bcd", "/a"),
            ("/a|/bcd", ""),
            ("(?i)/abc", ""),
            ("/a(?i)bcd", ""),
            ("", ""),
        ] {
            assert_eq!(required_literal(pattern), required, "{pattern}");
        }
    }
}
