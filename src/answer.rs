//! What the proxy is asked to do about a decision.

use std::borrow::Cow;

use crate::decision::Decision;
use crate::header_map;

/// The effect of a decision on its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<'p> {
    /// The request goes on, untouched.
    Continue,
    /// The request ends here, with an empty body.
    Refuse {
        /// `401`; `429` where the password was not looked at; `503` where the filter has no valid configuration.
        status: u32,
        /// `www-authenticate` or `retry-after`, as a serialized [header map](header_map).
        headers: Cow<'p, [u8]>,
    },
}

impl<'p> From<&Decision<'p>> for Answer<'p> {
    fn from(decision: &Decision<'p>) -> Self {
        match decision {
            Decision::Pass | Decision::Accepted { .. } => Self::Continue,
            Decision::Refused { realm, .. } => Self::Refuse { status: 401, headers: Cow::Borrowed(realm.headers()) },
            Decision::Delayed { retry_after, .. } => {
                let seconds = retry_after.to_string();
                let headers = header_map::serialize(&[("retry-after", seconds.as_bytes())]);
                Self::Refuse { status: 429, headers: Cow::Owned(headers.into()) }
            }
            Decision::NotConfigured => {
                Self::Refuse { status: 503, headers: Cow::Owned(header_map::serialize(&[]).into()) }
            }
        }
    }
}
