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
pub fn for_each<'a>(map: &'a [u8], read: impl FnMut(&'a [u8], &'a [u8])) -> Option<()> {
    for_each_where(map, |_| true, read)
}

/// The same for pairs whose name is as long as `is_wanted` says; the others are stepped over.
#[must_use]
pub(crate) fn for_each_where<'a>(
    map: &'a [u8],
    is_wanted: impl Fn(u32) -> bool,
    mut read: impl FnMut(&'a [u8], &'a [u8]),
) -> Option<()> {
    let (count, rest) = map.split_first_chunk()?;
    let (lengths, pairs) = rest.split_at_checked(number(*count)?.checked_mul(8)?)?;
    // Numbers of 32 bits, fewer than there are bytes: their sum has less than 64.
    let mut place = 0_u64;
    for &[n0, n1, n2, n3, v0, v1, v2, v3] in lengths.as_chunks().0 {
        let name = u32::from_le_bytes([n0, n1, n2, n3]);
        let value = u32::from_le_bytes([v0, v1, v2, v3]);
        if is_wanted(name) {
            let (name, rest) = split_text(pairs.get(usize::try_from(place).ok()?..)?, name)?;
            read(name, split_text(rest, value)?.0);
        }
        place = place.wrapping_add(u64::from(name)).wrapping_add(u64::from(value)).wrapping_add(2);
    }
    (usize::try_from(place).ok()? <= pairs.len()).then_some(())
}

fn number(bytes: [u8; 4]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}

/// Splits off a text and the NUL behind it.
fn split_text(bytes: &[u8], length: u32) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    Some((text, rest.split_first()?.1))
}

#[cfg(test)]
mod tests {
    use super::{for_each, for_each_where, serialize};

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
    fn names_of_other_lengths_are_stepped_over() {
        let map = serialize(&[("a", b"1"), ("bb", b"22"), ("c", b""), ("dd", b"4")]);
        let mut read = Vec::new();
        for_each_where(&map, |length| length == 2, |name, value| read.push((name, value))).unwrap();
        assert_eq!(read, [(&b"bb"[..], &b"22"[..]), (b"dd", b"4")]);
    }

    #[test]
    fn a_map_that_is_cut_short_is_none() {
        let map = serialize(&[(":path", b"/"), (":method", b"GET")]);
        for length in 0..map.len() {
            for is_wanted in [false, true] {
                assert!(for_each_where(&map[..length], |_| is_wanted, |_, _| {}).is_none(), "{length} bytes");
            }
        }
        assert!(for_each_where(&[0xff; 64], |_| false, |_, _| {}).is_none());
        assert!(for_each_where(&[0xff; 64], |_| true, |_, _| {}).is_none());
    }
}
