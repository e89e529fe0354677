//! The text of an htpasswd file, line by line.
//!
//! One `user:hash` a line, as Apache and nginx read it; both ignore what follows a second colon, a name or a comment.
//! Blank lines and lines that begin with `#` are ignored; spaces and tabs around a line do not count (Apache strips them
//! too), nor do a carriage return at its end and a byte order mark at the front of the text.
//!
//! Nothing is copied: a [`Line`] borrows from the text.

use std::fmt;

use super::hash::{HashError, Work};
use super::name::{self, UNFILLED, UserNameError};
use super::pair::decode;

/// The most hashes that one user may have. Rotation needs two.
pub(crate) const MAX_HASHES_PER_USER: usize = 8;

/// The most that one user's hashes may cost together, with a short password: two of the costliest kind.
pub(crate) const MAX_WORK_PER_USER: Work = Work::from_micros(2_048_000);

/// A line that names a user. Shows nothing of itself in `Debug`.
#[derive(Clone, Copy)]
pub struct Line<'t> {
    /// Where in the file it stands, beginning with 1.
    pub number: usize,
    /// Where in the text it begins, in bytes; see [`Line::at`].
    pub start: usize,
    /// The user name, never empty, with no control character.
    pub user: &'t str,
    /// What stands between the first colon and the second, not yet looked at beyond its characters.
    pub hash: &'t str,
}

/// Why htpasswd text is refused: where, and what to do.
///
/// Its `Display` never shows a part of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HtpasswdError {
    /// The line, beginning with 1; 0 if the text as a whole is meant.
    pub line: usize,
    /// What is wrong with it.
    pub kind: HtpasswdErrorKind,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HtpasswdErrorKind {
    /// No user at all in the text.
    NoUser,
    /// More than four gigabytes of text.
    TooLong,
    /// A line without a colon.
    MissingColon,
    /// A line without a colon that is the name of a file.
    FileName,
    /// A line in quotes.
    Quotes,
    /// A text without a colon that is base64 of one with a colon, as Kubernetes writes a Secret.
    Base64,
    /// A user name is refused.
    User(UserNameError),
    /// A placeholder that nobody filled in, in the place of a hash or of the line.
    Placeholder,
    /// A control character, a tab within the line for one (RFC 7617 section 2 forbids them in a user name).
    ControlCharacter,
    /// A space before or within the hash.
    Space,
    /// Several users on one line, as YAML's `>` makes of several lines.
    SeveralUsers,
    /// The hash is refused.
    Hash(HashError),
    /// A user with more than [`MAX_HASHES_PER_USER`] hashes.
    TooManyHashes,
    /// A user whose hashes together cost more than [`MAX_WORK_PER_USER`].
    TooCostly,
}

impl fmt::Display for HtpasswdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        match self.kind {
            HtpasswdErrorKind::NoUser => f.write_str("no user; write at least one line `user:hash`, with `htpasswd -nB -C 10 USER`"),
            HtpasswdErrorKind::TooLong => f.write_str("more than 4 GiB of text; split the list"),
            HtpasswdErrorKind::MissingColon => f.write_str("no colon; a line is `user:hash`, or begins with `#`"),
            HtpasswdErrorKind::FileName => f.write_str("the name of a file, by the look of it; write the lines of the file in its place"),
            HtpasswdErrorKind::Quotes => f.write_str("a line in quotes; remove them"),
            HtpasswdErrorKind::Base64 => f.write_str("base64 of htpasswd text; decode it"),
            HtpasswdErrorKind::User(error) => error.fmt(f),
            HtpasswdErrorKind::Placeholder => f.write_str(UNFILLED),
            HtpasswdErrorKind::ControlCharacter => f.write_str("a control character; remove it"),
            HtpasswdErrorKind::Space => f.write_str("a space in the hash; remove it, or copy the line again"),
            HtpasswdErrorKind::SeveralUsers => f.write_str("several users on one line; write one user a line (in YAML after `|`, for `>` joins lines)"),
            HtpasswdErrorKind::Hash(error) => error.fmt(f),
            HtpasswdErrorKind::TooManyHashes => write!(f, "more than {MAX_HASHES_PER_USER} hashes for this user; remove those of old passwords"),
            HtpasswdErrorKind::TooCostly => f.write_str(
                "the hashes of this user together cost more than a proxy worker can bear; remove those of old passwords, or write cheaper ones",
            ),
        }
    }
}

impl std::error::Error for HtpasswdError {}

impl fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line({}, ..)", self.number)
    }
}

/// The users of a text, in its order, each line checked as far as its characters go; the hash is for
/// [`crate::users::hash::Hash::parse`].
///
/// # Errors
///
/// Each item on its own: a line that is not `user:hash`.
pub fn lines(text: &str) -> impl Iterator<Item = Result<Line<'_>, HtpasswdError>> {
    let mut at = 0_usize;
    text.split('\n').zip(1_usize..).filter_map(move |(raw, number)| {
        let begin = at;
        at = at.saturating_add(raw.len()).saturating_add(1);
        // Only where the text begins is it a byte order mark.
        let trimmed = if begin == 0 { raw.strip_prefix('\u{feff}').unwrap_or(raw) } else { raw };
        let line = trim(trimmed);
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let before = raw
            .len()
            .saturating_sub(trimmed.len())
            .saturating_add(trimmed.len().saturating_sub(trimmed.trim_start_matches([' ', '\t']).len()));
        let line = split(line, number, begin.saturating_add(before));
        Some(line.map_err(|kind| HtpasswdError { line: number, kind }))
    })
}

fn trim(line: &str) -> &str {
    line.strip_suffix('\r').unwrap_or(line).trim_matches([' ', '\t'])
}

fn split(line: &str, number: usize, start: usize) -> Result<Line<'_>, HtpasswdErrorKind> {
    // A tab may be in what nobody reads.
    if line.split(':').take(2).any(|field| field.contains('\t')) || line.contains(|c: char| c.is_control() && c != '\t')
    {
        return Err(HtpasswdErrorKind::ControlCharacter);
    }
    let Some((user, rest)) = line.split_once(':') else {
        return Err(if name::is_placeholder(line.as_bytes()) {
            HtpasswdErrorKind::Placeholder
        } else if line.ends_with("htpasswd") {
            HtpasswdErrorKind::FileName
        } else {
            HtpasswdErrorKind::MissingColon
        });
    };
    name::check(user.as_bytes()).map_err(HtpasswdErrorKind::User)?;
    if name::is_placeholder(rest.as_bytes()) {
        return Err(HtpasswdErrorKind::Placeholder);
    }
    let is_user = |word: &str| word.contains(":$") || word.contains(":{");
    if rest.split([' ', '\t']).skip(1).any(is_user) {
        return Err(HtpasswdErrorKind::SeveralUsers);
    }
    let hash = first_field(rest);
    if hash.contains(' ') {
        return Err(HtpasswdErrorKind::Space);
    }
    Ok(Line { number, start, user, hash })
}

/// What stands before the first colon, or all of it.
fn first_field(text: &str) -> &str {
    text.split_once(':').map_or(text, |(field, _)| field)
}

/// Whether a text is base64 of one with a colon, on one line or several.
pub(super) fn is_base64(text: &str) -> bool {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    decode(&digits).is_some_and(|decoded| decoded.contains(&b':'))
}

impl<'t> Line<'t> {
    /// The user of a line that [`lines`] accepted, found again by its [`Line::start`]; nothing if none begins there.
    ///
    /// A search among users comes here for each that it compares, so it looks at no more than the name.
    #[must_use]
    pub fn user_at(text: &'t str, start: usize) -> Option<&'t str> {
        let rest = text.get(start..)?;
        rest.get(..rest.bytes().position(|byte| byte == b':')?)
    }

    /// User and hash of such a line.
    #[must_use]
    pub fn at(text: &'t str, start: usize) -> Option<(&'t str, &'t str)> {
        let user = Self::user_at(text, start)?;
        let rest = text.get(start.saturating_add(user.len()).saturating_add(1)..)?;
        // A hash has no blank, so it ends with the line, with a third field or with what does not count at the end.
        let end = rest.bytes().position(|byte| matches!(byte, b':' | b'\n' | b'\r' | b' ' | b'\t'));
        Some((user, rest.get(..end.unwrap_or(rest.len()))?))
    }
}
