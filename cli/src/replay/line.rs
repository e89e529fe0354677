//! Lines of access logs: the default formats of Envoy and Istio, as text and as JSON.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// What a line tells of a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Line<'l> {
    /// The method.
    pub method: Cow<'l, [u8]>,
    /// The path; `CONNECT` has none.
    pub path: Option<Cow<'l, [u8]>>,
    /// The host.
    pub host: Option<Cow<'l, [u8]>>,
    /// The address of the client.
    pub client: Option<IpAddr>,
}

impl<'l> Line<'l> {
    /// Reads a line; `None` if it is none of these.
    pub fn read(line: &'l [u8]) -> Option<Self> {
        let line = line.trim_ascii();
        if line.first() == Some(&b'{') { serde_json::from_slice(line).ok().and_then(Fields::line) } else { text(line) }
    }
}

/// Text: `[time] "GET /path HTTP/1.1" 200 …`. Envoy ends it with `"authority" "upstream"`; Istio adds words, of which the
/// fourth is the client's address.
fn text(line: &[u8]) -> Option<Line<'_>> {
    let mut quotes = line.iter().enumerate().filter(|(_, byte)| **byte == b'"').map(|(index, _)| index);
    let (start, end) = (quotes.next()?, quotes.next()?);
    let request = line.get(start + 1..end)?;
    let method_end = request.iter().position(|byte| *byte == b' ')?;
    let path_end = request.iter().rposition(|byte| *byte == b' ').filter(|end| *end > method_end)?;
    let (method, path) = (request.get(..method_end)?, request.get(method_end + 1..path_end)?);
    // From the end, for a user agent may have quotes of its own.
    let rest = line.get(end + 1..)?;
    let mut parts = rest.rsplit(|byte| *byte == b'"');
    let words = parts.next()?;
    let (_upstream, _, host, _) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    // Where Envoy's default has no words at the end, the first quotes hold `x-forwarded-for`.
    let forwarded = rest.split(|byte| *byte == b'"').nth(1)?;
    let peer = words.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).nth(3);
    let last = forwarded.rsplit(|byte| *byte == b',').next();
    Some(Line {
        method: Cow::Borrowed(method),
        path: known(path).map(Cow::Borrowed),
        host: known(host).map(Cow::Borrowed),
        client: peer.and_then(address).or_else(|| last.and_then(address)),
    })
}

/// A value, of which `-` is none.
fn known(value: &[u8]) -> Option<&[u8]> {
    (!value.is_empty() && value != b"-").then_some(value)
}

/// An address, with or without a port.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok()?.trim();
    text.parse().ok().or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|address| address.ip()))
}

/// The fields of a line in JSON.
#[derive(Default)]
struct Fields<'l> {
    method: Option<Cow<'l, str>>,
    path: Option<Cow<'l, str>>,
    host: Option<Cow<'l, str>>,
    peer: Option<Cow<'l, str>>,
    forwarded: Option<Cow<'l, str>>,
}

impl<'l> Fields<'l> {
    fn line(self) -> Option<Line<'l>> {
        let bytes = |text: Cow<'l, str>| match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        let last = |text: Cow<'l, str>| text.rsplit(',').next().and_then(|last| address(last.as_bytes()));
        Some(Line {
            method: bytes(self.method?),
            path: self.path.map(bytes),
            host: self.host.map(bytes),
            client: self.peer.and_then(|text| address(text.as_bytes())).or_else(|| self.forwarded.and_then(last)),
        })
    }
}

impl<'de: 'l, 'l> Deserialize<'de> for Fields<'l> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a line of an access log")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Fields::default();
                while let Some(Text(name)) = map.next_key()? {
                    let field = match &*name {
                        "method" => &mut fields.method,
                        "path" => &mut fields.path,
                        "authority" => &mut fields.host,
                        "downstream_remote_address" => &mut fields.peer,
                        "x_forwarded_for" => &mut fields.forwarded,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    // What is not there is null, or `-` in older versions.
                    *field = map.next_value::<Option<Text<'de>>>()?.map(|Text(text)| text).filter(|text| text != "-");
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// A string, borrowed where it has no escape.
struct Text<'t>(Cow<'t, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::Line;

    fn read(line: &str) -> (String, String, String, String) {
        let line = Line::read(line.as_bytes()).unwrap();
        let text = |part: Option<&[u8]>| part.map_or("none".to_owned(), |part| part.escape_ascii().to_string());
        let client = line.client.map_or("none".to_owned(), |client| client.to_string());
        (text(Some(&line.method)), text(line.path.as_deref()), text(line.host.as_deref()), client)
    }

    #[test]
    fn the_default_formats_are_read() {
        let expected = ("GET".to_owned(), "/a?b".to_owned(), "shop.test:80".to_owned(), "10.0.0.1".to_owned());
        for line in [
            // Envoy's default.
            r#"[2026-11-26T17:00:00.000Z] "GET /a?b HTTP/1.1" 200 - 0 5 1 - "192.0.2.1, 10.0.0.1" "curl/8 "x"" "1-2" "shop.test:80" "127.0.0.1:1""#,
            // Istio's.
            r#"[2026-11-26T17:00:00.000Z] "GET /a?b HTTP/1.1" 200 - via_upstream - "-" 0 5 1 0 "192.0.2.1" "curl/8" "1-2" "shop.test:80" "127.0.0.1:1" inbound|80|| 127.0.0.6:1 10.0.0.9:80 10.0.0.1:5 - default"#,
            r#"{"method":"GET","path":"/a?b","authority":"shop.test:80","response_code":200,"x_forwarded_for":"192.0.2.1","downstream_remote_address":"10.0.0.1:5","route_name":null}"#,
            r#"{"bytes_sent":5,"authority":"shop.test:80","path":"\/a?b","method":"GET","x_forwarded_for":"192.0.2.1,10.0.0.1","downstream_remote_address":"-"}"#,
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_not_there_is_none() {
        let line = r#"[x] "CONNECT - HTTP/2" 200 - 0 5 1 - "-" "-" "-" "shop.test:443" "-""#;
        assert_eq!(read(line), ("CONNECT".into(), "none".into(), "shop.test:443".into(), "none".into()));
        for line in ["", "GET / 200", r#"[x] "- - -""#, "{", r#"{"path": "/"}"#, r#"{"method": 1}"#, r#"[x] "GET" 200"#]
        {
            assert_eq!(Line::read(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_kept() {
        let line = b"[x] \"GET /\xff HTTP/1.1\" 200 - 0 5 1 - \"127.0.0.1\" \"-\" \"-\" \"a\" \"-\"";
        let line = Line::read(line).unwrap();
        assert_eq!((line.path.as_deref(), line.client), (Some(&b"/\xff"[..]), Some(Ipv4Addr::LOCALHOST.into())));
    }
}
