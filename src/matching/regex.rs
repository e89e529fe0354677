//! Regexes that match whole paths, and what is known of them without running them.

use std::cmp;

use memchr::memmem;
use regex_lite::{Regex, RegexBuilder};

use super::fold::fold_case;
use super::path::PatternError;

/// The most bytes that a compiled regex may take. Its matching time is the product of its size and the path's length.
pub const REGEX_SIZE_LIMIT: usize = 16 * 1024;

/// The most bytes of a reading that a regex is tried on. What is longer is covered, and taken out by no exception, so that
/// nobody can make a worker try regexes on the longest path that its proxy lets through.
pub const MAX_TRIED: usize = 4096;

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
    /// [`PatternError::Regex`], or [`PatternError::NoSlash`] for one that no path can match.
    pub fn new(pattern: &str, dot: Dot) -> Result<Self, PatternError> {
        let regex = whole_path_regex(pattern, dot)?;
        let beginning = literal_beginning(pattern);
        if !beginning.is_empty() && !beginning.starts_with('/') {
            return Err(PatternError::NoSlash);
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

    /// The same regex, in which the case of ASCII letters does not count.
    pub(crate) fn ignoring_case(&self) -> Self {
        // A letter becomes a class of two, for which [`REGEX_SIZE_LIMIT`] leaves no room; what was within it stays within a
        // few times as much.
        let regex = RegexBuilder::new(self.regex.as_str()).case_insensitive(true).build();
        let regex = regex.unwrap_or_else(|_| self.regex.clone());
        Self { regex, beginning: fold_case(&self.beginning).into(), required: "".into() }
    }

    /// Whether the regex covers a reading, as it does every one that cannot be [tried].
    #[must_use]
    pub fn covers(&self, reading: &[u8]) -> bool {
        tried(reading).is_none_or(|path| self.is_match(path))
    }

    /// Whether the regex matches a reading, as it does none that cannot be [tried].
    #[must_use]
    pub(crate) fn matches(&self, reading: &[u8]) -> bool {
        tried(reading).is_some_and(|path| self.is_match(path))
    }

    /// Whether the whole of a text matches.
    fn is_match(&self, path: &str) -> bool {
        memmem::find(path.as_bytes(), self.required.as_bytes()).is_some() && self.regex.is_match(path)
    }
}

/// The reading as a text that a regex can be tried on: what is not UTF-8, or longer than [`MAX_TRIED`], can not.
pub(crate) fn tried(reading: &[u8]) -> Option<&str> {
    if reading.len() > MAX_TRIED { None } else { str::from_utf8(reading).ok() }
}

/// A regex that matches whole paths only.
fn whole_path_regex(pattern: &str, dot: Dot) -> Result<Regex, PatternError> {
    let dot_matches_new_line = dot == Dot::EveryCharacter;
    let compile = |pattern: &str| {
        RegexBuilder::new(pattern).size_limit(REGEX_SIZE_LIMIT).dot_matches_new_line(dot_matches_new_line).build()
    };
    let problem = |error: regex_lite::Error| PatternError::Regex { reason: error.to_string() };
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
    use super::{Dot, MAX_TRIED, PathRegex, literal_beginning, required_literal};

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
    fn what_a_regex_cannot_be_tried_on_is_covered_and_not_excepted() {
        let regex = PathRegex::new("/a+", Dot::WithinLine).unwrap();
        let long = |length: usize, last: u8| [b"/", vec![b'a'; length - 2].as_slice(), &[last]].concat();
        for (reading, covers, excepts) in [
            (long(MAX_TRIED, b'a'), true, true),
            (long(MAX_TRIED, b'b'), false, false),
            (long(MAX_TRIED + 1, b'a'), true, false),
            (long(MAX_TRIED + 1, b'b'), true, false),
            (long(10, 0xff), true, false),
        ] {
            assert_eq!((regex.covers(&reading), regex.matches(&reading)), (covers, excepts), "{}", reading.len());
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
