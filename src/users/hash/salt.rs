//! The salts and digests of the `crypt` family, as text and as bytes.

use super::{HashError, Scheme};

/// A salt of at most sixteen bytes, stored inline.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Salt {
    bytes: [u8; 16],
    len: u8,
}

impl Salt {
    /// A salt as long as another, for work whose result nobody asks for.
    pub(crate) const fn blank(len: u8) -> Self {
        Self { bytes: [b'.'; 16], len }
    }

    /// The text of a salt, of at most `most` characters.
    ///
    /// crypt's own alphabet is not insisted on: implementations take any character that a line of a password file can
    /// hold.
    pub(crate) fn parse(text: &[u8], most: usize, scheme: Scheme) -> Result<Self, HashError> {
        if text.len() > most || !text.iter().all(u8::is_ascii_graphic) {
            return Err(HashError::Salt(scheme));
        }
        Self::copy(text).ok_or(HashError::Salt(scheme))
    }

    /// The first bytes of `text`, or nothing if it is longer than a salt.
    pub(crate) fn copy(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; 16];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(Self { bytes, len: u8::try_from(text.len()).ok()? })
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    pub(crate) const fn len(&self) -> u8 {
        self.len
    }
}

/// The bytes that crypt's `b64_from_24bit` wrote, in the order in which it took them: little end first, `./0-9A-Za-z`,
/// no padding. Bits that stand for nothing have to be zero, as every writer leaves them.
pub(crate) fn decode_crypt64<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != N.saturating_mul(8).div_ceil(6) {
        return None;
    }
    let mut out = [0; N];
    let mut bytes = out.iter_mut();
    let (mut bits, mut count) = (0_u32, 0_u32);
    for &c in text {
        let six = match c {
            b'.' | b'/' => c.wrapping_sub(b'.'),
            b'0'..=b'9' => c.wrapping_sub(b'0').wrapping_add(2),
            b'A'..=b'Z' => c.wrapping_sub(b'A').wrapping_add(12),
            b'a'..=b'z' => c.wrapping_sub(b'a').wrapping_add(38),
            _ => return None,
        };
        bits |= u32::from(six).wrapping_shl(count);
        count = count.saturating_add(6);
        if count >= 8 {
            *bytes.next()? = bits.to_le_bytes()[0];
            bits = bits.wrapping_shr(8);
            count = count.saturating_sub(8);
        }
    }
    (bits == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_little_end_first() {
        // 0x01 0x02 0x03 → 24 bits 0x030201, six at a time from the low end.
        assert_eq!(decode_crypt64::<3>(b"/6k."), Some([1, 2, 3]));
        assert_eq!(decode_crypt64::<1>(b"z/"), Some([0x7f]));
        assert_eq!(decode_crypt64::<1>(b"z1"), Some([0xff]));
    }

    #[test]
    fn refuses_what_no_writer_writes() {
        assert_eq!(decode_crypt64::<1>(b"z5"), None);
        assert_eq!(decode_crypt64::<1>(b"z"), None);
        assert_eq!(decode_crypt64::<1>(b"z+"), None);
    }

    #[test]
    fn a_blank_salt_is_as_long_as_another() {
        for text in [&b""[..], b"salt", b"saltsaltsaltsalt"] {
            let salt = Salt::copy(text).unwrap();
            assert_eq!((salt.as_slice(), Salt::blank(salt.len()).as_slice().len()), (text, text.len()));
        }
        assert!(Salt::copy(b"saltsaltsaltsalts").is_none());
    }
}
