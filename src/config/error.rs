//! Why a configuration is refused: the path, the problem and the cure.
//!
//! Nothing here carries a value of the configuration, for any value could be a secret in the wrong place.

use std::fmt;

use super::json::Node;
use crate::matching::host::HostPatternError;
use crate::matching::method::MethodError;
use crate::matching::path::PatternError;
use crate::matching::source::SourceRangeError;
use crate::request::header_name::HeaderNameError;
use crate::response::{RealmError, UnauthorizedError};
use crate::users::htpasswd::HtpasswdError;
use crate::users::pair::CredentialError;

/// Why a configuration is refused: all that is wrong with it, in its order.
///
/// Its `Display` has one line for each error, and another for those beyond [`ConfigErrors::MAX`].
///
/// ```
/// use basic_auth::Config;
///
/// let errors = Config::parse(br#"{"realm": null, "basic_auth_rules": [{"prefix": "/"}]}"#).unwrap_err();
/// let paths: Vec<&str> = errors.errors().iter().map(|error| &*error.path).collect();
/// assert_eq!(paths, ["realm", "basic_auth_rules[0]"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    /// Never empty.
    errors: Vec<ConfigError>,
    more: usize,
}

impl ConfigErrors {
    /// The most errors that are kept of one configuration: a hundred thousand broken rules must not fill the memory.
    pub const MAX: usize = if cfg!(feature = "explain") { 1_000 } else { 10 };

    /// The first errors, at least one and at most [`ConfigErrors::MAX`].
    #[must_use]
    pub fn errors(&self) -> &[ConfigError] {
        &self.errors
    }

    /// How many errors there are beyond those.
    #[must_use]
    pub fn more(&self) -> usize {
        self.more
    }

    /// The same, with offsets from the beginning of the document.
    #[cfg(feature = "explain")]
    pub(super) fn relative_to(mut self, document: &Node<'_>) -> Self {
        for error in &mut self.errors {
            error.offset = error.offset.saturating_sub(document.position());
        }
        self
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self { errors: vec![error], more: 0 }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.errors.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        if self.more > 0 { write!(f, "\nand {} more", self.more) } else { Ok(()) }
    }
}

impl std::error::Error for ConfigErrors {}

/// The errors that were found so far.
#[derive(Default)]
pub(super) struct ErrorList {
    /// The first ones, sorted by their positions.
    first: Vec<(usize, ConfigError)>,
    more: usize,
}

/// That an error was added to an [`ErrorList`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Noted(());

impl ErrorList {
    /// Adds what is wrong with a node.
    pub(super) fn add(&mut self, node: &Node<'_>, problem: Problem) -> Noted {
        let position = node.position();
        let index = self.first.partition_point(|(earlier, _)| *earlier <= position);
        if index < ConfigErrors::MAX {
            let error = ConfigError {
                path: node.path().to_string(),
                problem,
                #[cfg(feature = "explain")]
                offset: node.position(),
            };
            self.first.insert(index, (position, error));
        }
        if index >= ConfigErrors::MAX || self.first.len() > ConfigErrors::MAX {
            self.first.truncate(ConfigErrors::MAX);
            self.more = self.more.saturating_add(1);
        }
        Noted(())
    }

    /// What was read, if there is no error.
    pub(super) fn finish<T>(self, read: Result<T, Noted>) -> Result<T, ConfigErrors> {
        match read {
            Ok(read) if self.first.is_empty() => Ok(read),
            _ => {
                let errors = self.first.into_iter().map(|(_, error)| error).collect();
                Err(ConfigErrors { errors, more: self.more })
            }
        }
    }
}

/// One error of a configuration.
///
/// Its `Display` is one line: `basic_auth_rules[2].credentials[0]: what is wrong; what to do`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where, as a path into the JSON document like `basic_auth_rules[2].hosts[0]`; empty for the document itself.
    pub path: String,
    /// What is wrong there.
    pub problem: Problem,
    /// Where the value begins, in bytes of the text.
    #[cfg(feature = "explain")]
    pub offset: usize,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the configuration" } else { &self.path };
        write!(f, "{path}: {}", self.problem)
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// What is wrong with the document as a whole.
    pub(super) fn of_document(problem: Problem) -> Self {
        Self {
            path: String::new(),
            problem,
            #[cfg(feature = "explain")]
            offset: 0,
        }
    }
}

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
    /// The text is a message of protobuf.
    Protobuf,
    /// The text is YAML.
    Yaml,
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
        expected: JsonType,
        /// The type of the value.
        found: JsonType,
    },
    /// An object has a field that is not in the configuration table.
    UnknownField {
        /// The field as written and the known one it resembles. Absent where nothing resembles it:
        /// what is no misspelt field name could be a misplaced secret, and is not repeated.
        resembles: Option<(String, &'static str)>,
        /// All fields that are known here.
        known: &'static [&'static str],
    },
    /// An object has a field that other objects of the configuration have.
    MisplacedField {
        /// The field.
        field: &'static str,
        /// Where it would be right.
        home: &'static str,
    },
    /// An object has a field of an older version of the C++ module, or of another product.
    ForeignField {
        /// The field.
        field: &'static str,
        /// What to write.
        cure: &'static str,
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
    /// A method is a word like `ALL`, which is no method.
    EveryMethod,
    /// A path pattern that is no regex has a `*`.
    Star,
    /// A path pattern that is no regex has a `{` or `}`.
    Brace,
    /// A path pattern has a blank at its beginning or end.
    BlankAtEnd,
    /// A rule has no user.
    NoUser {
        /// The fields that bring users.
        known: &'static [&'static str],
    },
    /// What a list is fetched by is empty, or has a character that no request could have there.
    NotVisible,
    /// A list is fetched by what is no path.
    FetchPath,
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
    /// A line of htpasswd text is several.
    SeveralLines,
    /// The name of a variable is written with a `$`, as shells want it.
    VariableWithDollar,
    /// A variable of the environment is not there or empty.
    NoVariable,
    /// Another string was expected.
    NotOneOf {
        /// The strings to choose from.
        known: &'static [&'static str],
    },
    /// The name of a rule or of a user list has other characters than `A-Z a-z 0-9 _ . -`, none, or more than 64.
    Name,
    /// A rule has the name of another.
    DoubledName,
    /// A user list has no user.
    EmptyList {
        /// The fields that bring users.
        known: &'static [&'static str],
    },
    /// A rule names a user list that is not there.
    NoSuchList,
    /// `allow_users` names nobody, so nobody could pass.
    AllowsNobody,
    /// `allow_users` names a user whom no list of the rule knows.
    NoSuchUser,
    /// The user's name would go upstream in the header of the credential.
    HeaderTaken,
    /// The realm is refused.
    Realm(RealmError),
    /// A header name is refused.
    HeaderName(HeaderNameError),
    /// A range of addresses is refused.
    SourceRange(SourceRangeError),
    /// A header of a refusal is refused.
    Unauthorized(UnauthorizedError),
    /// A path pattern is refused.
    Pattern(PatternError),
    /// A host pattern is refused.
    Host(HostPatternError),
    /// A method is refused.
    Method(MethodError),
    /// A credential is refused.
    Credential(CredentialError),
    /// An entry of `credentials` is an object with several fields.
    PairAsObject,
    /// An entry of `except` is a string.
    ExceptionAsText,
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
    HeaderNameError => HeaderName,
    SourceRangeError => SourceRange,
    UnauthorizedError => Unauthorized,
    PatternError => Pattern,
    HostPatternError => Host,
    MethodError => Method,
    CredentialError => Credential,
    HtpasswdError => Htpasswd,
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
            Self::Protobuf => f.write_str("binary, and JSON is wanted; give it as a `google.protobuf.StringValue` that holds the JSON"),
            Self::Yaml => f.write_str("YAML, and JSON is wanted; write JSON, like `{\"basic_auth_rules\": []}`"),
            Self::WrongType { expected, found } => {
                write!(f, "expected {expected}, found {found}; {}", cure_of_type(*expected, *found))
            }
            Self::UnknownField { resembles: Some((written, nearest)), .. } => {
                // A line end in the name must not become one in the log.
                write!(f, "unknown field `{}`; did you mean `{nearest}`?", written.escape_debug())
            }
            Self::UnknownField { resembles: None, known } => {
                write!(f, "unknown field; the fields here are {}", Names(known, "and"))
            }
            Self::MisplacedField { field, home } => write!(f, "`{field}` is a field {home}, not here; move it there"),
            Self::ForeignField { field, cure } => write!(f, "`{field}` is no field here; {cure}"),
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
            Self::EveryMethod => f.write_str("no method has this name; write `*` for every method"),
            Self::Star => f.write_str("`*` is no wildcard here; write `prefix: /admin/` for all below `/admin`, `suffix: .php` for an ending, `regex: /a/.*/b` for more, or `%2A` for the character"),
            Self::Brace => f.write_str("`{` and `}` have no meaning here; write `regex: /users/[^/]+` for any name, or `%7B` and `%7D` for the characters"),
            Self::BlankAtEnd => f.write_str("a blank at the beginning or end; remove it, or write `%20`"),
            Self::NoUser { known } => write!(f, "nobody could pass this rule; add a user with {}", Names(known, "or")),
            Self::NotVisible => {
                f.write_str("empty, or with a character that is not visible ASCII; write the name as the proxy has it")
            }
            Self::FetchPath => f.write_str("not the path of a request; begin it with `/` and escape what is not visible ASCII"),
            Self::MissingField { field } => write!(f, "no `{field}`; add it"),
            Self::NumberRange { min, max } => write!(f, "expected a whole number from {min} to {max}"),
            Self::SeveralLines => f.write_str("more than one line; write each as an item, or all as one string with `|`"),
            Self::VariableWithDollar => f.write_str("the name of a variable has no `$`; write the name alone"),
            Self::NoVariable => f.write_str("no such environment variable in the virtual machine, or an empty one; set it in `vmConfig.env` (Istio) or `environment_variables` (Envoy)"),
            Self::NotOneOf { known } => write!(f, "expected one of {}; write one", Names(known, "or")),
            Self::Name => f.write_str("not a name; write 1 to 64 of `A-Z`, `a-z`, `0-9`, `_`, `.` and `-`"),
            Self::DoubledName => f.write_str("the name of another rule; choose one of its own"),
            Self::EmptyList { known } => write!(f, "nobody is in this list; add a user with {}", Names(known, "or")),
            Self::NoSuchList => f.write_str("no such list in `users` at the top; add it there, or correct the name"),
            Self::AllowsNobody => f.write_str("nobody could pass this rule; name a user, or leave the field out"),
            Self::NoSuchUser => f.write_str("no list of this rule knows that user; add the user to one, or correct the name"),
            Self::HeaderTaken => f.write_str("the header of the credential; choose another for the user name"),
            Self::PairAsObject => f.write_str("an object in the place of a pair; write `- user:password`"),
            Self::ExceptionAsText => f.write_str(
                "a text in the place of an object; write `- exact: /admin/health`, or `- prefix: /admin/open/`",
            ),
            Self::Realm(error) => error.fmt(f),
            Self::HeaderName(error) => error.fmt(f),
            Self::SourceRange(error) => error.fmt(f),
            Self::Unauthorized(error) => error.fmt(f),
            Self::Pattern(error) => error.fmt(f),
            Self::Host(error) => error.fmt(f),
            Self::Method(error) => error.fmt(f),
            Self::Credential(error) => error.fmt(f),
            Self::Htpasswd(error) => error.fmt(f),
        }
    }
}

/// The types of JSON (RFC 8259). `Display` writes an article before the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonType {
    /// `{}`
    Object,
    /// `[]`
    Array,
    /// `""`
    String,
    /// `1`
    Number,
    /// `true` or `false`
    Boolean,
    /// `null`
    Null,
}

impl fmt::Display for JsonType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Boolean => "a boolean",
            Self::Null => "null",
        })
    }
}

/// What to do about a value of the wrong type. Most of them come from YAML.
fn cure_of_type(expected: JsonType, found: JsonType) -> &'static str {
    match (expected, found) {
        (_, JsonType::Null) => "write one, or remove it",
        (JsonType::String, JsonType::Number | JsonType::Boolean) => "put it in quotes",
        (JsonType::String, JsonType::Object) => "in YAML, write no blank after the colon, or put it in quotes",
        (JsonType::Array, JsonType::Object) => "put it in brackets, `[…]`, or in YAML begin each item with `- `",
        (JsonType::Array, _) => "put it in brackets, `[…]`",
        (JsonType::Number, JsonType::String) => "write the number alone, without quotes or a unit",
        (JsonType::String, _) => "write one string, without brackets",
        (JsonType::Object, _) => "write its fields in braces, `{…}`",
        (JsonType::Boolean, _) => "write `true` or `false`, without quotes",
        _ => "write one",
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
