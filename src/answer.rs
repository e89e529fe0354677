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

#[cfg(test)]
mod tests {
    use super::Answer;
    use crate::decision::{Decision, Reason};
    use crate::header_map;
    use crate::realm::Realm;

    /// Status and headers of a refusal.
    fn refusal(decision: &Decision<'_>) -> Option<(u32, Vec<(String, String)>)> {
        let Answer::Refuse { status, headers } = Answer::from(decision) else { return None };
        let mut read = Vec::new();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        header_map::for_each(&headers, |name, value| read.push((text(name), text(value)))).unwrap();
        Some((status, read))
    }

    #[test]
    fn a_refusal_has_its_status_and_one_header() {
        let header = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        let realm = Realm::new("shop").unwrap();
        let challenge = r#"Basic realm="shop", charset="UTF-8""#;
        for reason in [Reason::Missing, Reason::Malformed, Reason::UnknownUser, Reason::WrongPassword] {
            let refused = Decision::Refused { reason, realm: &realm, rule: 0 };
            assert_eq!(refusal(&refused), Some((401, header("www-authenticate", challenge))), "{reason}");
        }
        for reason in [Reason::Locked, Reason::Busy] {
            let delayed = Decision::Delayed { reason, retry_after: 7, rule: 0 };
            assert_eq!(refusal(&delayed), Some((429, header("retry-after", "7"))), "{reason}");
        }
        assert_eq!(refusal(&Decision::NotConfigured), Some((503, Vec::new())));
        assert_eq!(refusal(&Decision::Pass), None);
    }
}
