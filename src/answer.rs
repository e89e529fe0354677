//! What the proxy is asked to do about a decision.

use crate::decision::Decision;

/// The effect of a decision on its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'p> {
    /// The request goes on, untouched.
    Continue,
    /// `401` with an empty body.
    Unauthorized {
        /// The value of `www-authenticate`.
        challenge: &'p str,
    },
    /// `429` with an empty body.
    TooManyRequests {
        /// The value of `retry-after`, in seconds.
        retry_after: u64,
    },
    /// `503` with an empty body: the filter has no valid configuration.
    Unavailable,
}

impl<'p> From<&Decision<'p>> for Answer<'p> {
    fn from(decision: &Decision<'p>) -> Self {
        match decision {
            Decision::Pass | Decision::Accepted { .. } => Self::Continue,
            Decision::Refused { realm, .. } => Self::Unauthorized { challenge: realm.challenge() },
            Decision::Delayed { retry_after, .. } => Self::TooManyRequests { retry_after: *retry_after },
            Decision::NotConfigured => Self::Unavailable,
        }
    }
}
