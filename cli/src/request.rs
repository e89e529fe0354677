//! Requests that are asked about, as a proxy would hand them over.

use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use basic_auth::header_map::serialize;
use basic_auth::{HeaderNames, Policy, Request};

/// A request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// `:method`
    pub method: Vec<u8>,
    /// `:path`
    pub path: Option<Vec<u8>>,
    /// `:authority`
    pub host: Option<Vec<u8>>,
    /// `:scheme`
    pub scheme: Option<Vec<u8>>,
    /// The other headers, by name in lower case and value.
    pub headers: Vec<(String, Vec<u8>)>,
    /// `user:password`, for the header that the configuration names.
    pub user: Option<Vec<u8>>,
    /// The address of the client.
    pub from: Option<IpAddr>,
    /// Whether a body follows.
    pub has_body: bool,
}

impl Asked {
    /// A request to a URL, or to a path: over https, unless the URL says otherwise, and to any host where it names none.
    pub fn new(method: &[u8], url: &[u8]) -> Self {
        let mut asked = Self { method: method.to_vec(), scheme: Some(b"https".to_vec()), ..Self::default() };
        let split =
            |scheme: &'static str| url.strip_prefix(format!("{scheme}://").as_bytes()).map(|rest| (scheme, rest));
        if method == b"CONNECT" {
            asked.host = Some(url.to_vec());
        } else if let Some((scheme, rest)) = split("https").or_else(|| split("http")) {
            asked.scheme = Some(scheme.into());
            let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
            let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, b""));
            // As curl does: user and password are sent as a credential, and not in the host.
            let at = authority.iter().rposition(|byte| *byte == b'@');
            let (user, host) = at.and_then(|at| authority.split_at_checked(at)).unwrap_or((b"", authority));
            asked.user = at.map(|_| decoded(user));
            asked.host = Some(host.strip_prefix(b"@").unwrap_or(host).to_vec());
            // No client sends a fragment.
            let path = path.split(|byte| *byte == b'#').next().unwrap_or_default();
            asked.path = Some(if path.starts_with(b"/") { path.to_vec() } else { [b"/", path].concat() });
        } else {
            asked.path = Some(url.to_vec());
        }
        asked
    }

    /// Whether that is a URL or a path, and not a host without a scheme.
    pub fn is_url(method: &[u8], url: &[u8]) -> bool {
        let starts = |start: &&[u8]| url.starts_with(start);
        method == b"CONNECT" || url == b"*" || [&b"/"[..], b"http://", b"https://"].iter().any(starts)
    }

    /// Adds a header, `name: value`; those that begin with a colon replace a part of the request.
    ///
    /// # Errors
    /// A sentence: it has no colon behind its name.
    pub fn add_header(&mut self, line: &[u8]) -> Result<(), String> {
        let end = line.iter().skip(1).position(|byte| *byte == b':').map(|index| index + 1);
        let end = end.ok_or("a header is `name: value`; what was given has no colon")?;
        let (name, value) = line.split_at_checked(end).unwrap_or_default();
        let value = value.get(1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value).to_vec();
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        match name.as_str() {
            ":method" => self.method = value,
            ":path" => self.path = Some(value),
            ":authority" | "host" => self.host = Some(value),
            ":scheme" => self.scheme = Some(value),
            _ => self.headers.push((name, value)),
        }
        Ok(())
    }

    /// The request as a policy gets it: its headers serialized, which the facts of the request borrow from.
    pub fn header_map(&self, policy: &Policy) -> Box<[u8]> {
        let token = self.user.as_ref().map(|user| format!("Basic {}", BASE64_STANDARD.encode(user)));
        let pseudo = [
            (":method", Some(&self.method)),
            (":path", self.path.as_ref()),
            (":authority", self.host.as_ref()),
            (":scheme", self.scheme.as_ref()),
        ];
        let pseudo = pseudo.into_iter().filter_map(|(name, value)| Some((name, value?.as_slice())));
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        let credential = &*policy.options().headers.credential;
        let credential = token.iter().map(|token| (credential, token.as_bytes()));
        serialize(&pseudo.chain(headers).chain(credential).collect::<Vec<_>>())
    }

    /// The facts of the request; those that a policy looks at are told by its header names.
    pub fn facts<'m>(&self, map: &'m [u8], names: &HeaderNames) -> Request<'m> {
        let mut request = Request::from_header_map(map, names).unwrap_or_default();
        request.source_address = self.from;
        request.has_body = self.has_body;
        request
    }

    /// The request in one line, without credentials.
    pub fn line(&self) -> String {
        let method = self.method.escape_ascii();
        let path = self.path.as_deref().unwrap_or_default().escape_ascii();
        // Before an `@` may be a password.
        let after_at = |host: &Vec<u8>| host.rsplit(|byte| *byte == b'@').next().unwrap_or_default().to_vec();
        match (self.host.as_ref().map(after_at), &self.scheme) {
            (Some(host), Some(scheme)) => format!("{method} {}://{}{path}", scheme.escape_ascii(), host.escape_ascii()),
            (Some(host), None) => format!("{method} {}{path}", host.escape_ascii()),
            (None, _) => format!("{method} {path}"),
        }
    }
}

/// A text without its percent escapes; what is none stays.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|digits| str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::Asked;

    #[test]
    fn user_and_password_of_a_url_are_a_credential_and_are_not_shown() {
        let asked = Asked::new(b"GET", b"https://a%40b:hunter2%@foo.com/x@y");
        assert_eq!((asked.user.as_deref(), asked.host.as_deref()), (Some(&b"a@b:hunter2%"[..]), Some(&b"foo.com"[..])));
        assert_eq!(asked.line(), "GET https://foo.com/x@y");
        let mut asked = Asked::new(b"GET", b"/");
        asked.add_header(b"host: a:hunter2@foo.com").unwrap();
        assert_eq!((asked.line(), asked.user), ("GET https://foo.com/".to_owned(), None));
    }

    #[test]
    fn a_url_is_taken_apart() {
        let parts = |method: &str, url: &str| {
            let asked = Asked::new(method.as_bytes(), url.as_bytes());
            let text = |part: Option<Vec<u8>>| part.map(|part| String::from_utf8(part).unwrap());
            (text(asked.scheme).unwrap(), text(asked.host), text(asked.path))
        };
        let owned = |text: &str| Some(text.to_owned());
        assert_eq!(parts("GET", "http://a.b:80/c?d#e"), ("http".into(), owned("a.b:80"), owned("/c?d")));
        assert_eq!(parts("GET", "https://a.b"), ("https".into(), owned("a.b"), owned("/")));
        assert_eq!(parts("GET", "https://a.b?c"), ("https".into(), owned("a.b"), owned("/?c")));
        assert_eq!(parts("GET", "/a#b"), ("https".into(), None, owned("/a#b")));
        assert_eq!(parts("CONNECT", "a.b:443"), ("https".into(), owned("a.b:443"), None));
    }

    #[test]
    fn headers_are_added_or_replace_a_part() {
        let mut asked = Asked::new(b"GET", b"/a");
        for line in ["X-A: b: c", "x-b:d", ":path: /x:y", "Host: foo.com", ":scheme: http"] {
            asked.add_header(line.as_bytes()).unwrap();
        }
        assert_eq!(asked.headers, [("x-a".to_owned(), b"b: c".to_vec()), ("x-b".to_owned(), b"d".to_vec())]);
        assert_eq!(asked.line(), "GET http://foo.com/x:y");
        assert!(asked.add_header(b"secret").is_err_and(|error| !error.contains("secret")));
    }
}
