//! What is allowed and still deserves a look.

use std::fmt;

use crate::users::name::UNFILLED;

/// Something that is allowed and still deserves a look. Its `Display` is one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where, as in a [`ConfigError`](super::ConfigError).
    pub path: String,
    /// What.
    pub kind: WarningKind,
    /// Where the value begins, in bytes of the text.
    #[cfg(feature = "explain")]
    pub offset: usize,
}

impl Warning {
    /// The most warnings about single values that are kept of one configuration: a million must not fill the memory.
    pub const MAX: usize = 100;
}

/// What a [`Warning`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WarningKind {
    /// There is no rule.
    NothingProtected,
    /// A password is empty.
    EmptyPassword,
    /// An exception matches no reading but one of the paths that it is about.
    ExceptionNeverApplies,
    /// An exception takes out everything that its rule covers.
    ExceptionTakesAll,
    /// A rule is written as an earlier one is, to the letter.
    RuleTwice,
    /// Rules name some methods and leave the others open.
    OpenMethods {
        /// How many rules do.
        rules: usize,
    },
    /// A method is not registered with IANA.
    UnregisteredMethod,
    /// A path pattern that is no regex has a `|`.
    Bar,
    /// A path pattern that is no regex ends in `$`.
    FinalDollar,
    /// A path pattern that is no regex has a `#`.
    Fragment,
    /// A path pattern that is no regex has a `?`.
    Query,
    /// A path pattern that is no regex has a `\`.
    Backslash,
    /// A path pattern that is no regex has a segment that begins with `:`.
    Parameter,
    /// A path pattern that is no regex has a comma before a `/`.
    Comma,
    /// A regex begins with a `/` as a delimiter.
    RegexDelimiters,
    /// A placeholder or a reference that nobody filled in, by the look of it.
    Unfilled,
    /// A regex has no metacharacter but an anchor at its beginning or a bar between texts.
    RegexWithoutMetacharacter,
    /// A regex ends in `/*`, as globs do.
    RegexGlob,
    /// A hash takes long to verify.
    CostlyHash {
        /// Its line in the htpasswd text, counted from 1; 0 where the path says it.
        line: usize,
    },
    /// A pair in `credentials`, or its password, is in quotes.
    Quotes,
    /// A password in `credentials` begins or ends with a blank.
    BlankInPassword,
    /// A user of htpasswd text begins with `- `, as an item of YAML does.
    Dash,
    /// A realm begins as a challenge does.
    Challenge,
    /// A password in `credentials` has the form of a hash; it is compared as plain text all the same.
    LooksLikeHash,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        self.kind.fmt(f)
    }
}

impl fmt::Display for WarningKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenMethods { rules: 1 } => f.write_str("1 rule names methods and leaves all others")?,
            Self::OpenMethods { rules } => write!(f, "{rules} rules name methods and leave all others")?,
            Self::CostlyHash { line: line @ 1.. } => write!(f, "line {line}: ")?,
            _ => {}
        }
        f.write_str(match self {
            Self::OpenMethods { .. } => " open; remove `request_methods` to cover every method",
            Self::CostlyHash { .. } => "this hash takes a worker long for each login of a new pair; bcrypt of cost 10 is enough, `htpasswd -nB -C 10 USER`",
            Self::RuleTwice => "the same rule is there before; remove one",
            Self::NothingProtected => "no rule in `basic_auth_rules`: nothing is protected, every request passes; add one, or check its indent",
            Self::ExceptionNeverApplies => "it never applies, for an escape, `+`, `;`, `#`, `\\`, `//` or a dot segment has another reading, and each has to match; write the path as it is served",
            Self::ExceptionTakesAll => "it takes out all that the rule covers, so the rule protects nothing; narrow it",
            Self::UnregisteredMethod => "IANA has not registered this method; check its spelling",
            Self::Bar => "`|` is an ordinary character here; write a rule for each, or `regex: /(a|b)/.*`",
            Self::FinalDollar => "`$` is an ordinary character here; write `suffix` or `exact` for an end, or `regex`",
            Self::Fragment => "no path has a `#`; remove it and what follows",
            Self::Query => "the query is no part of a path, so only what is before the `?` counts; remove the rest",
            Self::Backslash => "`\\` is read as `/` here; if this is a regex, write it as `regex`",
            Self::Parameter => "`:` begins no parameter here; write `regex: /users/[^/]+` for any name",
            Self::Comma => "a comma separates nothing here; write a rule for each path",
            Self::RegexDelimiters => "no path has this, for a regex has no delimiters here; remove the `/` at both ends, and write `/` for `\\/`",
            Self::Unfilled => UNFILLED,
            Self::RegexWithoutMetacharacter => "it covers what is written and nothing below, for a regex matches the whole path; write `prefix` for all below, or `exact`",
            Self::RegexGlob => "`/*` stands for slashes alone in a regex; write `prefix: /admin/`, or `regex: /admin/.*`",
            Self::EmptyPassword => "an empty password is accepted; write one after the colon, if it is not meant so",
            Self::Quotes => "the quotes count as part of user and password; remove them",
            Self::BlankInPassword => "the blank at the beginning or end of the password counts; remove it, if it is not meant so",
            Self::Dash => "the `- ` counts as part of the user's name; remove it",
            Self::Challenge => "`Basic realm=` is written before it once more; write the name alone",
            Self::LooksLikeHash => "the password looks like a hash; it is compared as plain text, so the hash itself is the password; hashes are for `htpasswd`",
        })
    }
}
