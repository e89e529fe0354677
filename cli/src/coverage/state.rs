//! What holds for a host and a path, method by method.

use std::collections::BTreeSet;

use basic_auth::{Decision, Exemption, Request};

use crate::check::Accepted;

/// What holds for some methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The methods; empty where it holds for all.
    pub methods: Vec<String>,
    /// Whether it holds for the methods that no row names.
    pub has_others: bool,
    /// What holds.
    pub kind: Kind,
    /// Who may pass.
    pub users: Vec<String>,
    /// Why.
    pub why: String,
}

/// What holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A password is asked for.
    Protected,
    /// A password is asked for, and nobody has one that all rules take.
    Nobody,
    /// Every request passes.
    Open,
    /// Every request passes, for an exception says so.
    OpenByException,
    /// A request without a password passes.
    Exempt,
    /// No request passes.
    Refused,
}

impl Kind {
    /// Its name in reports for machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Protected => "protected",
            Self::Nobody => "nobody",
            Self::Open => "open",
            Self::OpenByException => "open_by_exception",
            Self::Exempt => "exempt",
            Self::Refused => "refused",
        }
    }

    /// Whether a request without a password passes.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::OpenByException | Self::Exempt)
    }
}

impl State {
    /// The methods in words.
    pub fn methods_text(&self) -> String {
        match (self.methods.is_empty(), self.has_others) {
            (true, _) => "all methods".to_owned(),
            (false, true) => "all others".to_owned(),
            (false, false) => self.methods.join(", "),
        }
    }

    /// Who may pass, in words.
    pub fn who(&self) -> String {
        const MAX_NAMED: usize = 5;
        match self.kind {
            Kind::Open => "open".to_owned(),
            Kind::OpenByException => "open by exception".to_owned(),
            Kind::Exempt => "open without a password".to_owned(),
            Kind::Refused => "refused".to_owned(),
            Kind::Nobody => "nobody".to_owned(),
            Kind::Protected => {
                let named: Vec<&str> = self.users.iter().take(MAX_NAMED).map(String::as_str).collect();
                let more = self.users.len().saturating_sub(MAX_NAMED);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                format!("{}{more}", named.join(", "))
            }
        }
    }
}

/// A method that nobody names.
const OTHER_METHOD: &str = "OTHER";

/// What holds for a host and a path, equal methods together.
pub fn states(accepted: &Accepted, host: &str, path: &str) -> Vec<State> {
    let mut methods: Vec<&str> = vec!["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    for rule in &accepted.written.rules {
        let of_exceptions = rule.except.iter().filter_map(|except| except.methods.as_ref());
        for method in rule.methods.iter().chain(of_exceptions).flatten() {
            if methods.len() < 32 && !methods.contains(&method.as_str()) {
                methods.push(method);
            }
        }
    }
    methods.push(OTHER_METHOD);
    let mut states: Vec<State> = Vec::new();
    for method in methods {
        let state = state_of(accepted, method, host, path);
        let has_others = method == OTHER_METHOD;
        let is_same =
            |known: &&mut State| (known.kind, &known.users, &known.why) == (state.kind, &state.users, &state.why);
        if let Some(known) = states.iter_mut().find(is_same) {
            known.has_others |= has_others;
            if !has_others {
                known.methods.push(method.to_owned());
            }
        } else {
            states.push(State {
                has_others,
                methods: if has_others { vec![] } else { vec![method.to_owned()] },
                ..state
            });
        }
    }
    if let [one] = states.as_mut_slice() {
        one.methods.clear();
    }
    states
}

/// What holds for one method.
pub fn state_of(accepted: &Accepted, method: &str, host: &str, path: &str) -> State {
    let Accepted { policy, written, .. } = accepted;
    let request = Request {
        method: method.as_bytes(),
        path: Some(path.as_bytes()),
        authority: Some(host.as_bytes()),
        scheme: Some(b"https"),
        ..Request::default()
    };
    let title = |index: usize| written.rules.get(index).map_or_else(String::new, |rule| rule.title(index));
    let covering: Vec<usize> = policy.covering(&request).map(|(index, _)| index).collect();
    let because = || covering.iter().map(|index| title(*index)).collect::<Vec<_>>().join(", ");
    let new = |kind, why| State { methods: Vec::new(), has_others: false, kind, users: Vec::new(), why };
    match policy.decide(&request) {
        Decision::Pass => {
            let matches = policy.matches(&request);
            if let Some(known) = matches.iter().find(|known| known.excepted && known.method) {
                new(Kind::OpenByException, format!("an exception of {}", title(known.rule)))
            } else if let Some(known) = matches.iter().find(|known| !known.method) {
                new(Kind::Open, format!("{} names other methods", title(known.rule)))
            } else {
                new(Kind::Open, "no rule".to_owned())
            }
        }
        Decision::Exempt { by: by @ (Exemption::AllowMissing | Exemption::DryRun), rule, .. } => {
            new(Kind::Exempt, format!("`{by}` of {}", title(rule)))
        }
        Decision::Refused { .. } => {
            let mut users: Option<BTreeSet<&String>> = None;
            let mut has_unknown = false;
            for rule in covering.iter().filter_map(|index| written.rules.get(*index)) {
                has_unknown |= rule.has_unknown_users;
                let own: BTreeSet<&String> = rule.users.keys().collect();
                if !rule.dry_run {
                    users = Some(match users {
                        Some(users) if !rule.has_unknown_users => users.intersection(&own).copied().collect(),
                        Some(users) => users,
                        None => own,
                    });
                }
            }
            let mut users: Vec<String> = users.unwrap_or_default().into_iter().cloned().collect();
            if has_unknown {
                users.push("users of a variable".to_owned());
            }
            let kind = if users.is_empty() { Kind::Nobody } else { Kind::Protected };
            State { users, ..new(kind, because()) }
        }
        decision => new(Kind::Refused, decision.to_string()),
    }
}
