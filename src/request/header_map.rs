//! Header maps as the proxy-wasm ABI serializes them: the number of pairs, the two lengths of each pair, and then each
//! name and each value with a NUL behind it. All numbers are 32 bits, little-endian.

/// Serializes pairs of name and value.
#[must_use]
pub fn serialize(pairs: &[(&str, &[u8])]) -> Box<[u8]> {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    let mut map = number(pairs.len()).to_vec();
    for (name, value) in pairs {
        map.extend(number(name.len()));
        map.extend(number(value.len()));
    }
    for (name, value) in pairs {
        map.extend_from_slice(name.as_bytes());
        map.push(0);
        map.extend_from_slice(value);
        map.push(0);
    }
    map.into()
}

/// Calls `read` with the name and the value of each pair; `None` if the bytes are no such map.
#[must_use]
pub fn for_each<'a>(map: &'a [u8], mut read: impl FnMut(&'a [u8], &'a [u8])) -> Option<()> {
    let (count, rest) = map.split_first_chunk()?;
    let (lengths, mut pairs) = rest.split_at_checked(number(*count)?.checked_mul(8)?)?;
    for &[n0, n1, n2, n3, v0, v1, v2, v3] in lengths.as_chunks().0 {
        let (name, rest) = split_text(pairs, number([n0, n1, n2, n3])?)?;
        let (value, rest) = split_text(rest, number([v0, v1, v2, v3])?)?;
        pairs = rest;
        read(name, value);
    }
    Some(())
}

fn number(bytes: [u8; 4]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}

/// Splits off a text and the NUL behind it.
fn split_text(bytes: &[u8], length: usize) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(length)?;
    Some((text, rest.split_first()?.1))
}

#[cfg(test)]
mod tests {
    use super::{for_each, serialize};

    #[test]
    fn a_map_is_read_as_it_was_written() {
        let pairs: [(&str, &[u8]); 3] = [(":path", b"/a\0b\xff"), ("", b""), ("accept", b"*/*")];
        let map = serialize(&pairs);
        let mut read = Vec::new();
        for_each(&map, |name, value| read.push((str::from_utf8(name).unwrap(), value))).unwrap();
        assert_eq!(read, pairs);
        assert_eq!(*serialize(&[]), [0; 4]);
        assert_eq!(*serialize(&[("a", b"bc")]), *b"\x01\0\0\0\x01\0\0\0\x02\0\0\0a\0bc\0");
    }

    #[test]
    fn a_map_that_is_cut_short_is_none() {
        let map = serialize(&[(":path", b"/"), (":method", b"GET")]);
        for length in 0..map.len() {
            assert!(for_each(&map[..length], |_, _| {}).is_none(), "{length} bytes");
        }
        assert!(for_each(&[0xff; 64], |_, _| {}).is_none());
    }
}
