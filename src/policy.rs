//! A configuration compiled for decisions: built once at load, then only read.

use crate::authority::{Host, HostPattern};
use crate::config::{self, Config};
use crate::credential::{Pair, UserListId, UserLists, Verdict};
use crate::method::Methods;
use crate::path::PathPattern;
use crate::realm::Realm;
use crate::request::Request;

/// What is protected, how, and who may pass.
pub struct Policy {
    rules: Vec<Rule>,
    users: UserLists,
}

/// One rule of a policy.
pub struct Rule {
    path: PathPattern,
    hosts: Vec<HostPattern>,
    methods: Methods,
    users: UserListId,
    realm: Realm,
}

impl Rule {
    /// The realm of the challenge.
    #[must_use]
    pub fn realm(&self) -> &Realm {
        &self.realm
    }

    fn covers(&self, request: &Request<'_>, host: Host<'_>) -> bool {
        self.methods.cover(request.method)
            && (self.hosts.is_empty() || self.hosts.iter().any(|pattern| pattern.covers(host)))
            && self.path.covers(request.path)
    }
}

impl Policy {
    /// Compiles a configuration.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let mut users = Vec::with_capacity(config.rules.len());
        let mut rules = Vec::with_capacity(config.rules.len());
        for config::Rule { path, hosts, methods, users: pairs, realm } in config.rules {
            users.push(pairs);
            rules.push((path, hosts, methods, realm));
        }
        let (users, lists) = UserLists::new(users);
        let compile = |((path, hosts, methods, realm), users)| Rule { path, hosts, methods, users, realm };
        let rules = rules.into_iter().zip(lists).map(compile).collect();
        Self { rules, users }
    }

    /// How many rules there are.
    #[must_use]
    pub fn rules(&self) -> usize {
        self.rules.len()
    }

    /// How many user names with a password are stored; equal lists of them count once.
    #[must_use]
    pub fn credentials(&self) -> usize {
        self.users.pairs()
    }

    /// The rules that cover a request, in the order of the configuration, each with its place there.
    pub fn covering<'p>(&'p self, request: &Request<'p>) -> impl Iterator<Item = (usize, &'p Rule)> {
        let host = Host::of(request.authority);
        let request = request.clone();
        self.rules.iter().enumerate().filter(move |(_, rule)| rule.covers(&request, host))
    }

    /// Whether a rule accepts a pair.
    #[must_use]
    pub fn verify(&self, rule: &Rule, presented: &Pair) -> Verdict {
        self.users.verify(rule.users, presented)
    }
}
