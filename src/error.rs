//! Why a configuration is refused: the place, the problem and the cure.
//!
//! Nothing here carries a value of the configuration, for any value could be a secret in the wrong place.

use std::fmt;

use crate::htpasswd::HtpasswdError;

/// A refused configuration.
///
/// Its `Display` is one line: `basic_auth_rules[2].credentials[0]: what is wrong; what to do`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where, as a path into the JSON document; empty for the document itself.
    pub place: String,
    /// What is wrong there.
    pub problem: Problem,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.place.is_empty() { "the configuration" } else { &self.place };
        write!(f, "{place}: {}", self.problem)
    }
}

impl std::error::Error for ConfigError {}

/// What is wrong with one place of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The text is not UTF-8.
    NotUtf8,
    /// The text is not JSON (RFC 8259).
    NotJson {
        /// Line of the text, counted from one.
        line: usize,
        /// Column of that line, counted from one.
        column: usize,
    },
    /// A text has an escape like `\ud800`, half of a surrogate pair, which is no character.
    LoneSurrogate,
    /// There is more of something than a module has room for.
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How much there is; for what is counted while it is read, how much there is up to this place.
        number: usize,
        /// How much there may be.
        most: usize,
    },
    /// The proxy has no random numbers to draw a key from.
    NoRandomness,
    /// Another JSON type was expected.
    WrongType {
        /// The type that belongs here.
        expected: &'static str,
        /// The type that stands here.
        found: &'static str,
    },
    /// An object has a field that is not in the configuration table.
    UnknownField {
        /// The field as written and the known one it resembles. Absent where nothing resembles it:
        /// what is no misspelt field name could be a misplaced secret, and is not repeated.
        resembles: Option<(String, &'static str)>,
        /// All fields that are known here.
        known: &'static [&'static str],
    },
    /// A field stands twice in one object.
    DoubledField,
    /// A rule has none of the path matchers.
    NoPathPattern {
        /// The matchers to choose from.
        known: &'static [&'static str],
    },
    /// A rule has more than one path matcher.
    SeveralPathPatterns {
        /// The first two that stand there.
        found: [&'static str; 2],
    },
    /// A path matcher is the empty text.
    EmptyPattern,
    /// A path matcher has nothing before its `?`, or an exception has a `?`.
    PatternIsQuery,
    /// A path matcher that stands for the beginning or the whole of a path does not begin with `/`; nor can a regex.
    PatternNoSlash,
    /// A path matcher has a malformed escape or an overlong UTF-8 sequence.
    PatternUnreadable,
    /// A path matcher has too many readings, or a malformed one.
    PatternReadings,
    /// A regex does not compile, or not within [`REGEX_SIZE_LIMIT`](crate::path::REGEX_SIZE_LIMIT).
    Regex {
        /// What is wrong with it, in words that quote nothing of it.
        reason: String,
    },
    /// `request_methods` is an empty list.
    NoMethod,
    /// A method is no token (RFC 9110, section 5.6.2).
    MethodNotToken,
    /// A standard method is not written in capitals; methods are case-sensitive (RFC 9110, section 9.1).
    MethodCase {
        /// The standard method.
        standard: &'static str,
    },
    /// A host pattern has none of the forms `foo.com`, `*.foo.com`, `foo.*`, `*`, `[::1]`.
    HostPattern,
    /// A rule has no user.
    NoUser {
        /// The fields that bring users.
        known: &'static [&'static str],
    },
    /// A credential has no colon and is no base64 either.
    CredentialForm,
    /// A credential is base64 of a text that has no colon.
    CredentialNoColon,
    /// A credential has an empty user name.
    EmptyUser,
    /// A field is missing that its object must have.
    MissingField {
        /// The field.
        field: &'static str,
    },
    /// A number is not whole, or out of its range.
    NumberRange {
        /// The least number that is allowed.
        least: u32,
        /// The greatest number that is allowed.
        most: u32,
    },
    /// A variable of the environment is not there or empty.
    NoVariable,
    /// A htpasswd text is refused.
    Htpasswd(HtpasswdError),
    /// A text holds a control character, which its place forbids.
    ControlCharacter {
        /// What the text is, and who forbids it.
        what: &'static str,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("not UTF-8; save the configuration as UTF-8"),
            Self::NotJson { line, column } => {
                write!(f, "not JSON at line {line}, column {column}; mend the syntax there")
            }
            Self::LoneSurrogate => f.write_str("half of a surrogate pair is no character; write the character itself"),
            Self::TooMuch { what, number, most } => {
                write!(f, "{number} {what}, and {most} is the most; split the configuration, or write fewer and wider rules")
            }
            Self::NoRandomness => f.write_str("the proxy has no source of randomness; this module cannot run in it"),
            Self::WrongType { expected, found } => {
                write!(f, "{found} stands where {expected} belongs; write {expected}")
            }
            Self::UnknownField { resembles: Some((written, nearest)), .. } => {
                // A line end in the name must not become one in the log.
                write!(f, "unknown field `{}`; did you mean `{nearest}`?", written.escape_debug())
            }
            Self::UnknownField { resembles: None, known } => {
                write!(f, "a field that is not known here; known are {}", Names(known, "and"))
            }
            Self::DoubledField => f.write_str("the field stands twice; keep one"),
            Self::NoPathPattern { known } => {
                write!(f, "no path pattern; add one of {}", Names(known, "or"))
            }
            Self::SeveralPathPatterns { found } => {
                write!(
                    f,
                    "more than one path pattern ({}); keep one and make a rule of each other",
                    Names(found, "and")
                )
            }
            Self::EmptyPattern => f.write_str("an empty pattern; write `prefix: /` to cover every path"),
            Self::PatternIsQuery => f.write_str("the query is no part of a path; match what stands before the `?`"),
            Self::PatternNoSlash => f.write_str("a path begins with `/`; begin the pattern with it"),
            Self::PatternUnreadable => {
                f.write_str("an escape that no path can hold; write `%25` for a percent sign, and characters as UTF-8")
            }
            Self::PatternReadings => {
                f.write_str("too many readings, or one that no path can have; write the path as it is served")
            }
            Self::Regex { reason } => write!(f, "not a regex that can be used ({reason}); mend or shorten it"),
            Self::NoMethod => {
                f.write_str("an empty list covers nothing; name methods, or leave the field out to cover every method")
            }
            Self::MethodNotToken => {
                f.write_str("not a method (RFC 9110 wants a token); write one like `GET`, or `*` for every method")
            }
            Self::MethodCase { standard } => write!(f, "methods are case-sensitive; write `{standard}`"),
            Self::HostPattern => {
                f.write_str("not a host pattern; write `foo.com`, `*.foo.com`, `foo.*`, `[::1]` or `*`")
            }
            Self::NoUser { known } => write!(f, "nobody could pass this rule; add a user with {}", Names(known, "or")),
            Self::CredentialForm => {
                f.write_str("neither `user:password` nor base64 of that (RFC 4648, section 4); write `user:password`")
            }
            Self::CredentialNoColon => f.write_str("base64 of a text without a colon; encode `user:password`"),
            Self::EmptyUser => f.write_str("an empty user name; write one before the colon"),
            Self::MissingField { field } => write!(f, "no `{field}`; add it"),
            Self::NumberRange { least, most } => write!(f, "not a whole number from {least} to {most}; write one"),
            Self::NoVariable => f.write_str("no such environment variable in the virtual machine, or an empty one; set it in `vmConfig.env` (Istio) or `environment_variables` (Envoy)"),
            Self::Htpasswd(error) => error.fmt(f),
            Self::ControlCharacter { what } => write!(f, "a control character in {what}; remove it"),
        }
    }
}

/// Writes `a`, `b` and `c`.
struct Names<'a>(&'a [&'a str], &'a str);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(names, conjunction) = self;
        for (position, name) in names.iter().enumerate() {
            let left = names.len().saturating_sub(position);
            match (position, left) {
                (0, _) => {}
                (_, 1) => write!(f, " {conjunction} ")?,
                _ => f.write_str(", ")?,
            }
            write!(f, "`{name}`")?;
        }
        Ok(())
    }
}
