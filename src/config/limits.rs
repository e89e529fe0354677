//! How large a configuration may be: a module that is out of memory could say nothing any more.

use super::Rule;
use super::error::Problem;

/// The most failures that a lockout may wait for.
pub(super) const MAX_FAILURES: u32 = 1_000_000;
/// The longest window and lock, in seconds: 30 days.
pub(super) const MAX_SECONDS: u32 = 30 * 24 * 60 * 60;
/// The most bytes of text that a configuration may have: 32 MiB.
const MAX_TEXT: usize = 32 << 20;
/// The most entries of the index of paths: what the readings of a rule's pattern and its hosts multiply to.
const MAX_ENTRIES: usize = 1_000_000;
/// The most bytes of those entries: 64 MiB, of which each takes several while the index is built.
const MAX_ENTRY_BYTES: usize = 64 << 20;
/// The most regexes. Each takes up to [`REGEX_SIZE_LIMIT`](crate::matching::regex::REGEX_SIZE_LIMIT) bytes, and more
/// while it is compiled.
const MAX_REGEXES: usize = 10_000;

/// The most lists that are fetched, each by every worker.
pub(super) const MAX_FETCHES: usize = 64;

/// What the rules that were read so far take.
#[derive(Default)]
pub(super) struct Limits {
    entries: usize,
    entry_bytes: usize,
    regexes: usize,
}

impl Limits {
    /// Whether a text of so many bytes can be read.
    pub(super) fn check_text(bytes: usize) -> Result<(), Problem> {
        check("bytes of text", bytes, MAX_TEXT)
    }

    /// Adds what a rule takes, if there is room for it.
    pub(super) fn charge(&mut self, rule: &Rule) -> Result<(), Problem> {
        // Rules for every host have an entry of their own.
        let hosts = rule.hosts.len().saturating_add(1);
        let excepted = rule.except.iter().filter(|exception| exception.is_regex()).count();
        self.entries = self.entries.saturating_add(rule.path.readings().len().saturating_mul(hosts));
        self.entry_bytes = self.entry_bytes.saturating_add(rule.path.bytes().saturating_mul(hosts));
        self.regexes = self.regexes.saturating_add(rule.path.regexes()).saturating_add(excepted);
        check("readings of patterns times hosts", self.entries, MAX_ENTRIES)?;
        check("bytes in readings of patterns times hosts", self.entry_bytes, MAX_ENTRY_BYTES)?;
        check("regexes", self.regexes, MAX_REGEXES)
    }
}

fn check(what: &'static str, number: usize, max: usize) -> Result<(), Problem> {
    if number > max { Err(Problem::TooMuch { what, number, max }) } else { Ok(()) }
}
