//! What is answered in the place of the upstream.

mod challenge;
mod unauthorized;

use std::borrow::Cow;

use crate::request::header_map;

pub use challenge::{Realm, RealmError};
pub use unauthorized::{Refusal, Unauthorized, UnauthorizedError};

/// An answer that the proxy sends in the place of the upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response<'p> {
    /// The status.
    pub status: u32,
    /// The headers, as a serialized [header map](header_map).
    pub headers: Cow<'p, [u8]>,
    /// The body; empty unless the configuration has one. The proxy leaves it out in its answer to `HEAD`.
    pub body: &'p str,
    /// Why, in Envoy's `%RESPONSE_CODE_DETAILS%`: `basic_auth_` and the reason.
    pub details: &'static str,
}

impl<'p> Response<'p> {
    /// `401` or `407`: the refusal of a rule.
    pub(crate) fn refused(refusal: &'p Refusal, details: &'static str) -> Self {
        Self { status: refusal.status(), headers: Cow::Borrowed(refusal.headers()), body: refusal.body(), details }
    }

    /// `429` or `503`: come again after so many seconds.
    pub(crate) fn come_again(status: u32, retry_after: u64, details: &'static str) -> Self {
        let seconds = retry_after.to_string();
        Self { headers: serialized("retry-after", seconds.as_bytes()), ..Self::bare(status, details) }
    }

    /// `308`: the same place, elsewhere.
    pub(crate) fn redirect(location: &[u8], details: &'static str) -> Self {
        Self { headers: serialized("location", location), ..Self::bare(308, details) }
    }

    /// A status and nothing else.
    pub(crate) fn bare(status: u32, details: &'static str) -> Self {
        Self { status, headers: Cow::Borrowed(&[0; 4]), body: "", details }
    }
}

fn serialized(name: &str, value: &[u8]) -> Cow<'static, [u8]> {
    Cow::Owned(header_map::serialize(&[(name, value)]).into())
}
