//! A configuration compiled for decisions: built once at load, then only read.

use crate::authority::{Host, HostPattern};
use crate::config::{self, Config};
use crate::credential::{Pair, UserListId, UserLists, Verdict};
use crate::method::Methods;
use crate::path::{Exception, PathPattern};
use crate::readings::Readings;
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
    except: Vec<Exception>,
    users: UserListId,
    realm: Realm,
}

impl Rule {
    /// The realm of the challenge.
    #[must_use]
    pub fn realm(&self) -> &Realm {
        &self.realm
    }

    fn covers(&self, method: &[u8], host: Host<'_>, path: &Readings<'_>) -> bool {
        self.methods.cover(method)
            && (self.hosts.is_empty() || self.hosts.iter().any(|pattern| pattern.covers(host)))
            && self.path.covers(path)
            && !self.except.iter().any(|exception| exception.excepts(method, path))
    }
}

impl Policy {
    /// Compiles a configuration.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let mut users = Vec::with_capacity(config.rules.len());
        let mut rules = Vec::with_capacity(config.rules.len());
        for config::Rule { path, hosts, methods, except, users: pairs, realm } in config.rules {
            users.push(pairs);
            rules.push((path, hosts, methods, except, realm));
        }
        let (users, lists) = UserLists::new(users);
        let compile =
            |((path, hosts, methods, except, realm), users)| Rule { path, hosts, methods, except, users, realm };
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
        let path = Readings::of(request.method, request.path);
        let method = request.method;
        self.rules.iter().enumerate().filter(move |(_, rule)| rule.covers(method, host, &path))
    }

    /// Whether a rule accepts a pair.
    #[must_use]
    pub fn verify(&self, rule: &Rule, presented: &Pair) -> Verdict {
        self.users.verify(rule.users, presented)
    }
}
