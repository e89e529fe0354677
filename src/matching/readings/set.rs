//! All readings that the steps reach, within bounds.

use super::decode::has_overlong_sequence;
use super::scan::{Marks, scan};
use super::steps::Text;
use super::{MAX_READINGS, max_bytes};

/// The readings of one text, without repetition, in the order in which they were reached: the text itself is the first.
pub struct ReadingSet {
    readings: Vec<Reading>,
    /// How many of them an exception is compared with as well: those that come before the readings for coverage alone.
    for_exceptions: usize,
    /// What there is in any of them.
    marks: Marks,
    bytes: usize,
    max_bytes: usize,
    on_malformed: OnMalformed,
}

/// One reading.
pub(super) struct Reading {
    pub(super) bytes: Vec<u8>,
    marks: Marks,
    digest: u32,
    /// The index of the reading that it was made of, and by which step; `None` for the text itself.
    #[cfg(feature = "explain")]
    pub(super) made: Option<(usize, &'static str)>,
}

/// What a malformed escape makes of a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnMalformed {
    /// An unreadable one.
    Refuse,
    /// One in which nothing is decoded.
    Keep,
}

/// Nothing can be known about a text: it has too many readings or too long ones, or one that is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

impl ReadingSet {
    /// The readings of the path of a request.
    pub(super) fn of_request(path: &[u8]) -> Result<Self, Unreadable> {
        let mut set = Self::of_one(path, OnMalformed::Refuse)?;
        set.take(Text::Sent, 0)?;
        set.expand_path()?;
        Ok(set)
    }

    /// The readings of a whole path in the configuration.
    pub(super) fn of_path(path: &[u8]) -> Result<Self, Unreadable> {
        let mut set = Self::of_one(path, OnMalformed::Keep)?;
        set.expand_path()?;
        Ok(set)
    }

    /// The readings of a part of a path in the configuration.
    pub(super) fn of_part(part: &[u8], kind: Text) -> Result<Self, Unreadable> {
        let mut set = Self::of_one(part, OnMalformed::Keep)?;
        set.expand(kind)?;
        Ok(set)
    }

    /// The text alone.
    fn of_one(text: &[u8], on_malformed: OnMalformed) -> Result<Self, Unreadable> {
        let mut set = Self {
            readings: Vec::new(),
            for_exceptions: 0,
            marks: Marks::NOTHING,
            bytes: 0,
            max_bytes: max_bytes(text.len()),
            on_malformed,
        };
        set.add(text.to_vec())?;
        Ok(set)
    }

    /// The readings that a rule is compared with.
    pub(super) fn for_rules(&self) -> &[Reading] {
        &self.readings
    }

    /// The readings that an exception is compared with.
    pub(super) fn for_exceptions(&self) -> &[Reading] {
        self.readings.get(..self.for_exceptions).unwrap_or_default()
    }

    /// How long the text itself is, in bytes.
    pub(crate) fn sent(&self) -> usize {
        self.readings.first().map_or(0, |text| text.bytes.len())
    }

    /// Whether all readings are ASCII.
    pub(super) fn is_ascii(&self) -> bool {
        !self.marks.has(Marks::NOT_ASCII)
    }

    /// The readings as texts of their own.
    pub(super) fn into_texts(self) -> Vec<Vec<u8>> {
        self.readings.into_iter().map(|reading| reading.bytes).collect()
    }

    /// Adds the readings of whole paths, and behind them those for coverage alone.
    fn expand_path(&mut self) -> Result<(), Unreadable> {
        self.expand(Text::Path)?;
        self.for_exceptions = self.readings.len();
        self.expand(Text::Coverage)
    }

    /// Takes the steps of that kind of text in all readings, in those that are reached so as well.
    fn expand(&mut self, kind: Text) -> Result<(), Unreadable> {
        let mut next = 0;
        while next < self.readings.len() {
            self.take(kind, next)?;
            next = next.saturating_add(1);
        }
        Ok(())
    }

    /// Takes the steps of that kind of text in one reading.
    fn take(&mut self, kind: Text, index: usize) -> Result<(), Unreadable> {
        let Some(marks) = self.readings.get(index).map(|reading| reading.marks) else { return Ok(()) };
        for action in kind.actions() {
            #[cfg(feature = "ablation")]
            if super::ablation::is_left_out(action.name) {
                continue;
            }
            if !marks.has(action.acts_on) {
                continue;
            }
            match self.readings.get(index).and_then(|reading| (action.apply)(&reading.bytes)) {
                Some(reached) => {
                    self.add(reached)?;
                    #[cfg(feature = "explain")]
                    self.note_step(index, action.name);
                }
                // What has a `%` can be decoded unless an escape is malformed.
                None if action.acts_on == Marks::PERCENT && self.on_malformed == OnMalformed::Refuse => {
                    return Err(Unreadable);
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Adds a reading that is not there yet.
    fn add(&mut self, bytes: Vec<u8>) -> Result<(), Unreadable> {
        // Every path ends in the empty text: as a suffix it says nothing.
        if bytes.is_empty() {
            return Ok(());
        }
        let digest = digest(&bytes);
        if self.readings.iter().any(|known| known.digest == digest && known.bytes == bytes) {
            return Ok(());
        }
        self.bytes = self.bytes.saturating_add(bytes.len());
        if self.readings.len() >= MAX_READINGS || self.bytes > self.max_bytes {
            return Err(Unreadable);
        }
        let marks = scan(&bytes);
        if marks.has(Marks::NOT_ASCII) && has_overlong_sequence(&bytes) {
            return Err(Unreadable);
        }
        self.marks = self.marks.and(marks);
        self.readings.push(Reading {
            bytes,
            marks,
            digest,
            #[cfg(feature = "explain")]
            made: None,
        });
        Ok(())
    }

    /// Notes by which step the last reading was made, if it was not there before.
    #[cfg(feature = "explain")]
    fn note_step(&mut self, of: usize, step: &'static str) {
        if self.readings.len() > of.saturating_add(1)
            && let Some(last) = self.readings.last_mut()
        {
            last.made.get_or_insert((of, step));
        }
    }
}

/// Tells most texts apart.
fn digest(text: &[u8]) -> u32 {
    let (words, rest) = text.as_chunks();
    let mut last = [0; 4];
    last.iter_mut().zip(rest).for_each(|(byte, left)| *byte = *left);
    words.iter().chain([&last]).fold(0_u32, |digest, word| {
        digest.rotate_left(5).wrapping_add(u32::from_le_bytes(*word)).wrapping_mul(0x9e37_79b1)
    })
}

#[cfg(test)]
mod tests {
    use super::{ReadingSet, digest};

    #[test]
    fn readings_that_share_a_digest_are_both_kept() {
        // The digest of `/vobwebubvxnr/..` is zero, as is that of nothing.
        assert_eq!(digest(b"/vobwebubvxnr/../.a"), digest(b"/.a"));
        let set = ReadingSet::of_request(b"/vobwebubvxnr/../.a").ok().unwrap();
        let readings: Vec<&[u8]> = set.for_rules().iter().map(|reading| reading.bytes.as_slice()).collect();
        assert_eq!(readings, [&b"/vobwebubvxnr/../.a"[..], b"/.a"]);
    }
}
