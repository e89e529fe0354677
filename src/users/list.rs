//! The users of htpasswd text.

use std::fmt;

use sha2::{Digest, Sha256};

use super::hash::{Effort, Hash};
use super::htpasswd::{
    HtpasswdError, HtpasswdErrorKind, Line, MAX_HASHES_PER_USER, MAX_WORK_PER_USER, is_base64, lines,
};
use crate::order;

/// The users of one htpasswd text.
///
/// The text is kept as it is, with four bytes of index for each line: a hundred thousand users need little more than
/// their text. Hashes are read from it again when they are needed, in well under a microsecond. Its `Debug` shows how many lines
/// there are.
pub struct UserList {
    text: Box<str>,
    /// Where lines begin, in the order of user and hash.
    index: Box<[u32]>,
    effort: Effort,
    /// How many hashes the user has who has the most.
    max_hashes: usize,
    costly_lines: Box<[usize]>,
}

/// How many lines with a costly hash a list names.
const MAX_COSTLY_LINES: usize = 10;

impl UserList {
    /// Reads htpasswd text, see [`crate::users::htpasswd`].
    ///
    /// The same user may stand there more than once with different hashes: any of them is accepted, so that a password
    /// can be changed while both work. Lines that repeat one another count once.
    ///
    /// # Errors
    ///
    /// The first line that cannot be used, or a text without users.
    pub fn parse(text: impl Into<Box<str>>) -> Result<Self, HtpasswdError> {
        let text: Box<str> = text.into();
        if u32::try_from(text.len()).is_err() {
            return Err(HtpasswdError { line: 0, kind: HtpasswdErrorKind::TooLong });
        }
        let mut found = Vec::new();
        let mut costly_lines = Vec::new();
        for line in lines(&text) {
            let line = line.map_err(|error| match error.kind {
                HtpasswdErrorKind::MissingColon if is_base64(&text) => {
                    HtpasswdError { line: 0, kind: HtpasswdErrorKind::Base64 }
                }
                _ => error,
            })?;
            let hash = Hash::parse(line.hash);
            let hash = hash.map_err(|error| {
                let is_quoted = matches!(line.user.as_bytes(), [b'"' | b'\'', ..]);
                let kind = if is_quoted { HtpasswdErrorKind::Quotes } else { HtpasswdErrorKind::Hash(error) };
                HtpasswdError { line: line.number, kind }
            })?;
            if hash.is_costly() && costly_lines.len() < MAX_COSTLY_LINES {
                costly_lines.push(line.number);
            }
            found.push(line);
        }
        if found.is_empty() {
            return Err(HtpasswdError { line: 0, kind: HtpasswdErrorKind::NoUser });
        }
        // Of lines that repeat one another the first one stays.
        order::sort(&mut found, |one, other| (one.user, one.hash).cmp(&(other.user, other.hash)));
        found.dedup_by_key(|line| (line.user, line.hash));

        let mut effort = Effort::default();
        let mut max_hashes = 0;
        for user in found.chunk_by(|one, other| one.user == other.user) {
            let line = user.iter().map(|line| line.number).max().unwrap_or_default();
            if user.len() > MAX_HASHES_PER_USER {
                return Err(HtpasswdError { line, kind: HtpasswdErrorKind::TooManyHashes });
            }
            let own = user
                .iter()
                .filter_map(|line| Hash::parse(line.hash).ok())
                .fold(Effort::default(), |sum, hash| sum.plus(hash.effort()));
            if own.work(SHORT_PASSWORD) > MAX_WORK_PER_USER {
                return Err(HtpasswdError { line, kind: HtpasswdErrorKind::TooCostly });
            }
            effort = effort.max(own);
            max_hashes = max_hashes.max(user.len());
        }
        let index = found.iter().filter_map(|line| u32::try_from(line.start).ok()).collect();
        Ok(Self { text, index, effort, max_hashes, costly_lines: costly_lines.into() })
    }

    /// Whether the user is in the list. For the log, the counters, and the lockout after a right login: the answer to
    /// a failed one must not depend on it.
    #[must_use]
    pub fn contains(&self, user: &[u8]) -> bool {
        self.hashes(user).next().is_some()
    }

    /// The first lines, ten at most, whose hash costs more than is good for logins: bcrypt of a cost above 12, `rounds=`
    /// above 100,000. Counted from 1.
    #[must_use]
    pub fn costly_lines(&self) -> &[usize] {
        &self.costly_lines
    }

    /// The users, each once and in order.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        let mut last = None;
        let names = self.index.iter().filter_map(|start| Line::user_at(&self.text, usize::try_from(*start).ok()?));
        names.filter(move |name| last.replace(*name) != Some(*name))
    }

    /// How many different lines there are.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.index.len()
    }

    /// The work of a failed login: of each scheme, that of the user who needs most of it.
    pub(super) fn effort(&self) -> Effort {
        self.effort
    }

    /// How many hashes the user has who has the most of them.
    pub(crate) fn max_hashes(&self) -> usize {
        self.max_hashes
    }

    /// The text that was read.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether any hash takes longer than to look for it elsewhere.
    pub(crate) fn is_slow(&self) -> bool {
        self.effort.is_slow()
    }

    /// Some hash of the list, as text.
    pub(crate) fn any_hash(&self) -> Option<&str> {
        Some(Line::at(&self.text, usize::try_from(*self.index.first()?).ok()?)?.1)
    }

    /// The user's hashes, as text.
    pub(crate) fn hashes<'l>(&'l self, user: &[u8]) -> impl Iterator<Item = &'l str> {
        let offset = |&start: &u32| usize::try_from(start).unwrap_or(usize::MAX);
        let name = |start: &u32| Line::user_at(&self.text, offset(start)).unwrap_or_default().as_bytes();
        let first = self.index.partition_point(|start| name(start) < user);
        let rest = self.index.get(first..).unwrap_or_default();
        let count = rest.partition_point(|start| name(start) == user);
        let own = rest.get(..count).unwrap_or_default().iter();
        own.filter_map(move |start| Some(Line::at(&self.text, offset(start))?.1))
    }
}

impl fmt::Debug for UserList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserList({} lines, ..)", self.lines())
    }
}

/// What tells a list from others in every worker and configuration: its number among those of its kind, and the names in
/// it. No password and no hash, for the digest may be seen, and a short list could be guessed by it.
pub(crate) fn list_digest<'t>(kind: &str, number: u32, users: impl IntoIterator<Item = &'t [u8]>) -> u64 {
    let mut sha256 = Sha256::new();
    // The length of each goes in before it, so that no two run together.
    let mut add = |text: &[u8]| {
        sha256.update((text.len() as u64).to_le_bytes());
        sha256.update(text);
    };
    add(kind.as_bytes());
    add(&number.to_le_bytes());
    users.into_iter().for_each(add);
    sha256.finalize().first_chunk().copied().map_or(0, u64::from_le_bytes)
}

/// The length that [`MAX_WORK_PER_USER`] is reckoned with.
const SHORT_PASSWORD: usize = 16;

#[cfg(test)]
mod tests;
