//! Percent escapes (RFC 3986, section 2.1).

/// Which escapes are decoded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// All of them.
    All,
    /// All but `%2F`.
    AllButSlashes,
    /// Those of unreserved characters (RFC 3986, section 2.3).
    Unreserved,
}

impl Escapes {
    fn include(self, byte: u8) -> bool {
        match self {
            Self::All => true,
            Self::AllButSlashes => byte != b'/',
            Self::Unreserved => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'),
        }
    }
}

/// The text with these escapes decoded; `None` if any is malformed.
pub(super) fn decode(text: &[u8], escapes: Escapes) -> Option<Vec<u8>> {
    let mut decoded = vec![0; text.len()];
    let mut length = 0_usize;
    let mut rest = text.iter();
    // As long as there is a byte there is a slot for it; writing there is half of what pushing costs.
    for slot in &mut decoded {
        let Some(&byte) = rest.next() else { break };
        *slot = byte;
        length = length.wrapping_add(1);
        if byte == b'%' {
            let (&[high, low], after) = rest.as_slice().split_first_chunk()?;
            let value = hexadecimal(high)?.wrapping_shl(4) | hexadecimal(low)?;
            if escapes.include(value) {
                *slot = value;
                rest = after.iter();
            }
        }
    }
    decoded.truncate(length);
    Some(decoded)
}

/// The value of a hexadecimal digit.
fn hexadecimal(digit: u8) -> Option<u8> {
    HEXADECIMAL.get(usize::from(digit)).copied().filter(|value| *value < 16)
}

/// The value of each hexadecimal digit, and 16 for what is none.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "checked by the compiler, once")]
static HEXADECIMAL: [u8; 256] = {
    let mut values = [16; 256];
    let digits = b"0123456789abcdef";
    let mut value = 0;
    while value < 16 {
        values[digits[value as usize] as usize] = value;
        values[digits[value as usize].to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    values
};

/// Whether the bytes hold a UTF-8 sequence that is longer than its character needs (RFC 3629, section 3).
pub(super) fn has_overlong_sequence(bytes: &[u8]) -> bool {
    bytes.iter().zip(bytes.iter().skip(1)).any(|pair| {
        matches!(
            pair,
            (0xc0 | 0xc1, 0x80..=0xbf)
                | (0xe0, 0x80..=0x9f)
                | (0xf0, 0x80..=0x8f)
                | (0xf8, 0x80..=0x87)
                | (0xfc, 0x80..=0x83)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{Escapes, decode, has_overlong_sequence};

    #[test]
    fn escapes_are_decoded_once_and_by_kind() {
        for (text, all, all_but_slashes, unreserved) in [
            ("/%61%2f%2F%5c", "/a//\\", "/a%2f%2F\\", "/a%2f%2F%5c"),
            ("%2561", "%61", "%61", "%2561"),
            ("%7E%2d%2E%5F%30%7a%41%2B", "~-._0zA+", "~-._0zA+", "~-._0zA%2B"),
        ] {
            let expected =
                [(Escapes::All, all), (Escapes::AllButSlashes, all_but_slashes), (Escapes::Unreserved, unreserved)];
            for (escapes, decoded) in expected {
                assert_eq!(decode(text.as_bytes(), escapes).as_deref(), Some(decoded.as_bytes()), "{text}");
            }
        }
        for text in ["%", "%4", "%zz", "%61%4z", "%%61"] {
            for escapes in [Escapes::All, Escapes::AllButSlashes, Escapes::Unreserved] {
                assert_eq!(decode(text.as_bytes(), escapes), None, "{text}");
            }
        }
    }

    #[test]
    fn sequences_that_are_too_long_are_told_from_the_least_that_are_not() {
        for text in [b"\xc0\x80", b"\xc1\xbf", b"\xe0\x9f", b"\xf0\x8f", b"\xf8\x87", b"\xfc\x83"] {
            assert!(has_overlong_sequence(text), "{}", text.escape_ascii());
        }
        for text in [b"\xc2\x80", b"\xe0\xa0", b"\xf0\x90", b"\xf8\x88", b"\xfc\x84", b"\xc0a", b"\xc0\xc0"] {
            assert!(!has_overlong_sequence(text), "{}", text.escape_ascii());
        }
    }
}
