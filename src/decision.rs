//! The decision: a pure function of a policy and a request.

use std::fmt;

use crate::credential::{Pair, Presented, Verdict};
use crate::policy::Policy;
use crate::realm::Realm;
use crate::request::Request;

/// What becomes of a request.
pub enum Decision<'p> {
    /// There is no valid configuration, so nothing can be known to be open.
    NotConfigured,
    /// No rule covers the request.
    Pass,
    /// Every rule that covers the request accepts the user.
    Accepted {
        /// Who was accepted, with the password that was presented.
        pair: Pair,
        /// The first rule that covers the request, as its place in the configuration.
        rule: usize,
    },
    /// A rule that covers the request does not accept it; the first such in the order of the configuration.
    Refused {
        /// Why.
        reason: Reason,
        /// The realm of that rule.
        realm: &'p Realm,
        /// That rule, as its place in the configuration.
        rule: usize,
    },
}

/// Why a request is refused. It is for logs and counters: all refusals look the same to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No credential of the `Basic` scheme.
    Missing,
    /// A credential that cannot be read, or several.
    Malformed,
    /// A user that the rule does not know.
    UnknownUser,
    /// A user that the rule knows, with another password.
    WrongPassword,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::UnknownUser => "unknown_user",
            Self::WrongPassword => "wrong_password",
        })
    }
}

impl<'p> Decision<'p> {
    /// Decides about a request. Without a policy the filter is not configured.
    #[must_use]
    pub fn of(policy: Option<&'p Policy>, request: &Request<'p>) -> Self {
        let Some(policy) = policy else { return Self::NotConfigured };
        let mut covering = policy.covering(request).peekable();
        let Some(&(first, rule)) = covering.peek() else { return Self::Pass };
        let pair = match Presented::of(request.credential) {
            Presented::Pair(pair) => pair,
            Presented::Missing => return Self::Refused { reason: Reason::Missing, realm: rule.realm(), rule: first },
            Presented::Malformed => {
                return Self::Refused { reason: Reason::Malformed, realm: rule.realm(), rule: first };
            }
        };
        for (place, rule) in covering {
            let reason = match policy.verify(rule, &pair) {
                Verdict::Accepted => continue,
                Verdict::UnknownUser => Reason::UnknownUser,
                Verdict::WrongPassword => Reason::WrongPassword,
            };
            return Self::Refused { reason, realm: rule.realm(), rule: place };
        }
        Self::Accepted { pair, rule: first }
    }
}

/// One line: `pass`, `accepted as USER by rule 0`, `refused for REASON by rule 0 with realm REALM`, `not configured`.
impl fmt::Display for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConfigured => f.write_str("not configured"),
            Self::Pass => f.write_str("pass"),
            Self::Accepted { pair, rule } => {
                write!(f, "accepted as {} by rule {rule}", pair.user().escape_ascii())
            }
            Self::Refused { reason, realm, rule } => {
                write!(f, "refused for {reason} by rule {rule} with realm {}", realm.text())
            }
        }
    }
}
