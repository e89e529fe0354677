//! What is allowed and still deserves a look.

use std::fmt;

/// Something that is allowed and still deserves a look. Its `Display` is one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where, as in a [`ConfigError`].
    pub path: String,
    /// What.
    pub kind: WarningKind,
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
    /// A password in `credentials` has the form of a hash; it is compared as plain text all the same.
    LooksLikeHash,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, kind } = self;
        match kind {
            WarningKind::NothingProtected => {
                f.write_str("no `basic_auth_rules`: nothing is protected, every request passes")
            }
            WarningKind::ExceptionNeverApplies => write!(
                f,
                "{path}: it never applies, for an escape, `;`, `#`, `\\`, `//` or a dot segment has another reading, and each has to match"
            ),
            WarningKind::EmptyPassword => write!(f, "{path}: an empty password is accepted"),
            WarningKind::LooksLikeHash => write!(
                f,
                "{path}: the password looks like a hash; it is compared as plain text, so the hash itself is the password"
            ),
        }
    }
}
