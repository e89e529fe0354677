//! Regexes that match whole paths, and what is known of them without running them.
//!
//! A regex takes linear time, which is the product of its own size and the length of the path: the largest one on the
//! longest path would hold a worker for a tenth of a second, and there may be thousands of them. So what all regexes of a
//! configuration may do with one request is bounded by a [`MatchBudget`], which has a step for each byte of the regex and each
//! byte of the path. What is not tried counts as ambiguity does: a
//! rule covers the path, and no exception takes it out.

use std::cmp;
use std::iter::successors;

use memchr::memmem;
use regex_lite::{Regex, RegexBuilder};

use super::budget::MatchBudget;
use super::fold::{fold_beyond_ascii, fold_case};
use super::path::PatternError;

/// The most bytes that a compiled regex may take.
pub const REGEX_SIZE_LIMIT: usize = 16 * 1024;

/// The bytes of the smallest compiled regex that is told from smaller ones.
const MIN_SIZE: usize = 256;

/// The most bytes of a reading that a regex is tried on.
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
    regex: SizedRegex,
    /// How every path that matches begins, in lower case.
    beginning: Box<[u8]>,
    /// A text that is in every match. Looking for it is a hundred times as quick as the regex.
    required: Box<str>,
    /// Where flags may ask for it (`(?i)`): the regex for a path whose letters beyond ASCII are folded, for to the regex
    /// itself they all differ.
    folded: Option<Box<SizedRegex>>,
}

/// A regex and the bytes that it takes, rounded up to a power of two.
#[derive(Debug, Clone)]
struct SizedRegex {
    regex: Regex,
    size: usize,
}

impl SizedRegex {
    /// Compiles a regex by the smallest limit of its size that it keeps; `None` beyond `max`.
    fn new(builder: &mut RegexBuilder, max: usize) -> Option<Self> {
        let mut sizes = successors(Some(MIN_SIZE), |size| (*size < max).then(|| size.saturating_mul(2)));
        sizes.find_map(|size| builder.size_limit(size).build().ok().map(|regex| Self { regex, size }))
    }

    /// Whether a text matches; `None` if that would take more than is left.
    fn is_match(&self, path: &str, budget: &MatchBudget) -> Option<bool> {
        budget.spend(self.size.saturating_mul(path.len()))?;
        Some(self.regex.is_match(path))
    }
}

impl PathRegex {
    /// Compiles a regex from the configuration.
    ///
    /// # Errors
    /// [`PatternError::Regex`], or [`PatternError::RegexWithoutSlash`] for one that no path can match.
    pub fn new(pattern: &str, dot: Dot) -> Result<Self, PatternError> {
        let regex = whole_path_regex(pattern, dot)?;
        if begins_without_slash(pattern) {
            return Err(PatternError::RegexWithoutSlash);
        }
        let beginning = literal_beginning(pattern);
        Ok(Self {
            regex,
            beginning: beginning.to_ascii_lowercase().into_bytes().into(),
            required: shortened(required_literal(pattern)).into(),
            folded: folded_regex(pattern, dot),
        })
    }

    /// How every path that matches begins, in lower case.
    #[must_use]
    pub fn beginning(&self) -> &[u8] {
        &self.beginning
    }

    /// The same regex, to compare with a path whose letters are [folded](fold_case).
    pub(crate) fn ignoring_case(&self) -> Self {
        let pattern = fold_beyond_ascii(&unescape_beyond_ascii(self.regex.regex.as_str()));
        let mut builder = RegexBuilder::new(&pattern);
        // A letter becomes a class of two, for which [`REGEX_SIZE_LIMIT`] may leave no room.
        let regex = SizedRegex::new(builder.case_insensitive(true), REGEX_SIZE_LIMIT.saturating_mul(8));
        let regex = regex.unwrap_or_else(|| self.regex.clone());
        Self { regex, beginning: fold_case(&self.beginning).into(), required: "".into(), folded: None }
    }

    /// Whether the regex covers a reading, as it does every one that cannot be [tried], or not within the budget.
    #[must_use]
    pub(crate) fn covers(&self, reading: &[u8], budget: &MatchBudget) -> bool {
        if budget.is_spent() {
            return true;
        }
        let Some(path) = tried(reading) else { return true };
        let is_match = self.is_match(path, budget).unwrap_or(true);
        is_match
            || self
                .folded
                .as_ref()
                .is_some_and(|regex| regex.is_match(&fold_beyond_ascii(path), budget).unwrap_or(true))
    }

    /// Whether the regex matches a reading, as it does none that cannot be [tried], or not within the budget.
    #[must_use]
    pub(crate) fn matches(&self, reading: &[u8], budget: &MatchBudget) -> bool {
        !budget.is_spent() && tried(reading).is_some_and(|path| self.is_match(path, budget).unwrap_or(false))
    }

    /// Whether the whole of a text matches; `None` if it cannot be known within the budget.
    fn is_match(&self, path: &str, budget: &MatchBudget) -> Option<bool> {
        if !self.required.is_empty() {
            // To set the search up and to go through the path takes a little, too, and more beyond ASCII.
            budget.spend(path.len().saturating_mul(3).saturating_add(150))?;
            if memmem::find(path.as_bytes(), self.required.as_bytes()).is_none() {
                return Some(false);
            }
        }
        self.regex.is_match(path, budget)
    }
}

/// The reading as a text that a regex can be tried on: what is not UTF-8, or longer than [`MAX_TRIED`], can not.
pub(crate) fn tried(reading: &[u8]) -> Option<&str> {
    if reading.len() > MAX_TRIED { None } else { str::from_utf8(reading).ok() }
}

/// A regex that matches whole paths only.
fn whole_path_regex(pattern: &str, dot: Dot) -> Result<SizedRegex, PatternError> {
    let builder = |pattern: &str| {
        let mut builder = RegexBuilder::new(pattern);
        builder.dot_matches_new_line(dot == Dot::EveryCharacter).size_limit(REGEX_SIZE_LIMIT);
        builder
    };
    let problem = |error: regex_lite::Error| PatternError::Regex { reason: error.to_string() };
    // Alone first: `a)|(b` must not find its missing halves in what is put around it.
    builder(pattern).build().map_err(problem)?;
    // In a pattern that ends in a comment, `(?x)a # b`, the line end keeps what follows out of it.
    let [whole, ended] = [format!(r"\A(?:{pattern})\z"), format!("\\A(?:{pattern}\n)\\z")];
    let compile = |pattern: &str| SizedRegex::new(&mut builder(pattern), REGEX_SIZE_LIMIT);
    let regex = compile(&whole).or_else(|| compile(&ended));
    // A boundary of words looks around at each byte.
    let dearer = if pattern.contains(r"\b") || pattern.contains(r"\B") { 3 } else { 1 };
    let regex = regex.map(|regex| SizedRegex { size: regex.size.saturating_mul(dearer), ..regex });
    // It can only be too large, and the error says so.
    regex
        .map_or_else(|| builder(&whole).build().map(|regex| SizedRegex { regex, size: REGEX_SIZE_LIMIT }), Ok)
        .map_err(problem)
}

/// The beginning of a text, as long as it is quickly looked for.
fn shortened(text: &str) -> &str {
    const MAX_BYTES: usize = 24;
    let end = text.char_indices().map(|(start, letter)| start.saturating_add(letter.len_utf8()));
    end.take_while(|end| *end <= MAX_BYTES).last().and_then(|end| text.get(..end)).unwrap_or_default()
}

/// The regex for a path whose letters beyond ASCII are folded, if the flags may ask for it and there are such letters.
fn folded_regex(pattern: &str, dot: Dot) -> Option<Box<SizedRegex>> {
    if !has_case_flag(pattern) {
        return None;
    }
    let unescaped = unescape_beyond_ascii(pattern);
    if unescaped.is_ascii() {
        return None;
    }
    // A range may end before it begins, once it is folded. As it is written it still covers small letters.
    whole_path_regex(&fold_beyond_ascii(&unescaped), dot).or_else(|_| whole_path_regex(pattern, dot)).ok().map(Box::new)
}

/// The regex with the characters beyond ASCII that it has as hexadecimal escapes written as they are. Those of ASCII stay
/// escapes, for there they could be metacharacters, and so does white space, which the flag `x` passes over.
fn unescape_beyond_ascii(pattern: &str) -> String {
    let mut unescaped = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once('\\') {
        unescaped.push_str(before);
        if let Some((character, after)) = beyond_ascii(behind) {
            unescaped.push(character);
            rest = after;
        } else {
            // The escaped character is no beginning of another escape.
            let end = behind.chars().next().map_or(0, char::len_utf8);
            let (escaped, after) = behind.split_at_checked(end).unwrap_or((behind, ""));
            unescaped.push('\\');
            unescaped.push_str(escaped);
            rest = after;
        }
    }
    unescaped.push_str(rest);
    unescaped
}

/// The character beyond ASCII that a hexadecimal escape stands for, behind its `\`, and what follows it.
fn beyond_ascii(escape: &str) -> Option<(char, &str)> {
    let (kind, rest) = escape.split_at_checked(1)?;
    let length = match kind {
        "x" => 2,
        "u" => 4,
        "U" => 8,
        _ => return None,
    };
    let (digits, after) = match rest.strip_prefix('{') {
        Some(rest) => rest.split_once('}')?,
        None => rest.split_at_checked(length)?,
    };
    // With the flag `x` there may be blanks between them.
    let digits: String = digits.split_whitespace().collect();
    let character = char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?;
    (!character.is_ascii() && !character.is_whitespace()).then_some((character, after))
}

/// Whether some flags of a regex may say that case does not count.
fn has_case_flag(pattern: &str) -> bool {
    let flags = |rest: &str| rest.bytes().take_while(u8::is_ascii_alphabetic).any(|flag| flag == b'i');
    pattern.split("(?").skip(1).any(flags)
}

/// What is no literal character in a regex.
pub(crate) const METACHARACTERS: &str = r"\.+*?()|[]{}^$";

/// The text with which every match of a regex begins; it may be shorter than it could be.
fn literal_beginning(pattern: &str) -> &str {
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    if has_outer_alternative(pattern) {
        return "";
    }
    let end = pattern.find(|character| METACHARACTERS.contains(character)).unwrap_or(pattern.len());
    let (literal, rest) = pattern.split_at_checked(end).unwrap_or_default();
    // What may be there no time at all is no part of the beginning. After a `+` it may, too: `a+*`. Flags are nothing that
    // could be repeated, and so what follows them repeats the character before: `a(?i)?`.
    if may_repeat(rest) { without_last(literal) } else { literal }
}

/// Whether a regex begins with what may repeat the character before it, perhaps no time at all.
fn may_repeat(rest: &str) -> bool {
    rest.starts_with(['*', '?', '{', '+']) || rest.starts_with("(?")
}

/// Whether it is certain that nothing that begins with `/` matches; nor does the `*` of `OPTIONS`.
fn begins_without_slash(pattern: &str) -> bool {
    let Some(start) = behind_anchors(pattern).filter(|start| !has_outer_alternative(start)) else { return false };
    if matches!(start, "" | "$" | r"\z") {
        return true;
    }
    let escaped = start.strip_prefix('\\').and_then(|escape| escape.split_at_checked(1));
    if let Some((character, rest)) = escaped {
        let is_other = |byte: u8| byte.is_ascii_punctuation() && !matches!(byte, b'/' | b'*');
        return character.bytes().all(is_other) && !may_repeat(rest);
    }
    let literal = literal_beginning(start);
    !literal.is_empty() && !literal.starts_with('/')
}

/// What follows the anchors and flags with which a regex begins; `None` where blanks and comments may follow, for one of
/// the flags is `x`.
pub(crate) fn behind_anchors(pattern: &str) -> Option<&str> {
    let mut rest = pattern;
    loop {
        let flags = rest.strip_prefix("(?").and_then(|rest| rest.split_once(')'));
        let flags = flags.filter(|(flags, _)| flags.bytes().all(|flag| flag.is_ascii_alphabetic() || flag == b'-'));
        rest = match (flags, rest.strip_prefix('^').or_else(|| rest.strip_prefix(r"\A"))) {
            (Some((flags, _)), _) if flags.contains('x') => return None,
            (Some((_, behind)), _) | (_, Some(behind)) => behind,
            (None, None) => return Some(rest),
        };
    }
}

/// The text without its last character.
fn without_last(text: &str) -> &str {
    text.char_indices().next_back().and_then(|(last, _)| text.get(..last)).unwrap_or_default()
}

/// The longest text outside of groups and classes that is in every match of a regex, its beginning aside, which the index
/// knows; empty if none is plain to see.
fn required_literal(pattern: &str) -> &str {
    // Flags could change what a letter stands for.
    if pattern.contains("(?") || has_outer_alternative(pattern) {
        return "";
    }
    let mut longest = "";
    let mut depth = 0_usize;
    let beginning = literal_beginning(pattern).len();
    let mut rest = pattern.strip_prefix('^').unwrap_or(pattern).get(beginning..).unwrap_or_default();
    loop {
        let end = rest.find(|character| METACHARACTERS.contains(character)).unwrap_or(rest.len());
        let (literal, here) = rest.split_at_checked(end).unwrap_or_default();
        // What may be there no time at all is not required, as in `literal_beginning`.
        let kept = if here.starts_with(['*', '?', '{', '+']) { without_last(literal) } else { literal };
        if depth == 0 {
            longest = cmp::max_by_key(longest, kept, |text| text.len());
        }
        let mut characters = here.chars();
        let Some(metacharacter) = characters.next() else { return longest };
        rest = characters.as_str();
        let behind = match metacharacter {
            '[' => behind_class(rest),
            '\\' => behind_escape(rest),
            '{' => rest.split_once('}').map(|(_, behind)| behind),
            _ => Some(rest),
        };
        match metacharacter {
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let Some(behind) = behind else { return longest };
        rest = behind;
    }
}

/// What follows a class of characters; `None` if it is none of the plain ones.
fn behind_class(rest: &str) -> Option<&str> {
    let (class, behind) = rest.split_once(']')?;
    // A `]` that comes first is one of the characters.
    let is_plain = !matches!(class, "" | "^") && !class.contains(['[', '\\']);
    is_plain.then_some(behind)
}

/// What follows an escape; `None` if it is more than one character long, or might be.
fn behind_escape(rest: &str) -> Option<&str> {
    let mut characters = rest.chars();
    let escaped = characters.next()?;
    (escaped.is_ascii_punctuation() || "dDsSwW".contains(escaped)).then_some(characters.as_str())
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
    use super::{Dot, MAX_TRIED, MatchBudget, PathRegex, PatternError, literal_beginning, required_literal};

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
            let found = (regex.covers(&reading, &MatchBudget::new()), regex.matches(&reading, &MatchBudget::new()));
            assert_eq!(found, (covers, excepts), "{}", reading.len());
        }
    }

    #[test]
    fn a_dot_in_a_rule_is_a_line_feed_as_well() {
        for (pattern, of_a_rule, of_an_exception) in
            [("/a/.*", true, false), ("(?s)/a/.*", true, true), ("(?-s)/a/.*", false, false), ("/a/[^/]*", true, true)]
        {
            let is_match = |dot| PathRegex::new(pattern, dot).unwrap().matches(b"/a/x\ny", &MatchBudget::new());
            assert_eq!(
                (is_match(Dot::EveryCharacter), is_match(Dot::WithinLine)),
                (of_a_rule, of_an_exception),
                "{pattern}"
            );
        }
    }

    #[test]
    fn where_case_does_not_count_it_does_not_beyond_ascii_either() {
        for (pattern, path, matches) in [
            ("(?i)/b\u{fc}ro/.*", "/B\u{dc}RO/X", true),
            ("(?i)/b\u{fc}ro/.*", "/b\u{dc}ro/x", true),
            ("(?i)/B\u{dc}RO/\\S*", "/b\u{fc}ro/x", true),
            ("(?si)/b\u{fc}ro", "/B\u{dc}RO", true),
            ("/b(?i:\u{fc})ro", "/b\u{dc}ro", true),
            ("/b(?i:\u{fc})ro", "/B\u{fc}ro", false),
            ("(?i)/[\u{c0}-\u{d6}]", "/\u{e4}", true),
            ("(?i)/[\u{10a0}-\u{10ff}]", "/\u{10a1}", true),
            ("(?i)/b\u{fc}ro", "/b\u{f6}ro", false),
            ("(?s)/b\u{fc}ro", "/b\u{dc}ro", false),
            ("(?s-i)/b\u{fc}ro", "/b\u{dc}ro", false),
            ("/b\u{fc}ro", "/b\u{dc}ro", false),
            (r"(?i)/b\x{FC}ro", "/B\u{dc}RO", true),
            (r"(?i)/b\x{00dc}ro", "/b\u{fc}ro", true),
            (r"(?i)/b\xFCro", "/B\u{dc}RO", true),
            (r"(?i)/b\u{fc}ro", "/B\u{dc}RO", true),
            (r"(?i)/b\u00DCro", "/b\u{fc}ro", true),
            (r"(?i)/b\U000000FCro", "/B\u{dc}RO", true),
            (r"(?i)/b\U{FC}ro", "/B\u{dc}RO", true),
            (r"(?ix)/b\x{ F C }ro", "/B\u{dc}RO", true),
            (r"(?i)/[\xC0-\xD6]", "/\u{e4}", true),
            (r"(?i)/b\x2b\xFC", "/b+\u{dc}", true),
            (r"(?i)/b\x2b\xFC", "/bb\u{dc}", false),
            (r"(?i)/\\xFC", r"/\XFC", true),
            (r"(?i)/\\xFC", "/\\\u{dc}", false),
            (r"/b\xFCro", "/b\u{dc}ro", false),
        ] {
            let regex = PathRegex::new(pattern, Dot::EveryCharacter).unwrap();
            assert_eq!(regex.covers(path.as_bytes(), &MatchBudget::new()), matches, "{pattern} {path}");
        }
    }

    #[test]
    fn an_exception_stays_with_what_is_written() {
        let regex = PathRegex::new("(?i)/b\u{fc}ro", Dot::WithinLine).unwrap();
        let matches = |path: &str| regex.matches(path.as_bytes(), &MatchBudget::new());
        assert!(matches("/B\u{fc}RO") && !matches("/b\u{dc}ro"));
    }

    #[test]
    fn what_the_budget_does_not_reach_is_covered_and_not_excepted() {
        let regex = |pattern| PathRegex::new(pattern, Dot::EveryCharacter).unwrap();
        let path = [b"/", vec![b'a'; 4_000].as_slice()].concat();
        // The largest takes more than all there is, and so it is not begun.
        let (large, small) = (regex("/(.*a){50}[yz]"), regex("/a*"));
        let budget = MatchBudget::new();
        assert!(!large.covers(b"/a", &budget));
        assert!(large.covers(&path, &budget) && !large.matches(&path, &budget));
        assert!(regex("/b").covers(b"/a", &budget) && !small.matches(b"/a", &budget), "nothing is left");
        // Small ones are tried many times, each of which takes something.
        let path = &path[..400];
        let budget = MatchBudget::new();
        let tries = (0..100_000).take_while(|_| small.matches(path, &budget)).count();
        assert!((10..100).contains(&tries), "{tries}");
        // So does the search for a text.
        let budget = MatchBudget::new();
        let other = regex("/.*other.*");
        let tries = (0..100_000).take_while(|_| !other.covers(path, &budget)).count();
        assert!((2_000..3_000).contains(&tries), "{tries}");
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
            ("/api(?i)", "/ap"),
            ("/api(?i)?", "/ap"),
            ("/api(?i)(?s){0}/y", "/ap"),
            ("/api(?:v)", "/ap"),
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
            ("/plain", ""),
            ("^/a$", ""),
            ("/(users|orders)/export", "/export"),
            ("/apis?/v", "/v"),
            ("/ab*cd", "cd"),
            ("/ab+cd", "cd"),
            ("/ab+*cd", "cd"),
            ("/.*/caf\u{e9}s?", "/caf\u{e9}"),
            ("/(a(b)c)?/de", "/de"),
            ("(abc)?", ""),
            ("/[abc]def", "def"),
            ("/v[0-9]+/users/[^/]+/x", "/users/"),
            ("/[^]]x]yz", ""),
            ("/[]x]yz", ""),
            ("/[[:alpha:]]yz", ""),
            (r"/[\]x]yz", ""),
            ("/[abc", ""),
            (r"/a\(bcd", "bcd"),
            (r"/\d+/bcd", "/bcd"),
            (r"/\.*bcd", "bcd"),
            (r"/a\x62cd", ""),
            (r"/a\b{start}cd", ""),
            ("/a{0}bc", "bc"),
            ("/.*ab{0,2}", "a"),
            ("/.{2}abc(d{3}e){2}", "abc"),
            ("/a|/bcd", ""),
            ("(?i)/abc", ""),
            ("/a(?i)bcd", ""),
            ("", ""),
        ] {
            assert_eq!(required_literal(pattern), required, "{pattern}");
        }
    }

    #[test]
    fn a_regex_that_no_path_can_match_is_refused() {
        for (pattern, is_refused) in [
            ("admin/.*", true),
            (r"\.php$", true),
            ("(?i)admin", true),
            (r"\Aadmin", true),
            ("^(?i)^(?s-i)admin", true),
            ("^", true),
            ("^$", true),
            (r"\A\z", true),
            ("/admin", false),
            (".*admin", false),
            ("a?/b", false),
            ("a(?i)?/b", false),
            ("a{0}/b", false),
            ("^?/b", false),
            ("$?/b", false),
            (r"\.?/b", false),
            (r"\.(?i)?/b", false),
            (r"\./b|/c", false),
            ("admin|/b", false),
            ("(?i)admin|/b", false),
            ("(?i)/admin", false),
            ("(?x) /b", false),
            ("(?x)#\n/b", false),
            ("(?:a)?/b", false),
            (r"\/b", false),
            (r"\x2fb", false),
            (r"\W.*", false),
            // The path of `OPTIONS *`.
            (r"\*", false),
        ] {
            let refused = PathRegex::new(pattern, Dot::WithinLine).err();
            assert_eq!(refused, is_refused.then_some(PatternError::RegexWithoutSlash), "{pattern}");
            // What is refused matches neither any path nor what `OPTIONS` has in place of one.
            let regex = regex_lite::Regex::new(&format!("^(?:{pattern}\n?)$")).unwrap();
            let matches = ["/", "/b", "/c", "/admin", "/admin/x", "/.php", "*"].iter().any(|path| regex.is_match(path));
            assert_eq!(matches, !is_refused, "{pattern}");
        }
    }

    #[test]
    fn what_is_known_beforehand_changes_nothing() {
        const PIECES: [&str; 15] = [
            "a", "bc", "b+", "[ab]", "[^]a]", "(bc)?", r"\.", r"\d", "{0,2}", ".*", "?", "(b|c)", "(?s)", "(?:)", "()",
        ];
        const TEXTS: [&str; 10] = ["", "a", "abc", "bcbc", "a.1", "bca1", "b.c", "ab1bc", "bbcc", "cab]c"];
        let mut matched = 0;
        for number in 0..PIECES.len().pow(3) {
            let piece = |digit: u32| PIECES[number / PIECES.len().pow(digit) % PIECES.len()];
            let pattern = format!("/{}{}{}", piece(0), piece(1), piece(2));
            let Ok(regex) = PathRegex::new(&pattern, Dot::WithinLine) else { continue };
            for text in TEXTS {
                let path = format!("/{text}");
                let expected = regex.regex.regex.is_match(&path);
                assert_eq!(regex.matches(path.as_bytes(), &MatchBudget::new()), expected, "{pattern} {path}");
                assert!(!expected || path.as_bytes().starts_with(regex.beginning()), "{pattern} {path}");
                matched += usize::from(expected);
            }
        }
        assert!(matched > 1_000, "{matched}");
    }
}
