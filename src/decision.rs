//! The decision: a pure function of a policy and a request.
//!
//! The order in which a request is looked at: Is its path ambiguous, and are such paths refused? Does a rule cover it? Is
//! it a preflight that may pass? Does it come from where no password is asked for? Does it come over plain http? How many
//! credentials has it: several, none, one that cannot be read? Is the login locked? Is it right?

use std::fmt;
use std::hint::black_box;
use std::net::IpAddr;

use crate::config::PlainHttp;
use crate::matching::readings::Readings;
use crate::policy::{Covering, PlainUsers, Policy, Rule};
use crate::request::Request;
use crate::request::host::location_host;
use crate::response::{Refusal, Response};
use crate::users::hash::{Step, Work};
use crate::users::header::Presented;
use crate::users::list::UserList;
use crate::users::pair::Pair;
use crate::users::plain::Verdict;
use crate::users::verification::{End, Verification};

/// What becomes of a request. A rule is named by its index in the configuration.
pub enum Decision<'p> {
    /// There is no valid configuration, so nothing can be known to be open.
    NotConfigured,
    /// No rule covers the request.
    Pass,
    /// Rules cover the request, and none of them asks for a user.
    Exempt {
        /// Why the first of them does not.
        by: Exemption,
        /// That rule.
        rule: usize,
        /// What a rule on trial would have refused.
        dry_run: Option<DryRun>,
    },
    /// Every rule that covers the request accepts the user.
    Accepted {
        /// Who was accepted, with the password that was presented.
        pair: Pair,
        /// The first rule that covers the request.
        rule: usize,
        /// Whether the credential is kept from the upstream.
        hide_credential: bool,
        /// What a rule on trial would have refused.
        dry_run: Option<DryRun>,
    },
    /// A rule that covers the request does not accept it; the first such in the order of the configuration.
    Refused {
        /// Why.
        reason: Reason,
        /// The answer of that rule.
        refusal: &'p Refusal,
        /// That rule.
        rule: usize,
        /// What was presented, if it could be read.
        pair: Option<Pair>,
    },
    /// The password was not looked at, and may be presented again later.
    Throttled {
        /// Why: [`Reason::Locked`] or [`Reason::Busy`].
        reason: Reason,
        /// After how many seconds it makes sense to come again, at least one.
        retry_after: u64,
        /// The rule that the credential was for.
        rule: usize,
    },
    /// Nobody is asked for a password over plain http.
    PlainHttp {
        /// The same place under https; `None` where the configuration refuses instead, or where the place cannot be told.
        location: Option<Box<[u8]>>,
        /// The first rule that would ask.
        rule: usize,
    },
    /// The path has several readings, or none, and the configuration refuses such paths.
    AmbiguousPath,
}

/// Why a rule that covers a request asks for no user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exemption {
    /// It is a CORS preflight, which has no credential: `cors_preflight`.
    Preflight,
    /// It comes from one of the rule's `allow_source_ranges`.
    SourceRange,
    /// It has no credential, and another filter decides about those: `allow_missing`.
    AllowMissing,
    /// The rule is on trial: `dry_run`.
    DryRun,
}

/// What a rule with `dry_run` would have refused; the first such in the order of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DryRun {
    /// Why.
    pub reason: Reason,
    /// The index of the rule.
    pub rule: usize,
}

/// Why a request is refused. It is for logs and counters: all refusals of a rule look the same to the client.
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
    /// A user that the rule knows, with the right password, who is not among its `allow_users`.
    NotAllowed,
    /// Too many failures of this client with this user name.
    Locked,
    /// More hashes to verify than the budget allows.
    Busy,
    /// The rule's users were not fetched yet.
    NoUsers,
    /// The path has several readings, or none.
    AmbiguousPath,
    /// The request came over plain http.
    PlainHttp,
    /// There is no valid configuration.
    NotConfigured,
}

impl Exemption {
    /// Every exemption, in the order of the decision.
    pub const ALL: [Self; 4] = [Self::Preflight, Self::SourceRange, Self::AllowMissing, Self::DryRun];

    /// Its name: that of the field which makes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Preflight => "cors_preflight",
            Self::SourceRange => "allow_source_ranges",
            Self::AllowMissing => "allow_missing",
            Self::DryRun => "dry_run",
        }
    }
}

impl Reason {
    /// Every reason, in the order of the documents.
    pub const ALL: [Self; 11] = [
        Self::Missing,
        Self::Malformed,
        Self::UnknownUser,
        Self::WrongPassword,
        Self::NotAllowed,
        Self::Locked,
        Self::Busy,
        Self::NoUsers,
        Self::AmbiguousPath,
        Self::PlainHttp,
        Self::NotConfigured,
    ];

    /// Its name: `missing`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.details().trim_start_matches("basic_auth_")
    }

    /// What Envoy's `%RESPONSE_CODE_DETAILS%` says of the refusal: `basic_auth_` and the reason.
    #[must_use]
    pub const fn details(self) -> &'static str {
        match self {
            Self::Missing => "basic_auth_missing",
            Self::Malformed => "basic_auth_malformed",
            Self::UnknownUser => "basic_auth_unknown_user",
            Self::WrongPassword => "basic_auth_wrong_password",
            Self::NotAllowed => "basic_auth_not_allowed",
            Self::Locked => "basic_auth_locked",
            Self::Busy => "basic_auth_busy",
            Self::NoUsers => "basic_auth_no_users",
            Self::AmbiguousPath => "basic_auth_ambiguous_path",
            Self::PlainHttp => "basic_auth_plain_http",
            Self::NotConfigured => "basic_auth_not_configured",
        }
    }
}

/// Its name.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Exemption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Policy {
    /// Decides about a request, at once and however long the hashes take.
    ///
    /// The filter in a proxy lets slow hashes wait for their turn instead, and knows locks.
    #[must_use]
    pub fn decide<'p>(&'p self, request: &Request<'p>) -> Decision<'p> {
        self.decide_from(request, &mut || request.source_address)
    }

    /// The same, where the address of the client is asked for only if it counts.
    pub(crate) fn decide_from<'p>(&'p self, request: &Request<'p>, source: SourceAddress<'_>) -> Decision<'p> {
        let mut progress = match Login::from_request(self, request, source) {
            Ok(login) => login.proceed(self),
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
    /// Why the request is refused; `None` if it goes on to the upstream.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Pass | Self::Exempt { .. } | Self::Accepted { .. } => None,
            Self::Refused { reason, .. } | Self::Throttled { reason, .. } => Some(*reason),
            Self::PlainHttp { .. } => Some(Reason::PlainHttp),
            Self::AmbiguousPath => Some(Reason::AmbiguousPath),
            Self::NotConfigured => Some(Reason::NotConfigured),
        }
    }

    /// The rule that decided, as its index in the configuration.
    #[must_use]
    pub fn rule(&self) -> Option<usize> {
        match self {
            Self::Exempt { rule, .. }
            | Self::Accepted { rule, .. }
            | Self::Refused { rule, .. }
            | Self::Throttled { rule, .. }
            | Self::PlainHttp { rule, .. } => Some(*rule),
            Self::NotConfigured | Self::Pass | Self::AmbiguousPath => None,
        }
    }

    /// What a rule on trial would have refused.
    #[must_use]
    pub fn dry_run(&self) -> Option<DryRun> {
        match self {
            Self::Exempt { dry_run, .. } | Self::Accepted { dry_run, .. } => *dry_run,
            _ => None,
        }
    }

    /// What is answered in the place of the upstream; `None` if the request goes on to it.
    #[must_use]
    pub fn response(&self) -> Option<Response<'_>> {
        let details = self.reason()?.details();
        Some(match self {
            Self::Pass | Self::Exempt { .. } | Self::Accepted { .. } => return None,
            Self::Refused { refusal, .. } => Response::refused(refusal, details),
            Self::Throttled { reason: Reason::NoUsers, retry_after, .. } => {
                Response::come_again(503, *retry_after, details)
            }
            Self::Throttled { retry_after, .. } => Response::come_again(429, *retry_after, details),
            Self::PlainHttp { location: Some(location), .. } => Response::redirect(location, details),
            Self::PlainHttp { location: None, .. } => Response::bare(403, details),
            Self::AmbiguousPath => Response::bare(400, details),
            Self::NotConfigured => Response::bare(503, details),
        })
    }
}

/// One line: `pass`, `accepted as USER by rule 0`, `refused for REASON by rule 0 with realm REALM`, `not configured`, …
impl fmt::Display for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dry_run = match self {
            Self::NotConfigured => return f.write_str("not configured"),
            Self::Pass => return f.write_str("pass"),
            Self::AmbiguousPath => return f.write_str("refused for ambiguous_path"),
            Self::Refused { reason, refusal, rule, .. } => {
                let realm = refusal.realm().text();
                return write!(f, "refused for {reason} by rule {rule} with realm {realm}");
            }
            Self::Throttled { reason, retry_after, rule } => {
                return write!(f, "throttled for {reason} by rule {rule} for {retry_after} s");
            }
            Self::PlainHttp { location: None, rule } => return write!(f, "refused for plain_http by rule {rule}"),
            Self::PlainHttp { location: Some(location), rule } => {
                return write!(f, "redirected for plain_http by rule {rule} to {}", location.escape_ascii());
            }
            Self::Exempt { by, rule, dry_run } => {
                write!(f, "pass for {by} by rule {rule}")?;
                dry_run
            }
            Self::Accepted { pair, rule, dry_run, .. } => {
                write!(f, "accepted as {} by rule {rule}", pair.user().escape_ascii())?;
                dry_run
            }
        };
        match dry_run {
            Some(DryRun { reason, rule }) => write!(f, ", would be refused for {reason} by rule {rule}"),
            None => Ok(()),
        }
    }
}

/// A request that presents a pair to the rules that cover it.
pub(crate) struct Login<'p> {
    state: LoginState,
    /// The rules that are asked, the first one apart.
    first: (usize, &'p Rule),
    others: Covering<'p>,
}

/// How far a login has come, but for the rules that are still to be asked.
struct LoginState {
    pair: Pair,
    /// The index of the first rule that was asked.
    first: usize,
    /// The plain users by which the pair was accepted last.
    accepted_by: Option<PlainUsers>,
    was_accepted: bool,
    hide_credential: bool,
    dry_run: Option<DryRun>,
}

/// How far a login has come.
pub(crate) enum Progress<'p> {
    /// To its end.
    Decided(Decision<'p>),
    /// To a rule that has to hash the password.
    Hashed(HashedLogin),
}

/// The address of the client, asked for when it counts.
pub(crate) type SourceAddress<'s> = &'s mut dyn FnMut() -> Option<IpAddr>;

impl<'p> Login<'p> {
    /// The login of a request, or the decision where it takes none.
    ///
    /// # Errors
    /// The decision: no rule covers the request, or asks for a user, or no pair can be read.
    pub(crate) fn from_request(
        policy: &'p Policy,
        request: &Request<'p>,
        source: SourceAddress<'_>,
    ) -> Result<Self, Decision<'p>> {
        let path = Readings::parse(request.method, request.path);
        if policy.refuses_path(&path) {
            return Err(Decision::AmbiguousPath);
        }
        let Some(mut covering) = policy.covering_path(request, path) else { return Err(Decision::Pass) };
        let Some(mut first) = covering.next() else { return Err(Decision::Pass) };
        let (index, _) = first;
        let options = policy.options();
        if options.allow_preflight && request.is_preflight() {
            return Err(Decision::Exempt { by: Exemption::Preflight, rule: index, dry_run: None });
        }
        if policy.has_source_ranges() {
            let mut asked = asked_in_spite_of_source(policy, first, covering, source);
            let Some(rule) = asked.next() else {
                return Err(Decision::Exempt { by: Exemption::SourceRange, rule: index, dry_run: None });
            };
            (first, covering) = (rule, asked);
        }
        if options.plain_http != PlainHttp::Challenge && !request.is_secure() {
            covering = over_plain_http(policy, request, first, covering)?;
            let Some(rule) = covering.next() else { return Err(Decision::Pass) };
            first = rule;
        }
        let reason = match Presented::parse(request.credential) {
            Presented::Pair(pair) => {
                let state = LoginState {
                    pair,
                    first: first.0,
                    accepted_by: None,
                    was_accepted: false,
                    hide_credential: false,
                    dry_run: None,
                };
                return Ok(Self { state, first, others: covering });
            }
            Presented::Missing => Reason::Missing,
            Presented::Malformed => Reason::Malformed,
        };
        let (index, rule) = first;
        if !rule.allows_missing() && !rule.is_dry_run() {
            return Err(refused(reason, index, rule, None));
        }
        Err(without_pair(reason, first, covering))
    }

    /// The pair that is presented.
    pub(crate) fn pair(&self) -> &Pair {
        &self.state.pair
    }

    /// The index of the first rule that is asked.
    #[must_use]
    pub(crate) fn rule(&self) -> usize {
        self.first.0
    }

    /// The rules that may refuse the login, by their indexes; of those that follow one another with the same users only
    /// the first.
    pub(crate) fn rules_by_users(&mut self, policy: &'p Policy) -> Vec<usize> {
        let rest: Vec<_> = self.others.by_ref().collect();
        let (mut by_users, mut before) = (Vec::new(), None);
        for (index, rule) in std::iter::once(&self.first).chain(&rest) {
            if !rule.is_dry_run() && before != Some(rule.users_key()) {
                before = Some(rule.users_key());
                by_users.push(*index);
            }
        }
        self.others = Covering::of(policy, rest);
        by_users
    }

    /// Asks the rules until one has to hash the password.
    #[must_use]
    pub(crate) fn proceed(self, policy: &'p Policy) -> Progress<'p> {
        let rules = std::iter::once(self.first).chain(self.others).map(|(index, rule)| (index, Some(rule)));
        ask(policy, self.state, rules)
    }
}

/// The rules that ask for a user wherever the client is.
#[cold]
fn asked_in_spite_of_source<'p>(
    policy: &'p Policy,
    first: (usize, &'p Rule),
    others: Covering<'p>,
    source: SourceAddress<'_>,
) -> Covering<'p> {
    let mut address = None;
    let mut is_exempt = |rule: &Rule| {
        let Some(ranges) = rule.source_ranges() else { return false };
        let address = *address.get_or_insert_with(&mut *source);
        address.is_some_and(|address| ranges.contain(address))
    };
    Covering::of(policy, std::iter::once(first).chain(others).filter(|(_, rule)| !is_exempt(rule)))
}

/// What becomes of a request over plain http that would be asked for a password in clear; the rules that are on trial
/// otherwise, which refuse nothing.
#[cold]
fn over_plain_http<'p>(
    policy: &'p Policy,
    request: &Request<'_>,
    first: (usize, &'p Rule),
    others: Covering<'p>,
) -> Result<Covering<'p>, Decision<'p>> {
    let mut on_trial = Vec::new();
    for (index, rule) in std::iter::once(first).chain(others) {
        if !rule.is_dry_run() {
            let redirects = policy.options().plain_http == PlainHttp::Redirect;
            let location = if redirects { https_location(request) } else { None };
            return Err(Decision::PlainHttp { location, rule: index });
        }
        on_trial.push((index, rule));
    }
    Ok(Covering::of(policy, on_trial))
}

/// The same place under https, without a port; `None` where host or path cannot be told.
fn https_location(request: &Request<'_>) -> Option<Box<[u8]>> {
    let host = location_host(request.authority)?;
    let path = request.path.filter(|path| path.starts_with(b"/"))?;
    let mut location = [b"https://", host].concat();
    for byte in path {
        // What is no visible character could end the header, and no URL has it (RFC 3986, section 2).
        match byte {
            0x21..=0x7e => location.push(*byte),
            _ => location.extend(format!("%{byte:02X}").bytes()),
        }
    }
    Some(location.into())
}

/// The decision about a request without a pair where the first rule may let it through.
#[cold]
fn without_pair<'p>(reason: Reason, first: (usize, &'p Rule), others: Covering<'p>) -> Decision<'p> {
    let mut exempt = None;
    let mut dry_run = None;
    for (index, rule) in std::iter::once(first).chain(others) {
        let by = if reason == Reason::Missing && rule.allows_missing() {
            Exemption::AllowMissing
        } else if rule.is_dry_run() {
            dry_run.get_or_insert(DryRun { reason, rule: index });
            Exemption::DryRun
        } else {
            return refused(reason, index, rule, None);
        };
        exempt.get_or_insert((by, index));
    }
    let (by, rule) = exempt.unwrap_or((Exemption::DryRun, first.0));
    Decision::Exempt { by, rule, dry_run }
}

/// A login that has come to a rule which has to hash the password. It can wait: it borrows nothing.
pub(crate) struct HashedLogin {
    state: LoginState,
    /// The rule that has to hash, and those behind it, as their indexes in the configuration.
    hashing: usize,
    rest: Vec<usize>,
}

impl HashedLogin {
    /// The pair that was presented.
    pub(crate) fn pair(&self) -> &Pair {
        &self.state.pair
    }

    /// The index of the first rule that is asked.
    #[must_use]
    pub(crate) fn rule(&self) -> usize {
        self.state.first
    }

    /// How many rules are still to be asked behind the one that hashes.
    #[must_use]
    pub(crate) fn rest(&self) -> usize {
        self.rest.len()
    }

    /// The rule that has to hash.
    #[must_use]
    pub(crate) fn hashing_rule<'p>(&self, policy: &'p Policy) -> Option<&'p Rule> {
        policy.rule(self.hashing)
    }

    /// What tells the users of the rule that hashes from those of other rules.
    #[must_use]
    pub(crate) fn users_version(&self, policy: &Policy) -> [u8; 8] {
        policy.rule(self.hashing).map_or([0xff; 8], |rule| policy.hashed_users_version(rule))
    }

    /// Whether the rule that hashes lets this user in at all. If not, the verification is made all the same, in full and
    /// without a look at what is remembered: how soon the refusal comes must not tell whether the password is right.
    #[must_use]
    pub(crate) fn may_pass(&self, policy: &Policy) -> bool {
        policy.rule(self.hashing).is_some_and(|rule| rule.allows(self.state.pair.user()))
    }

    /// Whether the rule that hashes is on trial, so that nothing comes of its refusal.
    #[must_use]
    pub(crate) fn is_on_trial(&self, policy: &Policy) -> bool {
        policy.rule(self.hashing).is_some_and(Rule::is_dry_run)
    }

    /// The htpasswd users of the rule that hashes.
    pub(crate) fn lists<'p>(&self, policy: &'p Policy) -> impl Iterator<Item = &'p UserList> {
        policy.rule(self.hashing).into_iter().flat_map(|rule| policy.hashed_users(rule))
    }

    /// Whether a hash is one of the user's in the lists of the rule that hashes.
    pub(crate) fn has_hash(&self, policy: &Policy, hash: &str) -> bool {
        self.lists(policy).flat_map(|list| list.hashes(self.pair().user())).any(|listed| listed == hash)
    }

    /// The work of verifying the password.
    #[must_use]
    pub(crate) fn verification(&self, policy: &Policy) -> Verification {
        let end = if self.may_pass(policy) { End::WhenFound } else { End::WhenAllIsDone };
        Verification::new(self.lists(policy), self.state.pair.user(), self.state.pair.password(), end)
    }

    /// Goes on with what became of the verification.
    #[must_use]
    pub(crate) fn verified(mut self, policy: &Policy, right: bool) -> Progress<'_> {
        let Some(rule) = policy.rule(self.hashing) else { return Progress::Decided(Decision::NotConfigured) };
        if right && self.may_pass(policy) {
            self.state.was_accepted = true;
            self.state.hide_credential |= rule.hides_credential();
            return self.go_on(policy);
        }
        let reason = match policy.verify(rule, &self.state.pair) {
            Verdict::Accepted => Reason::NotAllowed,
            _ if right => Reason::NotAllowed,
            Verdict::UnknownUser if !policy.knows(rule, &self.state.pair) => Reason::UnknownUser,
            Verdict::WrongPassword | Verdict::UnknownUser => Reason::WrongPassword,
        };
        let index = self.hashing;
        self.unless_on_trial(policy, reason, |rule, pair| refused(reason, index, rule, Some(pair)))
    }

    /// The login without the password having been looked at; a rule on trial lets it go on.
    #[must_use]
    pub(crate) fn throttled(self, policy: &Policy, reason: Reason, retry_after: u64) -> Progress<'_> {
        let rule = self.state.first;
        self.unless_on_trial(policy, reason, |_, _| Decision::Throttled { reason, retry_after, rule })
    }

    /// Goes on if the rule that hashes is on trial; what becomes of the request otherwise.
    fn unless_on_trial<'p>(
        mut self,
        policy: &'p Policy,
        reason: Reason,
        refused: impl FnOnce(&'p Rule, Pair) -> Decision<'p>,
    ) -> Progress<'p> {
        match policy.rule(self.hashing) {
            Some(rule) if rule.is_dry_run() => {
                self.state.dry_run.get_or_insert(DryRun { reason, rule: self.hashing });
                self.go_on(policy)
            }
            Some(rule) => Progress::Decided(refused(rule, self.state.pair)),
            None => Progress::Decided(Decision::NotConfigured),
        }
    }

    /// Asks the rules behind the one that hashed.
    fn go_on(self, policy: &Policy) -> Progress<'_> {
        let rules = self.rest.into_iter().map(|index| (index, policy.rule(index)));
        ask(policy, self.state, rules)
    }
}

/// Asks rules about a pair until one does not accept it or has to hash the password.
fn ask<'p>(
    policy: &'p Policy,
    mut state: LoginState,
    mut rules: impl Iterator<Item = (usize, Option<&'p Rule>)>,
) -> Progress<'p> {
    while let Some((index, rule)) = rules.next() {
        // An index without a rule would be another configuration's.
        let Some(rule) = rule else { return Progress::Decided(Decision::NotConfigured) };
        // Many rules may have one list of users, which need not be asked twice.
        let is_known = state.accepted_by == Some(rule.plain_users());
        let verdict = if is_known { Verdict::Accepted } else { policy.verify(rule, &state.pair) };
        // Asked for a wrong password too, for how soon the refusal comes must not tell that a password is right.
        let is_allowed = black_box(rule.allows(state.pair.user()));
        let reason = match verdict {
            Verdict::Accepted if is_allowed => {
                state.accepted_by = Some(rule.plain_users());
                state.was_accepted = true;
                state.hide_credential |= rule.hides_credential();
                continue;
            }
            _ if rule.hashed_users_id().is_some() && !policy.awaits_users(rule) => {
                let rest = rules.map(|(index, _)| index).collect();
                return Progress::Hashed(HashedLogin { state, hashing: index, rest });
            }
            // Nobody can be told that he is wrong before it is known who is right.
            _ if rule.hashed_users_id().is_some() => {
                if !rule.is_dry_run() {
                    return Progress::Decided(no_users(index));
                }
                Reason::NoUsers
            }
            Verdict::Accepted => Reason::NotAllowed,
            Verdict::UnknownUser => Reason::UnknownUser,
            Verdict::WrongPassword => Reason::WrongPassword,
        };
        if !rule.is_dry_run() {
            return Progress::Decided(refused(reason, index, rule, Some(state.pair)));
        }
        state.dry_run.get_or_insert(DryRun { reason, rule: index });
    }
    let LoginState { pair, first: rule, hide_credential, dry_run, .. } = state;
    Progress::Decided(if state.was_accepted {
        Decision::Accepted { pair, rule, hide_credential, dry_run }
    } else {
        Decision::Exempt { by: Exemption::DryRun, rule, dry_run }
    })
}

#[cold]
fn no_users(rule: usize) -> Decision<'static> {
    Decision::Throttled { reason: Reason::NoUsers, retry_after: 1, rule }
}

fn refused(reason: Reason, index: usize, rule: &Rule, pair: Option<Pair>) -> Decision<'_> {
    Decision::Refused { reason, refusal: rule.refusal(), rule: index, pair }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Decision, Exemption, Reason};
    use crate::request::header_map;
    use crate::response::{Realm, Refusal, Response, Unauthorized};

    /// Status, headers, body and details of an answer.
    fn answer(decision: &Decision<'_>) -> Option<(u32, Vec<String>, String, &'static str)> {
        let Response { status, headers, body, details } = decision.response()?;
        let mut read = Vec::new();
        header_map::for_each(&headers, |name, value| {
            read.push(format!("{}: {}", name.escape_ascii(), str::from_utf8(value).unwrap()));
        })
        .unwrap();
        Some((status, read, body.to_owned(), details))
    }

    fn refusal(credential: &str) -> Refusal {
        Refusal::new(Arc::new(Realm::new("shop").unwrap()), &Unauthorized::default(), credential)
    }

    #[test]
    fn every_refusal_of_a_rule_is_one_answer_that_differs_in_its_details_alone() {
        let challenge = r#"Basic realm="shop", charset="UTF-8""#;
        for (credential, status, name) in [
            ("authorization", 401, "www-authenticate"),
            ("x-api-key", 401, "www-authenticate"),
            ("proxy-authorization", 407, "proxy-authenticate"),
        ] {
            let refusal = refusal(credential);
            for reason in
                [Reason::Missing, Reason::Malformed, Reason::UnknownUser, Reason::WrongPassword, Reason::NotAllowed]
            {
                let (is_status, headers, body, details) =
                    answer(&Decision::Refused { reason, refusal: &refusal, rule: 0, pair: None }).unwrap();
                assert_eq!((is_status, headers, body.as_str()), (status, vec![format!("{name}: {challenge}")], ""));
                assert_eq!(details, format!("basic_auth_{reason}"));
            }
        }
    }

    #[test]
    fn what_no_rule_refuses_has_its_status_and_says_why() {
        let retry_after = || vec!["retry-after: 7".to_owned()];
        let location = || vec!["location: https://foo.com/".to_owned()];
        for (decision, status, headers, details) in [
            (
                Decision::Throttled { reason: Reason::Locked, retry_after: 7, rule: 0 },
                429,
                retry_after(),
                "basic_auth_locked",
            ),
            (
                Decision::Throttled { reason: Reason::Busy, retry_after: 7, rule: 0 },
                429,
                retry_after(),
                "basic_auth_busy",
            ),
            (
                Decision::PlainHttp { location: Some(Box::from(*b"https://foo.com/")), rule: 0 },
                308,
                location(),
                "basic_auth_plain_http",
            ),
            (Decision::PlainHttp { location: None, rule: 0 }, 403, Vec::new(), "basic_auth_plain_http"),
            (Decision::AmbiguousPath, 400, Vec::new(), "basic_auth_ambiguous_path"),
            (Decision::NotConfigured, 503, Vec::new(), "basic_auth_not_configured"),
        ] {
            assert_eq!(answer(&decision), Some((status, headers, String::new(), details)));
        }
        assert_eq!(answer(&Decision::Pass), None);
        assert_eq!(answer(&Decision::Exempt { by: Exemption::Preflight, rule: 0, dry_run: None }), None);
    }

    #[test]
    fn every_reason_has_a_name_of_its_own() {
        let names: std::collections::HashSet<_> = Reason::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(names.len(), Reason::ALL.len());
        assert!(Reason::ALL.iter().all(|reason| reason.details() == format!("basic_auth_{reason}")));
    }
}
