//! The decision: a pure function of a policy and a request.

use std::fmt;
use std::iter;

use crate::policy::{Covering, Policy, Rule};
use crate::request::Request;
use crate::response::{Realm, Response};
use crate::users::hash::{Step, Work};
use crate::users::header::Presented;
use crate::users::pair::Pair;
use crate::users::plain::Verdict;
use crate::users::verification::Verification;

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
    /// The password was not looked at, and may be presented again later.
    Throttled {
        /// Why: [`Reason::Locked`] or [`Reason::Busy`].
        reason: Reason,
        /// After how many seconds it makes sense to come again, at least one.
        retry_after: u64,
        /// The rule that the credential was for, as its place in the configuration.
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
    /// Too many failures of this client with this user name.
    Locked,
    /// More hashes to verify than the budget allows.
    Busy,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::UnknownUser => "unknown_user",
            Self::WrongPassword => "wrong_password",
            Self::Locked => "locked",
            Self::Busy => "busy",
        })
    }
}

impl Policy {
    /// Decides about a request, at once and however long the hashes take.
    ///
    /// The filter in a proxy lets slow hashes wait for their turn instead, and knows locks.
    #[must_use]
    pub fn decide<'p>(&'p self, request: &Request<'p>) -> Decision<'p> {
        let mut progress = match Login::from_request(self, request) {
            Ok(login) => login.proceed(),
            Err(decision) => return decision,
        };
        loop {
            progress = match progress {
                Progress::Decided(decision) => return decision,
                Progress::Hashed(login) => {
                    let mut verification = login.verification(self);
                    while verification.step(Work::from_micros(1_000)) == Step::Pending {}
                    login.verified(self, verification.state() == Step::Right)
                }
            }
        }
    }
}

impl Decision<'_> {
    /// What is answered in the place of the upstream; `None` if the request goes on to it, untouched.
    #[must_use]
    pub fn response(&self) -> Option<Response<'_>> {
        match self {
            Self::Pass | Self::Accepted { .. } => None,
            Self::Refused { realm, .. } => Some(Response::unauthorized(realm)),
            Self::Throttled { retry_after, .. } => Some(Response::too_many_requests(*retry_after)),
            Self::NotConfigured => Some(Response::service_unavailable()),
        }
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
            Self::Throttled { reason, retry_after, rule } => {
                write!(f, "throttled for {reason} by rule {rule} for {retry_after} s")
            }
        }
    }
}

/// A request that presents a pair to the rules that cover it.
pub struct Login<'p> {
    policy: &'p Policy,
    pair: Pair,
    /// The first rule that covers the request.
    first: (usize, &'p Rule),
    others: Covering<'p>,
    /// The places of all of them, once they were asked for; then there are no others.
    places: Option<Vec<usize>>,
}

/// How far a login has come.
pub enum Progress<'p> {
    /// To its end.
    Decided(Decision<'p>),
    /// To a rule that has to hash the password.
    Hashed(HashedLogin),
}

impl<'p> Login<'p> {
    /// The login of a request, or the decision where it takes none.
    ///
    /// # Errors
    /// The decision: no rule covers the request, or no pair can be read.
    pub fn from_request(policy: &'p Policy, request: &Request<'p>) -> Result<Self, Decision<'p>> {
        let mut others = policy.covering(request);
        let Some(first) = others.next() else { return Err(Decision::Pass) };
        let (place, rule) = first;
        match Presented::parse(request.credential) {
            Presented::Pair(pair) => Ok(Self { policy, pair, first, others, places: None }),
            Presented::Missing => Err(refused(Reason::Missing, place, rule)),
            Presented::Malformed => Err(refused(Reason::Malformed, place, rule)),
        }
    }

    /// The pair that is presented.
    pub(crate) fn pair(&self) -> &Pair {
        &self.pair
    }

    /// The user name.
    #[must_use]
    pub fn user(&self) -> &[u8] {
        self.pair.user()
    }

    /// The first rule that covers the request, as its place in the configuration.
    #[must_use]
    pub fn rule(&self) -> usize {
        self.first.0
    }

    /// The rules that cover the request, as their places in the configuration; of those that follow one another with the
    /// same users only the first.
    pub fn rules_by_users(&mut self) -> Vec<usize> {
        let (first, rule) = self.first;
        let (mut places, mut by_users) = (Vec::from([first]), Vec::from([first]));
        let mut users = rule.users_key();
        for (place, rule) in self.others.by_ref() {
            places.push(place);
            if rule.users_key() != users {
                users = rule.users_key();
                by_users.push(place);
            }
        }
        self.places = Some(places);
        by_users
    }

    /// Asks the rules until one has to hash the password.
    #[must_use]
    pub fn proceed(self) -> Progress<'p> {
        let (first, rule) = self.first;
        if let Some(places) = self.places {
            return ask_places(self.policy, self.pair, first, places);
        }
        let rules = iter::once((first, rule)).chain(self.others).map(|(place, rule)| (place, Some(rule)));
        ask(self.policy, self.pair, first, rules)
    }
}

/// A login that has come to a rule which has to hash the password. It can wait: it borrows nothing.
pub struct HashedLogin {
    pair: Pair,
    /// The first rule that covers the request, the one that has to hash, and those behind it, as their places in the
    /// configuration.
    first: usize,
    hashing: usize,
    rest: Vec<usize>,
}

impl HashedLogin {
    /// The pair that was presented.
    pub(crate) fn pair(&self) -> &Pair {
        &self.pair
    }

    /// The first rule that covers the request, as its place in the configuration.
    #[must_use]
    pub fn rule(&self) -> usize {
        self.first
    }

    /// The rule that has to hash.
    #[must_use]
    pub fn hashing_rule<'p>(&self, policy: &'p Policy) -> Option<&'p Rule> {
        policy.rule(self.hashing)
    }

    /// What tells the htpasswd users of that rule from those of other rules.
    #[must_use]
    pub fn users_id(&self, policy: &Policy) -> Option<u32> {
        policy.rule(self.hashing)?.hashed_users_id()
    }

    /// The work of verifying the password.
    #[must_use]
    pub fn verification(&self, policy: &Policy) -> Verification {
        let users = policy.rule(self.hashing).into_iter().flat_map(|rule| policy.hashed_users(rule));
        Verification::new(users, self.pair.user(), self.pair.password())
    }

    /// Goes on with what became of the verification.
    #[must_use]
    pub fn verified(self, policy: &Policy, right: bool) -> Progress<'_> {
        if right {
            return ask_places(policy, self.pair, self.first, self.rest);
        }
        let Some(rule) = policy.rule(self.hashing) else { return Progress::Decided(Decision::NotConfigured) };
        let known = policy.knows(rule, &self.pair);
        let reason = if known { Reason::WrongPassword } else { Reason::UnknownUser };
        Progress::Decided(refused(reason, self.hashing, rule))
    }
}

/// Asks the rules at these places.
fn ask_places(policy: &Policy, pair: Pair, first: usize, places: Vec<usize>) -> Progress<'_> {
    ask(policy, pair, first, places.into_iter().map(|place| (place, policy.rule(place))))
}

/// Asks rules about a pair until one does not accept it or has to hash the password.
fn ask<'p>(
    policy: &'p Policy,
    pair: Pair,
    first: usize,
    mut rules: impl Iterator<Item = (usize, Option<&'p Rule>)>,
) -> Progress<'p> {
    let mut accepted_by = None;
    while let Some((place, rule)) = rules.next() {
        // A place without a rule would be another configuration's.
        let Some(rule) = rule else { return Progress::Decided(Decision::NotConfigured) };
        // Many rules may have one list of users, which need not be asked twice.
        if accepted_by.is_some() && accepted_by == rule.credentials_id() {
            continue;
        }
        let reason = match policy.verify(rule, &pair) {
            Verdict::Accepted => {
                accepted_by = rule.credentials_id();
                continue;
            }
            _ if rule.hashed_users_id().is_some() => {
                let rest = rules.map(|(place, _)| place).collect();
                return Progress::Hashed(HashedLogin { pair, first, hashing: place, rest });
            }
            Verdict::UnknownUser => Reason::UnknownUser,
            Verdict::WrongPassword => Reason::WrongPassword,
        };
        return Progress::Decided(refused(reason, place, rule));
    }
    Progress::Decided(Decision::Accepted { pair, rule: first })
}

fn refused(reason: Reason, place: usize, rule: &Rule) -> Decision<'_> {
    Decision::Refused { reason, realm: rule.realm(), rule: place }
}

#[cfg(test)]
mod tests {
    use super::{Decision, Reason};
    use crate::request::header_map;
    use crate::response::{Realm, Response};

    /// Status and headers of a refusal.
    fn refusal(decision: &Decision<'_>) -> Option<(u32, Vec<(String, String)>)> {
        let Response { status, headers } = decision.response()?;
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
            let delayed = Decision::Throttled { reason, retry_after: 7, rule: 0 };
            assert_eq!(refusal(&delayed), Some((429, header("retry-after", "7"))), "{reason}");
        }
        assert_eq!(refusal(&Decision::NotConfigured), Some((503, Vec::new())));
        assert_eq!(refusal(&Decision::Pass), None);
    }
}
