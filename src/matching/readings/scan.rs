//! One look at a text: which of the bytes are there that a step acts on.

/// What there is in a text, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks(u32);

impl Marks {
    /// Nothing.
    pub(super) const NOTHING: Self = Self(0);
    /// `%`
    pub(super) const PERCENT: Self = Self(1 << 4);
    /// `%2F`
    pub(super) const ESCAPED_SLASH: Self = Self(1);
    /// `#`
    pub(super) const FRAGMENT: Self = Self(1 << 3);
    /// A blank or a control character: the bytes up to 32, and 127.
    pub(super) const BLANK: Self = Self(1 << 1);
    /// `?`. Its bit is the first for speed: the compiler makes one jump of the questions for it and for nothing.
    pub(super) const QUESTION: Self = Self(1 << 2);
    /// The byte 0.
    pub(super) const NUL: Self = Self(1 << 5);
    /// The byte 10.
    pub(super) const LINE_FEED: Self = Self(1 << 6);
    /// `\`
    pub(super) const BACKSLASH: Self = Self(1 << 7);
    /// `;`
    pub(super) const SEMICOLON: Self = Self(1 << 8);
    /// A byte that is not ASCII.
    pub(super) const NOT_ASCII: Self = Self(1 << 9);
    /// `/`
    pub(super) const SLASH: Self = Self(1 << 10);
    /// `.`
    const DOT: Self = Self(1 << 11);
    /// `//`
    pub(super) const DOUBLE_SLASH: Self = Self::SLASH.behind_slash();
    /// `/.`, with which dot segments begin.
    pub(super) const DOT_SEGMENT: Self = Self::DOT.behind_slash();

    /// A `.` at the end of a segment.
    pub(super) const LAST_DOT: Self = Self(1 << 15);
    /// What ISO 8859-1 has for white space, by the rules of Unicode: what Python's `str.split` splits at.
    pub(super) const WHITE_SPACE: Self = Self(1 << 14);
    /// `+`
    pub(super) const PLUS: Self = Self(1 << 16);

    /// Whether any of these is there.
    pub(super) const fn has(self, any_of: Self) -> bool {
        self.0 & any_of.0 != 0
    }

    /// Whether there is nothing but what every path has: a text like that is its only reading, a trailing `/` aside.
    pub(super) const fn is_plain(self) -> bool {
        self.0 & !(Self::SLASH.0 | Self::DOT.0) == 0
    }

    /// What a byte with these marks is behind a `/`: of the marks that say something there, the one two bits further on.
    const fn behind_slash(self) -> Self {
        Self((self.0 & (Self::SLASH.0 | Self::DOT.0)).wrapping_shl(2))
    }

    /// These but for some.
    const fn without(self, some: Self) -> Self {
        Self(self.0 & !some.0)
    }

    /// These and others.
    pub(super) const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

/// The bytes that are [white space](Marks::WHITE_SPACE).
pub(super) const WHITE_SPACE: &[u8] = b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0";

/// What each byte is to the steps.
#[allow(clippy::indexing_slicing, reason = "checked by the compiler, once")]
static MEANING: [Marks; 256] = {
    let mut meaning = [Marks::NOT_ASCII; 256];
    meaning.split_at_mut(0x80).0.copy_from_slice(&[Marks::NOTHING; 0x80]);
    meaning.split_at_mut(0x21).0.copy_from_slice(&[Marks::BLANK; 0x21]);
    meaning[0x7f] = Marks::BLANK;
    let mut index = 0;
    while index < WHITE_SPACE.len() {
        let byte = WHITE_SPACE[index] as usize;
        meaning[byte] = meaning[byte].and(Marks::WHITE_SPACE);
        index = index.wrapping_add(1);
    }
    meaning[b'%' as usize] = Marks::PERCENT;
    meaning[b'#' as usize] = Marks::FRAGMENT;
    meaning[b'?' as usize] = Marks::QUESTION;
    meaning[0] = meaning[0].and(Marks::NUL);
    meaning[b'\n' as usize] = meaning[b'\n' as usize].and(Marks::LINE_FEED);
    meaning[b'\\' as usize] = Marks::BACKSLASH;
    meaning[b'/' as usize] = Marks::SLASH;
    meaning[b'.' as usize] = Marks::DOT;
    meaning[b';' as usize] = Marks::SEMICOLON;
    meaning[b'+' as usize] = Marks::PLUS;
    meaning
};

/// The text up to its first `?`, and what there is in that; escapes are not looked into.
pub(super) fn scan_to_query(text: &[u8]) -> (&[u8], Marks) {
    let mut marks = Marks::NOTHING;
    let mut before = Marks::NOTHING;
    let query = text.iter().position(|byte| {
        let here = MEANING.get(usize::from(*byte)).copied().unwrap_or(Marks::NOTHING);
        match here {
            Marks::NOTHING => {}
            Marks::QUESTION => return true,
            _ => {
                if before == Marks::SLASH {
                    marks = marks.and(here.behind_slash());
                }
                if before == Marks::DOT && here == Marks::SLASH {
                    marks = marks.and(Marks::LAST_DOT);
                }
                marks = marks.and(here);
            }
        }
        before = here;
        false
    });
    if before == Marks::DOT {
        marks = marks.and(Marks::LAST_DOT);
    }
    (query.and_then(|query| text.get(..query)).unwrap_or(text), marks)
}

/// What there is in all of a text: a `?` in a reading was decoded, and what follows it is part of the reading.
pub(super) fn scan(text: &[u8]) -> Marks {
    let mut marks = Marks::NOTHING;
    let mut rest = text;
    loop {
        let (part, here) = scan_to_query(rest);
        marks = marks.and(here);
        let Some((_question, after)) = rest.get(part.len()..).and_then(<[u8]>::split_first) else { break };
        marks = marks.and(Marks::QUESTION);
        rest = after;
    }
    // A dot before a `?` ended a part, but no segment.
    if marks.has(Marks::QUESTION) && !text.ends_with(b".") && !text.windows(2).any(|pair| pair == b"./") {
        marks = marks.without(Marks::LAST_DOT);
    }
    if marks.has(Marks::PERCENT) && has_escaped_slash(text) { marks.and(Marks::ESCAPED_SLASH) } else { marks }
}

fn has_escaped_slash(text: &[u8]) -> bool {
    text.windows(3).any(|escape| matches!(escape, [b'%', b'2', b'f' | b'F']))
}

#[cfg(test)]
mod tests {
    use super::{Marks, scan, scan_to_query};

    #[test]
    fn each_mark_is_seen() {
        for (text, marks) in [
            (&b"/a"[..], vec![]),
            (b"/a.b/", vec![]),
            (b"/%61", vec![Marks::PERCENT]),
            (b"/%2fa", vec![Marks::PERCENT, Marks::ESCAPED_SLASH]),
            (b"/%2F", vec![Marks::PERCENT, Marks::ESCAPED_SLASH]),
            (b"/a#", vec![Marks::FRAGMENT]),
            (b"/a?", vec![Marks::QUESTION]),
            (b"/a.?", vec![Marks::QUESTION]),
            (b"/a.?b.", vec![Marks::QUESTION, Marks::LAST_DOT]),
            (b"/a./b?", vec![Marks::QUESTION, Marks::LAST_DOT]),
            (b"/a?b?#", vec![Marks::QUESTION, Marks::FRAGMENT]),
            (b"/a\0", vec![Marks::NUL, Marks::BLANK]),
            (b"/a\n", vec![Marks::LINE_FEED, Marks::BLANK, Marks::WHITE_SPACE]),
            (b"/a\x01", vec![Marks::BLANK]),
            (b"/a\x7f", vec![Marks::BLANK]),
            (b"/a\x1f", vec![Marks::BLANK, Marks::WHITE_SPACE]),
            (b"/a ", vec![Marks::BLANK, Marks::WHITE_SPACE]),
            (b"/a!", vec![]),
            (b"/a\x85", vec![Marks::NOT_ASCII, Marks::WHITE_SPACE]),
            (b"/a\xa0", vec![Marks::NOT_ASCII, Marks::WHITE_SPACE]),
            (b"/a\\", vec![Marks::BACKSLASH]),
            (b"/a;", vec![Marks::SEMICOLON]),
            (b"/a+", vec![Marks::PLUS]),
            (b"/a\x80", vec![Marks::NOT_ASCII]),
            (b"//", vec![Marks::DOUBLE_SLASH]),
            (b"/.a", vec![Marks::DOT_SEGMENT]),
            (b"/.", vec![Marks::DOT_SEGMENT, Marks::LAST_DOT]),
            (b"/a./b", vec![Marks::LAST_DOT]),
            (b"/../a", vec![Marks::DOT_SEGMENT, Marks::LAST_DOT]),
            (b"/../a./b", vec![Marks::DOT_SEGMENT, Marks::LAST_DOT]),
            (b"/.a./b", vec![Marks::DOT_SEGMENT, Marks::LAST_DOT]),
        ] {
            let mut expected = marks;
            expected.extend(text.contains(&b'/').then_some(Marks::SLASH));
            expected.extend(text.contains(&b'.').then_some(Marks::DOT));
            let expected = expected.iter().fold(0, |all, mark| all | mark.0);
            assert_eq!(scan(text).0, expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn the_query_is_not_looked_at() {
        assert_eq!(scan_to_query(b"/a?%zz"), (&b"/a"[..], Marks::SLASH));
        assert_eq!(scan_to_query(b"?"), (&b""[..], Marks::NOTHING));
    }
}
