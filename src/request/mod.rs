//! What a decision looks at in a request, borrowed and in bytes: no header has to be UTF-8.

pub(crate) mod client;
pub mod header_map;
pub(crate) mod host;

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
    /// Takes the facts out of a serialized [header map](header_map); `None` if the bytes are none, so that nothing can be
    /// known.
    #[must_use]
    pub fn from_header_map(map: &'a [u8]) -> Option<Self> {
        let mut request = Self::default();
        header_map::for_each(map, |name, value| match name {
            b":method" => request.method = value,
            b":path" => request.path = Some(value),
            b":authority" => request.authority = Some(value),
            b"authorization" => request.credential.add(value),
            _ => {}
        })?;
        Some(request)
    }
}

#[cfg(test)]
mod tests {
    use super::{HeaderLines, Request};
    use crate::request::header_map::serialize;

    #[test]
    fn the_facts_are_taken_out_of_the_map() {
        let map = serialize(&[
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
        let map = serialize(&[]);
        let request = Request::from_header_map(&map).unwrap();
        assert!(request.method.is_empty() && request.path.is_none() && request.authority.is_none());
        assert!(matches!(request.credential, HeaderLines::None));
        // CVE-2021-32777, CVE-2026-26308: of two headers the first or the last counted, or both joined.
        for [first, second] in [[&b"a"[..], b"a"], [b"a", b"b"], [b"", b"a"], [b"a", b""], [b"", b""]] {
            let map = serialize(&[("authorization", first), ("authorization", second)]);
            assert!(matches!(Request::from_header_map(&map).unwrap().credential, HeaderLines::Several));
        }
    }
}
