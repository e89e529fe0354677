//! What holds for a host and a path, method by method.

use std::collections::BTreeSet;
use std::net::IpAddr;

use basic_auth::{Decision, Exemption, Request};

use crate::check::Accepted;
use crate::range::{Range, Ranges};

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
    /// The ranges of client addresses from which a request without a password passes; none where every one does.
    pub ranges: Vec<String>,
    /// Whether a CORS preflight passes without a password, and other requests do not.
    pub preflight: bool,
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

    /// Whether some request without a password passes.
    pub fn is_open_to_some(&self) -> bool {
        self.kind.is_open() || self.preflight || !self.ranges.is_empty()
    }

    /// Its class in pictures: what is protected and open to some looks as what is exempt.
    pub fn class(&self) -> &'static str {
        if self.is_open_to_some() && !self.kind.is_open() { Kind::Exempt.name() } else { self.kind.name() }
    }

    /// Who may pass, in words.
    pub fn who(&self) -> String {
        let mut who = self.who_with_password();
        if !self.ranges.is_empty() {
            who = format!("{who}; without a password from {}", some_of(&self.ranges, self.ranges.len()));
        }
        if self.preflight {
            who = format!("{who}; preflights without a password");
        }
        who
    }

    fn who_with_password(&self) -> String {
        match self.kind {
            Kind::Open => "open".to_owned(),
            Kind::OpenByException => "open by exception".to_owned(),
            Kind::Exempt => "open without a password".to_owned(),
            Kind::Refused => "refused".to_owned(),
            Kind::Nobody => "nobody".to_owned(),
            Kind::Protected => some_of(&self.users, self.users.len()),
        }
    }
}

/// The most names in a row.
const MAX_NAMED: usize = 5;

/// The first of so many names, and how many more there are.
fn some_of(names: &[String], of: usize) -> String {
    let first: Vec<&str> = names.iter().take(MAX_NAMED).map(String::as_str).collect();
    let more = of.saturating_sub(first.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", first.join(", "))
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
            |known: &&mut State| State { methods: Vec::new(), has_others: false, ..(*known).clone() } == state;
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
    let request = request(method, host, path);
    let title = |index: usize| written.rules.get(index).map_or_else(String::new, |rule| rule.title(index));
    let covering = covering(accepted, method, host, path);
    let because = || {
        // A configuration that repeats itself has as many as it has rules.
        let first: Vec<String> = covering.iter().take(MAX_NAMED).map(|index| title(*index)).collect();
        some_of(&first, covering.len())
    };
    let new = |kind, why| State {
        methods: Vec::new(),
        has_others: false,
        kind,
        users: Vec::new(),
        ranges: Vec::new(),
        preflight: false,
        why,
    };
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
            let ranges = ranges([accepted], method, host, path);
            let open = ranges.where_all(|address| passes_from(accepted, method, host, path, address));
            if open.iter().any(|range| range.is_whole()) {
                let all: Vec<String> = open.iter().map(ToString::to_string).collect();
                return new(Kind::Exempt, format!("`allow_source_ranges` of {}: {}", because(), all.join(", ")));
            }
            let ranges = open.into_iter().map(Range::to_string).collect();
            let preflight = method == "OPTIONS" && passes_as_preflight(accepted, host, path);
            State { users, ranges, preflight, ..new(kind, because()) }
        }
        decision => new(Kind::Refused, decision.to_string()),
    }
}

/// The rules that cover a request, by their indexes.
pub fn covering(accepted: &Accepted, method: &str, host: &str, path: &str) -> Vec<usize> {
    accepted.policy.covering(&request(method, host, path)).map(|(index, _)| index).collect()
}

fn request<'r>(method: &'r str, host: &'r str, path: &'r str) -> Request<'r> {
    Request {
        method: method.as_bytes(),
        path: Some(path.as_bytes()),
        authority: Some(host.as_bytes()),
        scheme: Some(b"https"),
        ..Request::default()
    }
}

/// The ranges of client addresses that count for a request under any of some configurations.
pub fn ranges<'a>(all: impl IntoIterator<Item = &'a Accepted>, method: &str, host: &str, path: &str) -> Ranges {
    let mut texts = Vec::new();
    for accepted in all {
        if accepted.policy.has_source_ranges() {
            let covering = covering(accepted, method, host, path).into_iter();
            let rules = covering.filter_map(|index| accepted.written.rules.get(index));
            texts.extend(rules.flat_map(|rule| &rule.source_ranges));
        }
    }
    Ranges::new(texts)
}

/// Whether a request without a password passes that comes from an address.
pub fn passes_from(accepted: &Accepted, method: &str, host: &str, path: &str, address: IpAddr) -> bool {
    let request = Request { source_address: Some(address), ..request(method, host, path) };
    accepted.policy.decide(&request).reason().is_none()
}

/// Whether a CORS preflight passes.
pub fn passes_as_preflight(accepted: &Accepted, host: &str, path: &str) -> bool {
    let request = Request { asks_for_cors: true, ..request("OPTIONS", host, path) };
    accepted.policy.decide(&request).reason().is_none()
}
