//! Why a configuration is refused: the path, the problem and the cure.
//!
//! Nothing here carries a value of the configuration, for any value could be a secret in the wrong place.

use std::fmt;

use crate::matching::host::HostPatternError;
use crate::matching::method::MethodError;
use crate::matching::path::PatternError;
use crate::response::RealmError;
use crate::users::htpasswd::HtpasswdError;
use crate::users::pair::CredentialError;

/// A refused configuration.
///
/// Its `Display` is one line: `basic_auth_rules[2].credentials[0]: what is wrong; what to do`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where, as a path into the JSON document like `basic_auth_rules[2].hosts[0]`; empty for the document itself.
    pub path: String,
    /// What is wrong there.
    pub problem: Problem,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the configuration" } else { &self.path };
        write!(f, "{path}: {}", self.problem)
    }
}

impl std::error::Error for ConfigError {}

/// What is wrong with one value of a configuration.
///
/// Its `Display` says what is wrong, then what to do.
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
    /// A string has an escape like `\ud800`, half of a surrogate pair, which is no character.
    LoneSurrogate,
    /// There is more of something than a module has room for.
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How much there is; for what is counted while it is read, how much there is up to this value.
        number: usize,
        /// How much there may be.
        max: usize,
    },
    /// Another JSON type was expected.
    WrongType {
        /// The expected type.
        expected: &'static str,
        /// The type of the value.
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
    /// An object has a field twice.
    DoubledField,
    /// A rule has none of the path matchers.
    NoPathPattern {
        /// The matchers to choose from.
        known: &'static [&'static str],
    },
    /// A rule has more than one path matcher.
    SeveralPathPatterns {
        /// The first two of them.
        found: [&'static str; 2],
    },
    /// `request_methods` is an empty array.
    NoMethod,
    /// A rule has no user.
    NoUser {
        /// The fields that bring users.
        known: &'static [&'static str],
    },
    /// A field is missing that its object must have.
    MissingField {
        /// The field.
        field: &'static str,
    },
    /// A number is not whole, or out of its range.
    NumberRange {
        /// The lowest number that is allowed.
        min: u32,
        /// The highest number that is allowed.
        max: u32,
    },
    /// A variable of the environment is not there or empty.
    NoVariable,
    /// The realm is refused.
    Realm(RealmError),
    /// A path pattern is refused.
    Pattern(PatternError),
    /// A host pattern is refused.
    Host(HostPatternError),
    /// A method is refused.
    Method(MethodError),
    /// A credential is refused.
    Credential(CredentialError),
    /// A htpasswd text is refused.
    Htpasswd(HtpasswdError),
}

macro_rules! from {
    ($($error:ident => $variant:ident),* $(,)?) => {
        $(impl From<$error> for Problem {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })*
    };
}

from! {
    RealmError => Realm,
    PatternError => Pattern,
    HostPatternError => Host,
    MethodError => Method,
    CredentialError => Credential,
    HtpasswdError => Htpasswd,
}

impl ConfigError {
    /// What is wrong with the document as a whole.
    pub(crate) fn of_document(problem: Problem) -> Self {
        Self { path: String::new(), problem }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("not UTF-8; save the configuration as UTF-8"),
            Self::NotJson { line, column } => {
                write!(f, "not JSON at line {line}, column {column}; fix the JSON there")
            }
            Self::LoneSurrogate => f.write_str("half of a surrogate pair is no character; write the character itself"),
            Self::TooMuch { what, number, max } => {
                write!(f, "{number} {what}, and {max} is the most; split the configuration, or write fewer and wider rules")
            }
            Self::WrongType { expected, found } => {
                write!(f, "expected {expected}, found {found}")
            }
            Self::UnknownField { resembles: Some((written, nearest)), .. } => {
                // A line end in the name must not become one in the log.
                write!(f, "unknown field `{}`; did you mean `{nearest}`?", written.escape_debug())
            }
            Self::UnknownField { resembles: None, known } => {
                write!(f, "unknown field; the fields here are {}", Names(known, "and"))
            }
            Self::DoubledField => f.write_str("the field is there twice; keep one"),
            Self::NoPathPattern { known } => {
                write!(f, "no path pattern; add one of {}", Names(known, "or"))
            }
            Self::SeveralPathPatterns { found } => {
                write!(
                    f,
                    "more than one path pattern ({}); keep one, and write a rule for each other",
                    Names(found, "and")
                )
            }
            Self::NoMethod => {
                f.write_str("an empty array covers nothing; name methods, or remove the field to cover every method")
            }
            Self::NoUser { known } => write!(f, "nobody could pass this rule; add a user with {}", Names(known, "or")),
            Self::MissingField { field } => write!(f, "no `{field}`; add it"),
            Self::NumberRange { min, max } => write!(f, "expected a whole number from {min} to {max}"),
            Self::NoVariable => f.write_str("no such environment variable in the virtual machine, or an empty one; set it in `vmConfig.env` (Istio) or `environment_variables` (Envoy)"),
            Self::Realm(error) => error.fmt(f),
            Self::Pattern(error) => error.fmt(f),
            Self::Host(error) => error.fmt(f),
            Self::Method(error) => error.fmt(f),
            Self::Credential(error) => error.fmt(f),
            Self::Htpasswd(error) => error.fmt(f),
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
