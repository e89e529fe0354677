//! What a decision looks at in a request, borrowed and in bytes: no header has to be UTF-8.

/// The facts of one request. It has no `Debug`, for it holds a secret.
#[derive(Clone, Default)]
pub struct Request<'a> {
    /// `:method`
    pub method: &'a [u8],
    /// `:path` with the query as it was sent; `CONNECT` has none.
    pub path: Option<&'a [u8]>,
    /// `:authority`, which is `host` in HTTP/1.
    pub authority: Option<&'a [u8]>,
    /// The credential header.
    pub credential: HeaderLines<'a>,
}

/// The lines of one header. Two are one too many wherever it matters which of them counts.
#[derive(Clone, Copy, Default)]
pub enum HeaderLines<'a> {
    /// None.
    #[default]
    None,
    /// One, with this value.
    One(&'a [u8]),
    /// More than one.
    Several,
}

impl<'a> HeaderLines<'a> {
    fn add(&mut self, value: &'a [u8]) {
        *self = match self {
            Self::None => Self::One(value),
            Self::One(_) | Self::Several => Self::Several,
        };
    }
}

impl<'a> FromIterator<&'a [u8]> for HeaderLines<'a> {
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(values: I) -> Self {
        let mut lines = Self::None;
        values.into_iter().for_each(|value| lines.add(value));
        lines
    }
}

impl<'a> Request<'a> {
    /// Reads a header map as the proxy-wasm ABI serializes it: the number of pairs, the two lengths of each pair, and
    /// then each name and each value with a NUL behind it. All numbers are 32 bits, little-endian.
    ///
    /// `None` if the bytes are no such map, of which nothing can be known.
    #[must_use]
    pub fn from_header_map(map: &'a [u8]) -> Option<Self> {
        let (count, rest) = split_number(map)?;
        let (mut lengths, mut pairs) = rest.split_at_checked(count.checked_mul(8)?)?;
        let mut request = Self::default();
        while !lengths.is_empty() {
            let (name_length, rest) = split_number(lengths)?;
            let (value_length, rest) = split_number(rest)?;
            lengths = rest;
            let (name, rest) = split_text(pairs, name_length)?;
            let (value, rest) = split_text(rest, value_length)?;
            pairs = rest;
            match name {
                b":method" => request.method = value,
                b":path" => request.path = Some(value),
                b":authority" => request.authority = Some(value),
                b"authorization" => request.credential.add(value),
                _ => {}
            }
        }
        Some(request)
    }
}

fn split_number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((usize::try_from(u32::from_le_bytes(*number)).ok()?, rest))
}

/// Splits off a text and the NUL behind it.
fn split_text(bytes: &[u8], length: usize) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(length)?;
    Some((text, rest.split_first()?.1))
}

#[cfg(test)]
mod tests {
    use super::{HeaderLines, Request};

    fn serialized(pairs: &[(&str, &[u8])]) -> Vec<u8> {
        let number = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
        let mut map = number(pairs.len()).to_vec();
        for (name, value) in pairs {
            map.extend([number(name.len()), number(value.len())].concat());
        }
        for (name, value) in pairs {
            map.extend([name.as_bytes(), b"\0", value, b"\0"].concat());
        }
        map
    }

    #[test]
    fn the_facts_are_taken_out_of_the_map() {
        let map = serialized(&[
            (":authority", b"foo.com"),
            (":path", b"/a\0b\xff"),
            (":method", b"GET"),
            ("x-authorization", b"no"),
            ("authorization", b"Basic eDp5"),
            ("accept", b""),
        ]);
        let request = Request::from_header_map(&map).unwrap();
        assert_eq!(
            (request.method, request.path, request.authority),
            (&b"GET"[..], Some(&b"/a\0b\xff"[..]), Some(&b"foo.com"[..]))
        );
        assert!(matches!(request.credential, HeaderLines::One(b"Basic eDp5")));
    }

    #[test]
    fn what_is_not_there_is_absent_and_what_is_there_twice_is_several() {
        let map = serialized(&[]);
        let request = Request::from_header_map(&map).unwrap();
        assert!(request.method.is_empty() && request.path.is_none() && request.authority.is_none());
        assert!(matches!(request.credential, HeaderLines::None));
        let map = serialized(&[("authorization", b"a"), ("authorization", b"a")]);
        assert!(matches!(Request::from_header_map(&map).unwrap().credential, HeaderLines::Several));
    }

    #[test]
    fn a_map_that_is_cut_short_is_none() {
        let map = serialized(&[(":path", b"/"), (":method", b"GET")]);
        for length in 0..map.len() {
            assert!(Request::from_header_map(&map[..length]).is_none(), "{length} bytes");
        }
        assert!(Request::from_header_map(&[0xff; 64]).is_none());
    }
}
