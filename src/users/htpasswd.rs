//! The text of an htpasswd file, line by line.
//!
//! One `user:hash` a line, as Apache and nginx read it. Blank lines and lines that begin with `#` are ignored; spaces
//! and tabs around a line do not count (Apache strips them too), nor do a carriage return at its end and a byte order
//! mark at the front of the text. Both servers ignore a third field; here it is an error, because no hash holds a
//! colon: something was pasted wrongly.
//!
//! Nothing is copied: a [`Line`] borrows from the text.

use std::fmt;

use super::hash::{HashError, Work};

/// The most hashes that one user may have. Rotation needs two.
pub(crate) const MAX_HASHES_PER_USER: usize = 8;

/// The most that one user's hashes may cost together, with a short password: two of the costliest kind.
pub(crate) const MAX_WORK_PER_USER: Work = Work::from_micros(512_000);

/// A line that names a user. Shows nothing of itself in `Debug`.
#[derive(Clone, Copy)]
pub struct Line<'t> {
    /// Where in the file it stands, beginning with 1.
    pub number: usize,
    /// Where in the text it begins, in bytes; see [`Line::at`].
    pub start: usize,
    /// The user name, never empty, with no control character.
    pub user: &'t str,
    /// What stands after the colon, not yet looked at beyond its characters.
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
    /// A line that begins with a colon.
    EmptyUser,
    /// A control character, a tab within the line for one (RFC 7617 section 2 forbids them in a user name).
    ControlCharacter,
    /// A space before or within the hash.
    Space,
    /// A second colon.
    ExtraField,
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
            HtpasswdErrorKind::NoUser => f.write_str("no user: write at least one line `user:hash`, with `htpasswd -nB -C 10 USER`"),
            HtpasswdErrorKind::TooLong => f.write_str("more than 4 GiB of text: split the list"),
            HtpasswdErrorKind::MissingColon => f.write_str("no colon: a line is `user:hash`, or begins with `#`"),
            HtpasswdErrorKind::EmptyUser => f.write_str("no user name before the colon: a line is `user:hash`"),
            HtpasswdErrorKind::ControlCharacter => f.write_str("a control character: remove it"),
            HtpasswdErrorKind::Space => f.write_str("a space in the hash: remove it, or copy the line again"),
            HtpasswdErrorKind::ExtraField => f.write_str("more than one colon: a line is `user:hash` and nothing more"),
            HtpasswdErrorKind::Hash(error) => error.fmt(f),
            HtpasswdErrorKind::TooManyHashes => write!(f, "more than {MAX_HASHES_PER_USER} hashes for this user: remove those of old passwords"),
            HtpasswdErrorKind::TooCostly => f.write_str(
                "the hashes of this user together cost more than a proxy worker can bear: remove those of old passwords, or write cheaper ones",
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
    if line.chars().any(char::is_control) {
        return Err(HtpasswdErrorKind::ControlCharacter);
    }
    let (user, hash) = line.split_once(':').ok_or(HtpasswdErrorKind::MissingColon)?;
    if user.is_empty() {
        return Err(HtpasswdErrorKind::EmptyUser);
    }
    if hash.contains(':') {
        return Err(HtpasswdErrorKind::ExtraField);
    }
    if hash.contains(' ') {
        return Err(HtpasswdErrorKind::Space);
    }
    Ok(Line { number, start, user, hash })
}

impl<'t> Line<'t> {
    /// User and hash of a line that [`lines`] accepted, found again by its [`Line::start`]; nothing if none begins
    /// there.
    #[must_use]
    pub fn at(text: &'t str, start: usize) -> Option<(&'t str, &'t str)> {
        let rest = text.get(start..)?;
        let line = rest.split_once('\n').map_or(rest, |(line, _)| line);
        trim(line).split_once(':')
    }
}
