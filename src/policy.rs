//! A configuration compiled for decisions: built once at load, then only read.
//!
//! A decision costs what the request is long and what covers it, not what the configuration is long.

use std::sync::Arc;

use regex_lite::Regex;

use crate::config::{self, Config};
use crate::credential::{Pair, UserListId, UserLists, Verdict};
use crate::index::{Index, IndexBuilder};
use crate::method::Methods;
use crate::path::{self, Exception, PathForm};
use crate::readings::Readings;
use crate::realm::Realm;
use crate::request::Request;

/// What is protected, how, and who may pass.
pub struct Policy {
    index: Index,
    rules: Vec<Rule>,
    users: UserLists,
}

/// A rule, but for its hosts and its path, which the index holds.
pub struct Rule {
    methods: Methods,
    /// The index knows only how a regex begins.
    regex: Option<Regex>,
    except: Vec<Exception>,
    users: UserListId,
    realm: Arc<Realm>,
}

impl Rule {
    /// The realm of the challenge.
    #[must_use]
    pub fn realm(&self) -> &Realm {
        &self.realm
    }

    /// Whether the rule covers a request that the index found for it.
    fn covers(&self, method: &[u8], path: &Readings<'_>) -> bool {
        self.methods.cover(method)
            && self.regex.as_ref().is_none_or(|regex| path.any(|reading| path::regex_covers(regex, reading)))
            && !self.except.iter().any(|exception| exception.excepts(method, path))
    }
}

impl Policy {
    /// Compiles a configuration.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let mut index = IndexBuilder::default();
        let mut users = Vec::with_capacity(config.rules.len());
        let mut rules = Vec::with_capacity(config.rules.len());
        for (number, rule) in (0..).zip(config.rules) {
            let config::Rule { path, hosts, methods, except, users: pairs, realm } = rule;
            index.add(number, hosts, path.forms());
            let regex = path.into_forms().into_iter().find_map(PathForm::into_regex);
            users.push(pairs);
            rules.push((methods, regex, except, realm));
        }
        let (users, lists) = UserLists::new(users);
        let compile = |((methods, regex, except, realm), users)| Rule { methods, regex, except, users, realm };
        let rules = rules.into_iter().zip(lists).map(compile).collect();
        Self { index: index.build(), rules, users }
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
        let path = Readings::of(request.method, request.path);
        let method = request.method;
        self.index.candidates(request.authority, &path).filter_map(move |number| {
            let number = usize::try_from(number).ok()?;
            let rule = self.rules.get(number)?;
            rule.covers(method, &path).then_some((number, rule))
        })
    }

    /// Whether a rule accepts a pair.
    #[must_use]
    pub fn verify(&self, rule: &Rule, presented: &Pair) -> Verdict {
        self.users.verify(rule.users, presented)
    }
}
