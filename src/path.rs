//! The path patterns of a rule, and the exceptions that it makes.
//!
//! A pattern covers a request if one of its own [readings] matches one of the path's, ASCII letters
//! compared without case: `/a%20b`, `/a b` and `/a//b` all protect what they name. An exception is compared as it is
//! written, and every reading of the path has to match it.

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

/// What a rule covers.
#[derive(Debug, Clone)]
pub struct PathPattern {
    /// The readings of the pattern. One that matches is enough.
    forms: Vec<Form>,
}

/// One reading of a pattern, in lower case.
#[derive(Debug, Clone)]
enum Form {
    Prefix(Vec<u8>),
    Exact(Vec<u8>),
    Suffix(Vec<u8>),
    Regex(Regex),
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
        let read = |forms: fn(&[u8]) -> Option<Vec<Vec<u8>>>, form: fn(Vec<u8>) -> Form| {
            let path = readings::without_query(text.as_bytes());
            if path.is_empty() {
                return Err(Problem::PatternIsQuery);
            }
            if path.first() != Some(&b'/') && matcher != Matcher::Suffix {
                return Err(Problem::PatternNoSlash);
            }
            let forms = forms(path).ok_or(Problem::PatternUnreadable)?;
            Ok(forms.iter().map(|form| form.to_ascii_lowercase()).map(form).collect::<Vec<_>>())
        };
        let mut forms = match matcher {
            Matcher::Prefix => read(readings::forms_of_prefix, Form::Prefix)?,
            Matcher::Exact => read(readings::forms_of_path, Form::Exact)?,
            Matcher::Suffix => read(readings::forms_of_suffix, Form::Suffix)?,
            Matcher::Regex => vec![Form::Regex(whole_path_regex(text)?)],
        };
        // `/api/` covers `/api` as well, which many serve alike, but not `/apiary`.
        let whole: Vec<Form> = forms.iter().filter_map(Form::prefix_without_slash).collect();
        forms.extend(whole);
        Ok(Self { forms })
    }

    /// Whether the pattern covers a path.
    #[must_use]
    pub fn covers(&self, path: &Readings<'_>) -> bool {
        path.any(|reading| self.forms.iter().any(|form| form.covers(reading)))
    }
}

impl Form {
    fn covers(&self, path: &[u8]) -> bool {
        let same = |part: Option<&[u8]>, form: &[u8]| part.is_some_and(|part| part.eq_ignore_ascii_case(form));
        match self {
            Self::Prefix(prefix) => same(path.get(..prefix.len()), prefix),
            Self::Exact(exact) => same(Some(path), exact),
            Self::Suffix(suffix) => {
                same(path.len().checked_sub(suffix.len()).and_then(|start| path.get(start..)), suffix)
            }
            // What is no text cannot be known not to match.
            Self::Regex(regex) => str::from_utf8(path).map_or(true, |path| regex.is_match(path)),
        }
    }

    fn prefix_without_slash(&self) -> Option<Self> {
        let Self::Prefix(prefix) = self else { return None };
        readings::without_trailing_slash(prefix).map(|path| Self::Exact(path.to_vec()))
    }
}

/// What a rule does not cover: one entry of `except`.
#[derive(Debug, Clone)]
pub struct Exception {
    pattern: ExceptionPattern,
    methods: Option<Box<[Box<str>]>>,
}

#[derive(Debug, Clone)]
enum ExceptionPattern {
    Prefix(Box<[u8]>),
    Exact(Box<[u8]>),
    Suffix(Box<[u8]>),
    Regex(Regex),
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
        let pattern = match matcher {
            Matcher::Prefix => ExceptionPattern::Prefix(text.as_bytes().into()),
            Matcher::Exact => ExceptionPattern::Exact(text.as_bytes().into()),
            Matcher::Suffix => ExceptionPattern::Suffix(text.as_bytes().into()),
            Matcher::Regex => ExceptionPattern::Regex(whole_path_regex(text)?),
        };
        Ok(Self { pattern, methods: methods.map(Into::into) })
    }

    /// Whether the exception takes a request out: the method to the letter, and every reading of the path.
    #[must_use]
    pub fn excepts(&self, method: &[u8], path: &Readings<'_>) -> bool {
        let method_is_excepted =
            self.methods.as_ref().is_none_or(|methods| methods.iter().any(|name| name.as_bytes() == method));
        method_is_excepted && path.all(|reading| self.pattern.matches(reading))
    }
}

impl ExceptionPattern {
    fn matches(&self, path: &[u8]) -> bool {
        match self {
            Self::Prefix(prefix) => path.starts_with(prefix),
            Self::Exact(exact) => path == &**exact,
            Self::Suffix(suffix) => path.ends_with(suffix),
            // What is no text cannot be known to match.
            Self::Regex(regex) => str::from_utf8(path).is_ok_and(|path| regex.is_match(path)),
        }
    }
}

/// A regex that matches whole paths only.
fn whole_path_regex(pattern: &str) -> Result<Regex, Problem> {
    let compile = |pattern: &str| RegexBuilder::new(pattern).size_limit(REGEX_SIZE_LIMIT).build();
    let problem = |error: regex_lite::Error| Problem::Regex { reason: error.to_string() };
    // Alone first: `a)|(b` must not find its missing halves in what is put around it.
    compile(pattern).map_err(problem)?;
    // In a pattern that ends in a comment, `(?x)a # b`, the line end keeps what follows out of it.
    let whole = compile(&format!(r"\A(?:{pattern})\z")).or_else(|_| compile(&format!("\\A(?:{pattern}\n)\\z")));
    whole.map_err(problem)
}
