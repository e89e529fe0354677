//! What is answered in the place of the upstream.

mod challenge;

use std::borrow::Cow;

use crate::request::header_map;

pub use challenge::{Realm, RealmError};

/// An answer that the proxy sends in the place of the upstream. Its body is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response<'p> {
    /// The status: `401`; `429` where the password was not looked at; `503` where there is no valid configuration.
    pub status: u32,
    /// `www-authenticate` or `retry-after`, as a serialized [header map](header_map).
    pub headers: Cow<'p, [u8]>,
}

impl<'p> Response<'p> {
    /// `401`: the challenge of a realm.
    pub(crate) fn unauthorized(realm: &'p Realm) -> Self {
        Self { status: 401, headers: Cow::Borrowed(realm.headers()) }
    }

    /// `429`: the login may be tried again after so many seconds.
    pub(crate) fn too_many_requests(retry_after: u64) -> Self {
        let seconds = retry_after.to_string();
        Self { status: 429, headers: Cow::Owned(header_map::serialize(&[("retry-after", seconds.as_bytes())]).into()) }
    }

    /// `503`: nothing can be decided.
    pub(crate) fn service_unavailable() -> Self {
        Self { status: 503, headers: Cow::Owned(header_map::serialize(&[]).into()) }
    }
}
