//! What a decision looks at in a request, borrowed and in bytes: no header has to be UTF-8.

pub(crate) mod client;
pub mod header_map;
pub(crate) mod header_name;
pub(crate) mod host;
pub(crate) mod number;

use std::net::IpAddr;

/// The facts of one request. It has no `Debug`, for it holds a secret.
#[derive(Clone, Default)]
pub struct Request<'a> {
    /// `:method`
    pub method: &'a [u8],
    /// `:path` with the query as it was sent; `CONNECT` has none.
    pub path: Option<&'a [u8]>,
    /// `:authority`, which is `host` in HTTP/1.
    pub authority: Option<&'a [u8]>,
    /// `:scheme`; read only where a configuration asks for it.
    pub scheme: Option<&'a [u8]>,
    /// The header that carries the credential: `authorization`, unless a configuration names another.
    pub credential: HeaderLines<'a>,
    /// Whether it has the headers of a CORS preflight (Fetch, section 3.2.2), `origin` and
    /// `access-control-request-method`; read only where a configuration asks for it.
    pub asks_for_cors: bool,
    /// Whether a body follows the headers.
    pub has_body: bool,
    /// The names of all headers that a backend may take for the one that tells it the user: the header that a
    /// configuration names, and its aliases with `_` for `-`.
    pub username_headers: Box<[&'a [u8]]>,
    /// The address of the client, where it is known beforehand. A proxy is asked for it only if it counts.
    pub source_address: Option<IpAddr>,
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

/// Which headers count beside `:method`, `:path` and `:authority`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderNames {
    /// The header that carries the credential, in lower case.
    pub credential: Box<str>,
    /// The header that tells the upstream the user, in lower case.
    pub username: Option<Box<str>>,
    /// Whether nothing but `authorization` counts, as usual. Told once: to compare names takes longer than to read them.
    is_authorization_alone: bool,
}

impl HeaderNames {
    /// `authorization`, and nothing else.
    #[must_use]
    pub fn authorization() -> Self {
        Self::new("authorization", None, false, false)
    }

    /// The header of the credential, the header that tells the upstream the user, and whether `:scheme` and the headers of
    /// a CORS preflight count.
    #[must_use]
    pub fn new(credential: &str, username: Option<&str>, scheme: bool, cors: bool) -> Self {
        let is_authorization_alone = credential == "authorization" && username.is_none() && !scheme && !cors;
        Self { credential: credential.into(), username: username.map(Into::into), is_authorization_alone }
    }

    /// Whether a backend may take a header of that name for the one that tells it the user: many servers hand headers to
    /// programs in capitals and with `_` for `-`, where both are one.
    fn is_username(&self, name: &[u8]) -> bool {
        let fold = |byte: u8| if byte == b'-' { b'_' } else { byte.to_ascii_lowercase() };
        let same = |username: &str| {
            username.len() == name.len() && username.bytes().zip(name).all(|(one, other)| fold(one) == fold(*other))
        };
        self.username.as_deref().is_some_and(same)
    }
}

impl<'a> Request<'a> {
    /// Whether it is a CORS preflight (Fetch, section 3.2.2), which has neither a credential nor a body.
    #[must_use]
    pub fn is_preflight(&self) -> bool {
        let has_credential = !matches!(self.credential, HeaderLines::None);
        self.asks_for_cors && self.method == b"OPTIONS" && !has_credential && !self.has_body
    }

    /// Whether it is known to come over https.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"https"))
    }

    /// Takes the facts out of a serialized [header map](header_map); `None` if the bytes are none, so that nothing can be
    /// known.
    #[must_use]
    pub fn from_header_map(map: &'a [u8], names: &HeaderNames) -> Option<Self> {
        let mut request = Self::default();
        request.read(map, names)?;
        Some(request)
    }

    /// The same, in place.
    pub(crate) fn read(&mut self, map: &'a [u8], names: &HeaderNames) -> Option<()> {
        if !names.is_authorization_alone {
            return self.read_all(map, names);
        }
        // Every request is read here; what no configuration asks for must not cost anything.
        let Self { method, path, authority, credential, .. } = self;
        let is_wanted = |length| matches!(length, 5 | 7 | 10 | 13);
        // Compared as a whole: a pattern would compare byte by byte.
        header_map::for_each_where(map, is_wanted, |name, value| match name.len() {
            5 if name == b":path" => *path = Some(value),
            7 if name == b":method" => *method = value,
            10 if name == b":authority" => *authority = Some(value),
            13 if name == b"authorization" => credential.add(value),
            _ => {}
        })
    }

    #[cold]
    fn read_all(&mut self, map: &'a [u8], names: &HeaderNames) -> Option<()> {
        let (mut origin, mut method_of_cors) = (false, false);
        let mut username_headers = Vec::new();
        header_map::for_each(map, |name, value| {
            if name == names.credential.as_bytes() {
                self.credential.add(value);
            }
            if names.is_username(name) {
                username_headers.push(name);
            }
            match name {
                b":method" => self.method = value,
                b":path" => self.path = Some(value),
                b":authority" => self.authority = Some(value),
                b":scheme" => self.scheme = Some(value),
                b"origin" => origin = true,
                b"access-control-request-method" => method_of_cors = true,
                _ => {}
            }
        })?;
        self.username_headers = username_headers.into();
        self.asks_for_cors = origin && method_of_cors;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::{HeaderLines, HeaderNames, Request};
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
        let request = Request::from_header_map(&map, &HeaderNames::authorization()).unwrap();
        assert_eq!(
            (request.method, request.path, request.authority),
            (&b"GET"[..], Some(&b"/a\0b\xff"[..]), Some(&b"foo.com"[..]))
        );
        assert!(matches!(request.credential, HeaderLines::One(b"Basic eDp5")));
    }

    #[test]
    fn what_is_not_there_is_absent_and_what_is_there_twice_is_several() {
        let map = serialize(&[]);
        let request = Request::from_header_map(&map, &HeaderNames::authorization()).unwrap();
        assert!(request.method.is_empty() && request.path.is_none() && request.authority.is_none());
        assert!(matches!(request.credential, HeaderLines::None));
        // CVE-2021-32777, CVE-2026-26308: of two headers the first or the last counted, or both joined.
        for [first, second] in [[&b"a"[..], b"a"], [b"a", b"b"], [b"", b"a"], [b"a", b""], [b"", b""]] {
            let map = serialize(&[("authorization", first), ("authorization", second)]);
            assert!(matches!(
                Request::from_header_map(&map, &HeaderNames::authorization()).unwrap().credential,
                HeaderLines::Several
            ));
        }
    }

    #[test]
    fn what_a_configuration_asks_for_is_read_as_well() {
        let map = serialize(&[
            (":scheme", b"http"),
            ("authorization", b"Basic eDp5"),
            ("x-api-key", b"Basic YTpi"),
            ("origin", b"https://foo.com"),
            ("x-user", b"mallory"),
            ("X_User", b"mallory"),
            ("x-user-id", b"1"),
            ("access-control-request-method", b"GET"),
        ]);
        let names = HeaderNames::new("x-api-key", Some("x-user"), true, true);
        let request = Request::from_header_map(&map, &names).unwrap();
        assert!(matches!(request.credential, HeaderLines::One(b"Basic YTpi")));
        assert_eq!((request.scheme, request.asks_for_cors), (Some(&b"http"[..]), true));
        assert_eq!(*request.username_headers, [&b"x-user"[..], b"X_User"]);
        let request = Request::from_header_map(&map, &HeaderNames::authorization()).unwrap();
        assert!(matches!(request.credential, HeaderLines::One(b"Basic eDp5")));
        assert!(request.scheme.is_none() && !request.asks_for_cors && request.username_headers.is_empty());
        // One of the two headers alone is no preflight.
        let map = serialize(&[("origin", b"https://foo.com")]);
        assert!(!Request::from_header_map(&map, &names).unwrap().asks_for_cors);
    }
}
