//! What a refusal looks like: status, challenge, and what `unauthorized` adds.

use std::fmt;
use std::sync::Arc;

use super::Realm;
use crate::request::header_map;
use crate::request::header_name::{HeaderName, HeaderNameError};

/// `unauthorized`: body and headers of a refusal. Nothing of it by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Unauthorized {
    /// The body, which an answer to `HEAD` does not have.
    pub body: Box<str>,
    /// `content-type`
    pub content_type: Option<Box<str>>,
    /// Further headers, by name and value.
    pub headers: Box<[(HeaderName, Box<str>)]>,
}

/// Why an `unauthorized` is refused. Its `Display` says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnauthorizedError {
    /// A header's name is refused.
    Name(HeaderNameError),
    /// A header that the filter writes itself.
    Challenge,
    /// A value holds a control character.
    ControlCharacter,
}

impl fmt::Display for UnauthorizedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::Challenge => f.write_str(
                "a header that the filter writes itself; set `realm`, `content_type` or `authentication_header`",
            ),
            Self::ControlCharacter => f.write_str("a control character in the value of a header (RFC 9110); remove it"),
        }
    }
}

impl std::error::Error for UnauthorizedError {}

impl Unauthorized {
    /// Checks the value of a header, `content-type` included.
    ///
    /// # Errors
    /// [`UnauthorizedError::ControlCharacter`]
    pub fn check_value(value: &str) -> Result<(), UnauthorizedError> {
        if value.bytes().any(|byte| byte.is_ascii_control()) {
            Err(UnauthorizedError::ControlCharacter)
        } else {
            Ok(())
        }
    }

    /// Checks the name of a further header.
    ///
    /// # Errors
    /// [`UnauthorizedError::Name`], [`UnauthorizedError::Challenge`]
    pub fn check_name(name: &str) -> Result<HeaderName, UnauthorizedError> {
        let name = HeaderName::parse(name).map_err(UnauthorizedError::Name)?;
        match name.as_str() {
            "www-authenticate" | "proxy-authenticate" | "content-type" => Err(UnauthorizedError::Challenge),
            _ => Ok(name),
        }
    }
}

/// The refusal of a rule, with its headers serialized once, at load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    realm: Arc<Realm>,
    status: u32,
    headers: Box<[u8]>,
    body: Box<str>,
}

impl Refusal {
    /// The refusal with this challenge: `401`, or `407` where the credential is `proxy-authorization`'s.
    #[must_use]
    pub fn new(realm: Arc<Realm>, unauthorized: &Unauthorized, credential: &str) -> Self {
        let (status, challenge_header) = match credential {
            "proxy-authorization" => (407, "proxy-authenticate"),
            _ => (401, "www-authenticate"),
        };
        let challenge = realm.challenge();
        let mut headers = vec![(challenge_header, challenge.as_bytes())];
        headers.extend(unauthorized.content_type.iter().map(|value| ("content-type", value.as_bytes())));
        headers.extend(unauthorized.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        let headers = header_map::serialize(&headers);
        Self { realm, status, headers, body: unauthorized.body.clone() }
    }

    /// The realm of its challenge.
    #[must_use]
    pub fn realm(&self) -> &Realm {
        &self.realm
    }

    pub(super) fn status(&self) -> u32 {
        self.status
    }

    pub(super) fn headers(&self) -> &[u8] {
        &self.headers
    }

    pub(super) fn body(&self) -> &str {
        &self.body
    }
}
