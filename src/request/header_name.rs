//! The names of header fields that a configuration chooses.

use std::fmt;

/// The name of a header field (RFC 9110, section 5.1), in lower case as HTTP/2 has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HeaderName(Box<str>);

/// Why a header name is refused. Its `Display` says what to do and quotes nothing of the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderNameError {
    /// It is no token (RFC 9110, section 5.6.2).
    NotToken,
    /// It is a pseudo header of HTTP/2, or `host`, which stands for one.
    Pseudo,
    /// The proxy itself writes it.
    Framing,
}

impl fmt::Display for HeaderNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotToken => "not a header name (RFC 9110 wants a token); write one like `x-user`",
            Self::Pseudo => "a pseudo header or `host`, which the proxy routes by; write one like `x-user`",
            Self::Framing => "a header that frames the message, which the proxy writes itself; write one like `x-user`",
        })
    }
}

impl std::error::Error for HeaderNameError {}

impl HeaderName {
    /// Takes a name from the configuration, in any case.
    ///
    /// # Errors
    /// [`HeaderNameError`]
    pub fn parse(text: &str) -> Result<Self, HeaderNameError> {
        let name = text.to_ascii_lowercase();
        match name.as_str() {
            "host" => Err(HeaderNameError::Pseudo),
            "content-length" | "transfer-encoding" | "connection" | "upgrade" | "te" | "trailer" | "keep-alive" => {
                Err(HeaderNameError::Framing)
            }
            _ if name.starts_with(':') => Err(HeaderNameError::Pseudo),
            _ if name.is_empty() || !name.bytes().all(is_token_byte) => Err(HeaderNameError::NotToken),
            _ => Ok(Self(name.into())),
        }
    }

    /// The name, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `tchar` of RFC 9110, section 5.6.2.
pub(crate) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::{HeaderName, HeaderNameError};

    #[test]
    fn a_name_is_a_token_in_lower_case() {
        assert_eq!(HeaderName::parse("X-Forwarded-User").unwrap().as_str(), "x-forwarded-user");
        for (text, error) in [
            ("", HeaderNameError::NotToken),
            ("x user", HeaderNameError::NotToken),
            ("x-user:", HeaderNameError::NotToken),
            ("x-\u{fc}ser", HeaderNameError::NotToken),
            ("x\nuser", HeaderNameError::NotToken),
            (":path", HeaderNameError::Pseudo),
            ("Host", HeaderNameError::Pseudo),
            ("Content-Length", HeaderNameError::Framing),
        ] {
            assert_eq!(HeaderName::parse(text), Err(error), "{text:?}");
        }
    }
}
