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
    let (mut marks, mut before, rest) = scan_usual(text);
    let query = rest.iter().position(|byte| {
        let here = meaning(*byte);
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
    let query = query.map(|query| text.len().saturating_sub(rest.len()).saturating_add(query));
    (query.and_then(|query| text.get(..query)).unwrap_or(text), marks)
}

/// Goes through the beginning of a text that is as nearly every path: what may be in it, its last byte, and the rest.
///
/// It looks at eight bytes in one step, and at the last of them again in the next one. What it passes over are letters, digits
/// and most of the signs between `-` and `z`, of which no slash or dot stands behind another.
fn scan_usual(text: &[u8]) -> (Marks, Marks, &[u8]) {
    let mut rest = text;
    loop {
        // Fewer than eight are looked at together with those before them.
        let (bytes, next) = match rest.first_chunk() {
            Some(bytes) => (Some(bytes), 7),
            None => (text.last_chunk(), rest.len().saturating_sub(1)),
        };
        if next == 0 || bytes.is_none_or(|bytes| !is_usual(u64::from_le_bytes(*bytes))) {
            break;
        }
        rest = rest.get(next..).unwrap_or_default();
    }
    match rest.split_first() {
        Some((last, behind)) if rest.len() < text.len() => (Marks::SLASH.and(Marks::DOT), meaning(*last), behind),
        _ => (Marks::NOTHING, Marks::NOTHING, text),
    }
}

/// Whether eight bytes, the first of them the lowest, are such that no step acts on them.
fn is_usual(bytes: u64) -> bool {
    const HIGHEST_BITS: u64 = each(0x80);
    // Of bytes below 0x80 each sum and difference stays in its byte. The highest bit of what is taken from 0x80 is set for 0.
    let below = bytes.wrapping_add(each(0x80 - b'-'));
    let above = bytes.wrapping_add(each(0x80 - (b'z' + 1)));
    let semicolons_and_questions = each(0x80).wrapping_sub((bytes | each(b'?' ^ b';')) ^ each(b'?'));
    let backslashes = each(0x80).wrapping_sub(bytes ^ each(b'\\'));
    let slashes_and_dots = each(0x80).wrapping_sub((bytes | each(b'/' ^ b'.')) ^ each(b'/')) & HIGHEST_BITS;
    let pairs = slashes_and_dots & slashes_and_dots.wrapping_shl(8);
    (bytes | above | !below | semicolons_and_questions | backslashes | pairs) & HIGHEST_BITS == 0
}

/// A byte eight times.
const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// What a byte is to the steps.
fn meaning(byte: u8) -> Marks {
    MEANING.get(usize::from(byte)).copied().unwrap_or(Marks::NOTHING)
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
    use proptest::prelude::{ProptestConfig, any, proptest};

    use super::{Marks, is_usual, meaning, scan, scan_to_query};

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
    fn eight_bytes_are_usual_if_they_have_no_mark_alone() {
        // A dot at the end may be one inside a segment.
        let plain = |bytes: &[u8]| scan(&[bytes, b"a"].concat()).is_plain();
        for place in 0..8 {
            for byte in 0..=u8::MAX {
                let mut bytes = *b"abcd1234";
                bytes[place] = byte;
                assert!(!is_usual(u64::from_le_bytes(bytes)) || plain(&bytes), "{}", bytes.escape_ascii());
                let is_common = byte.is_ascii_alphanumeric() || b"-./_:=@".contains(&byte);
                assert!(!is_common || is_usual(u64::from_le_bytes(bytes)), "{}", bytes.escape_ascii());
                for next in *b"/.a" {
                    bytes[(place + 1) % 8] = next;
                    assert!(!is_usual(u64::from_le_bytes(bytes)) || plain(&bytes), "{}", bytes.escape_ascii());
                }
            }
        }
    }

    #[test]
    fn each_mark_is_seen_wherever_it_is() {
        for length in 0..40 {
            for mark in [&b"%"[..], b"//", b"/.", b"./", b";", b"\\", b"#", b" ", b"\x7f", b"\x80", b"+", b"\0"] {
                let text = [&b"/abcdefg".repeat(6)[..length], mark, &b"x/yz".repeat(3)].concat();
                assert!(!scan_to_query(&text).1.is_plain(), "{}", text.escape_ascii());
            }
            let text = [&b"/abcdefg".repeat(6)[..length], b"x?y"].concat();
            let (path, marks) = scan_to_query(&text);
            assert_eq!((path.len(), marks.is_plain()), (length + 1, true), "{}", text.escape_ascii());
            let text = [&b"/abcdefg".repeat(6)[..length], b"x."].concat();
            assert!(scan_to_query(&text).1.has(Marks::LAST_DOT), "{}", text.escape_ascii());
        }
    }

    /// What `scan_to_query` finds, looked for byte by byte and pair by pair.
    fn one_by_one(text: &[u8]) -> (&[u8], Marks) {
        let path = text.split(|byte| *byte == b'?').next().unwrap();
        let mut marks = path.iter().fold(Marks::NOTHING, |marks, byte| marks.and(meaning(*byte)));
        for (pair, mark) in [(b"//", Marks::DOUBLE_SLASH), (b"/.", Marks::DOT_SEGMENT), (b"./", Marks::LAST_DOT)] {
            if path.windows(2).any(|here| here == pair) {
                marks = marks.and(mark);
            }
        }
        (path, if path.ends_with(b".") { marks.and(Marks::LAST_DOT) } else { marks })
    }

    /// Compares all that counts: of a path that is passed over, it is only known that slashes and dots may be in it.
    fn assert_is_as_one_by_one(text: &[u8]) {
        let may_be = Marks::SLASH.and(Marks::DOT);
        let ((path, marks), (expected_path, expected)) = (scan_to_query(text), one_by_one(text));
        let is_same =
            path == expected_path && marks.and(may_be) == expected.and(may_be) && marks.0 & expected.0 == expected.0;
        assert!(is_same, "{}: {marks:?}, not {expected:?}", text.escape_ascii());
    }

    /// Compares every text of up to so many of these bytes.
    fn assert_each_is_as_one_by_one(alphabet: &[u8], length: usize, text: &mut Vec<u8>) {
        assert_is_as_one_by_one(text);
        if text.len() == length {
            return;
        }
        for byte in alphabet {
            text.push(*byte);
            assert_each_is_as_one_by_one(alphabet, length, text);
            text.pop();
        }
    }

    #[test]
    fn nothing_is_passed_over_that_one_by_one_is_seen() {
        // Longer than one word, so that each text lies in it and across its end; each length of what is left behind it.
        assert_each_is_as_one_by_one(b"/.a", 11, &mut Vec::new());
        assert_each_is_as_one_by_one(b"/.a?;", 7, &mut Vec::new());
        assert_each_is_as_one_by_one(b"/.a?;%\\+\xaf", 5, &mut Vec::new());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn no_path_is_passed_over_that_one_by_one_is_marked(
            usual in "[-a-zA-Z0-9_:=@/.]{0,40}",
            rare in proptest::collection::vec(any::<u8>(), 0..3),
            more in "[a-z/.]{0,20}",
        ) {
            assert_is_as_one_by_one(&[usual.as_bytes(), &rare, more.as_bytes()].concat());
        }
    }

    #[test]
    fn words_are_usual_if_each_of_their_bytes_and_pairs_is() {
        let is_plain = |bytes: [u8; 8]| one_by_one(&[&bytes[..], b"a"].concat()).1.is_plain();
        for place in 0..7 {
            for pair in 0..=u16::MAX {
                let mut bytes = *b"abcd1234";
                bytes[place..place + 2].copy_from_slice(&pair.to_le_bytes());
                assert!(!is_usual(u64::from_le_bytes(bytes)) || is_plain(bytes), "{}", bytes.escape_ascii());
            }
        }
    }

    #[test]
    fn the_query_is_not_looked_at() {
        assert_eq!(scan_to_query(b"/a?%zz"), (&b"/a"[..], Marks::SLASH));
        assert_eq!(scan_to_query(b"?"), (&b""[..], Marks::NOTHING));
    }
}
