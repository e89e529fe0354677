//! Letters without case, beyond ASCII as well.

/// The text with every letter in one case, so that texts that differ in case alone are equal. In what is not UTF-8 only
/// ASCII letters are folded: it has another reading that is.
pub(crate) fn fold_case(text: &[u8]) -> Vec<u8> {
    match str::from_utf8(text) {
        Ok(letters) if !text.is_ascii() => letters.chars().map(fold).collect::<String>().into_bytes(),
        _ => text.to_ascii_lowercase(),
    }
}

/// The text with its letters beyond ASCII in one case, and those of ASCII as they are: a pattern stays a pattern.
pub(crate) fn fold_beyond_ascii(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii() { letter } else { fold(letter) }).collect()
}

/// The letter in the case that stands for both.
fn fold(letter: char) -> char {
    if letter.is_ascii() {
        return letter.to_ascii_lowercase();
    }
    let code = u32::from(letter);
    let following = RANGES.partition_point(|range| range.wrapping_shr(8) <= code);
    let Some(index) = following.checked_sub(1) else { return letter };
    let (Some(range), Some(offset)) = (RANGES.get(index), OFFSETS.get(index)) else { return letter };
    let behind_first = code.wrapping_sub(range.wrapping_shr(8));
    // Where capitals and small letters take turns, the small one follows its capital.
    if behind_first > range & 0xff || (*offset == 1 && !behind_first.is_multiple_of(2)) {
        return letter;
    }
    let [_, plane, high, low] = code.to_be_bytes();
    let [high, low] = u16::from_be_bytes([high, low]).wrapping_add_signed(*offset).to_be_bytes();
    char::from_u32(u32::from_be_bytes([0, plane, high, low])).unwrap_or(letter)
}

/// Ranges of letters that are folded: the first, how far behind it is the last, and how far from a letter its folded one
/// is, within 65,536 characters. Where that is 1, every second letter is folded.
///
/// A letter is folded to the small letter of its capital, each a single one (Unicode, simple case mapping), as Java's
/// `equalsIgnoreCase` does it and Windows for the names of files. The standard library has these mappings in tables that
/// are several times as large; a test compares.
#[rustfmt::skip]
const FOLDED: [(u32, u32, i32); 209] = [
    (0xb5, 0, 775), (0xc0, 22, 32), (0xd8, 6, 32), (0x100, 46, 1), (0x131, 0, -200), (0x132, 4, 1), (0x139, 14, 1),
    (0x14a, 44, 1), (0x178, 0, -121), (0x179, 4, 1), (0x17f, 0, -268), (0x181, 0, 210), (0x182, 2, 1),
    (0x186, 0, 206), (0x187, 0, 1), (0x189, 1, 205), (0x18b, 0, 1), (0x18e, 0, 79), (0x18f, 0, 202), (0x190, 0, 203),
    (0x191, 0, 1), (0x193, 0, 205), (0x194, 0, 207), (0x196, 0, 211), (0x197, 0, 209), (0x198, 0, 1), (0x19c, 0, 211),
    (0x19d, 0, 213), (0x19f, 0, 214), (0x1a0, 4, 1), (0x1a6, 0, 218), (0x1a7, 0, 1), (0x1a9, 0, 218), (0x1ac, 0, 1),
    (0x1ae, 0, 218), (0x1af, 0, 1), (0x1b1, 1, 217), (0x1b3, 2, 1), (0x1b7, 0, 219), (0x1b8, 0, 1), (0x1bc, 0, 1),
    (0x1c4, 0, 2), (0x1c5, 0, 1), (0x1c7, 0, 2), (0x1c8, 0, 1), (0x1ca, 0, 2), (0x1cb, 16, 1), (0x1de, 16, 1),
    (0x1f1, 0, 2), (0x1f2, 2, 1), (0x1f6, 0, -97), (0x1f7, 0, -56), (0x1f8, 38, 1), (0x220, 0, -130), (0x222, 16, 1),
    (0x23a, 0, 10795), (0x23b, 0, 1), (0x23d, 0, -163), (0x23e, 0, 10792), (0x241, 0, 1), (0x243, 0, -195),
    (0x244, 0, 69), (0x245, 0, 71), (0x246, 8, 1), (0x345, 0, 116), (0x370, 2, 1), (0x376, 0, 1), (0x37f, 0, 116),
    (0x386, 0, 38), (0x388, 2, 37), (0x38c, 0, 64), (0x38e, 1, 63), (0x391, 16, 32), (0x3a3, 8, 32), (0x3c2, 0, 1),
    (0x3cf, 0, 8), (0x3d0, 0, -30), (0x3d1, 0, -25), (0x3d5, 0, -15), (0x3d6, 0, -22), (0x3d8, 22, 1),
    (0x3f0, 0, -54), (0x3f1, 0, -48), (0x3f4, 0, -60), (0x3f5, 0, -64), (0x3f7, 0, 1), (0x3f9, 0, -7), (0x3fa, 0, 1),
    (0x3fd, 2, -130), (0x400, 15, 80), (0x410, 31, 32), (0x460, 32, 1), (0x48a, 52, 1), (0x4c0, 0, 15),
    (0x4c1, 12, 1), (0x4d0, 94, 1), (0x531, 37, 48), (0x10a0, 37, 7264), (0x10c7, 0, 7264), (0x10cd, 0, 7264),
    (0x13a0, 79, 38864), (0x13f0, 5, 8), (0x1c80, 0, -6222), (0x1c81, 0, -6221), (0x1c82, 0, -6212),
    (0x1c83, 1, -6210), (0x1c85, 0, -6211), (0x1c86, 0, -6204), (0x1c87, 0, -6180), (0x1c88, 0, 35267),
    (0x1c89, 0, 1), (0x1c90, 42, -3008), (0x1cbd, 2, -3008), (0x1e00, 148, 1), (0x1e9b, 0, -58), (0x1e9e, 0, -7615),
    (0x1ea0, 94, 1), (0x1f08, 7, -8), (0x1f18, 5, -8), (0x1f28, 7, -8), (0x1f38, 7, -8), (0x1f48, 5, -8),
    (0x1f59, 0, -8), (0x1f5b, 0, -8), (0x1f5d, 0, -8), (0x1f5f, 0, -8), (0x1f68, 7, -8), (0x1f88, 7, -8),
    (0x1f98, 7, -8), (0x1fa8, 7, -8), (0x1fb8, 1, -8), (0x1fba, 1, -74), (0x1fbc, 0, -9), (0x1fbe, 0, -7173),
    (0x1fc8, 3, -86), (0x1fcc, 0, -9), (0x1fd8, 1, -8), (0x1fda, 1, -100), (0x1fe8, 1, -8), (0x1fea, 1, -112),
    (0x1fec, 0, -7), (0x1ff8, 1, -128), (0x1ffa, 1, -126), (0x1ffc, 0, -9), (0x2126, 0, -7517), (0x212a, 0, -8383),
    (0x212b, 0, -8262), (0x2132, 0, 28), (0x2160, 15, 16), (0x2183, 0, 1), (0x24b6, 25, 26), (0x2c00, 47, 48),
    (0x2c60, 0, 1), (0x2c62, 0, -10743), (0x2c63, 0, -3814), (0x2c64, 0, -10727), (0x2c67, 4, 1), (0x2c6d, 0, -10780),
    (0x2c6e, 0, -10749), (0x2c6f, 0, -10783), (0x2c70, 0, -10782), (0x2c72, 0, 1), (0x2c75, 0, 1),
    (0x2c7e, 1, -10815), (0x2c80, 98, 1), (0x2ceb, 2, 1), (0x2cf2, 0, 1), (0xa640, 44, 1), (0xa680, 26, 1),
    (0xa722, 12, 1), (0xa732, 60, 1), (0xa779, 2, 1), (0xa77d, 0, -35332), (0xa77e, 8, 1), (0xa78b, 0, 1),
    (0xa78d, 0, -42280), (0xa790, 2, 1), (0xa796, 18, 1), (0xa7aa, 0, -42308), (0xa7ab, 0, -42319),
    (0xa7ac, 0, -42315), (0xa7ad, 0, -42305), (0xa7ae, 0, -42308), (0xa7b0, 0, -42258), (0xa7b1, 0, -42282),
    (0xa7b2, 0, -42261), (0xa7b3, 0, 928), (0xa7b4, 14, 1), (0xa7c4, 0, -48), (0xa7c5, 0, -42307),
    (0xa7c6, 0, -35384), (0xa7c7, 2, 1), (0xa7cb, 0, -42343), (0xa7cc, 14, 1), (0xa7dc, 0, -42561), (0xa7f5, 0, 1),
    (0xff21, 25, 32), (0x10400, 39, 40), (0x104b0, 35, 40), (0x10570, 10, 39), (0x1057c, 14, 39), (0x1058c, 6, 39),
    (0x10594, 1, 39), (0x10c80, 50, 64), (0x10d50, 21, 32), (0x118a0, 31, 32), (0x16e40, 31, 32), (0x16ea0, 24, 27),
    (0x1e900, 33, 34),
];

/// The first letter of each range, and in the last eight bits how far behind it is the last.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "run by the compiler, once")]
static RANGES: [u32; FOLDED.len()] = {
    let mut ranges = [0; FOLDED.len()];
    let mut index = 0;
    while index < FOLDED.len() {
        ranges[index] = FOLDED[index].0 << 8 | FOLDED[index].1;
        index += 1;
    }
    ranges
};

/// How far from the letters of each range their folded ones are.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "run by the compiler, once")]
#[allow(clippy::cast_possible_truncation, reason = "an offset within 65,536 characters")]
static OFFSETS: [i16; FOLDED.len()] = {
    let mut offsets = [0; FOLDED.len()];
    let mut index = 0;
    while index < FOLDED.len() {
        offsets[index] = FOLDED[index].2 as i16;
        index += 1;
    }
    offsets
};

#[cfg(test)]
mod tests {
    use super::{fold, fold_case};

    /// The only letter, if it is one.
    fn single(mut letters: impl Iterator<Item = char>) -> Option<char> {
        letters.next().filter(|_| letters.next().is_none())
    }

    #[test]
    fn letters_are_folded_as_the_standard_library_maps_them() {
        for letter in '\0'..=char::MAX {
            let capital = single(letter.to_uppercase()).unwrap_or(letter);
            let small = single(capital.to_lowercase()).unwrap_or(capital);
            if letter.is_ascii() {
                assert_eq!(fold(letter), letter.to_ascii_lowercase());
            } else {
                assert_eq!(fold(letter), small, "U+{:04X}", u32::from(letter));
            }
        }
    }

    #[test]
    fn what_is_not_utf_8_is_folded_as_ascii() {
        assert_eq!(fold_case("/B\u{dc}RO".as_bytes()), "/b\u{fc}ro".as_bytes());
        assert_eq!(fold_case(b"/B\xc3\x9cRO\xff"), b"/b\xc3\x9cro\xff");
    }
}
