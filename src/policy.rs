//! A configuration compiled for decisions: built once at load, then only read.
//!
//! A decision costs what the request is long and what covers it, not what the configuration is long.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::{self, Config, Lockout};
use crate::matching::exception_index::{Exceptions, ExceptionsBuilder, ExceptionsId};
use crate::matching::index::{Candidates, Index, IndexBuilder};
use crate::matching::method::Methods;
use crate::matching::path::PatternReading;
use crate::matching::readings::Readings;
use crate::matching::regex::PathRegex;
use crate::request::Request;
use crate::response::Realm;
use crate::users::list::UserList;
use crate::users::pair::Pair;
use crate::users::plain::{PlainListId, PlainLists, Verdict};

/// What is protected, how, and who may pass.
pub struct Policy {
    index: Index,
    exceptions: Exceptions,
    rules: Vec<Rule>,
    plain: PlainLists,
    hashed: Vec<Box<[HashedList]>>,
    hash_budget_ms_per_second: u32,
    lockout: Option<Lockout>,
}

/// An htpasswd list, with its number among all of them.
struct HashedList {
    number: u32,
    users: Arc<UserList>,
}

/// What tells one list of users from another. Equal ones are one list, wherever they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserListId {
    /// The `credentials` of a rule.
    Credentials(PlainListId),
    /// A htpasswd text.
    Htpasswd(u32),
}

/// What tells the users of a rule from those of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsersKey(Option<PlainListId>, Option<u32>);

/// A rule, but for its hosts and its path, which the index holds.
pub struct Rule {
    methods: Methods,
    /// The index knows only how a regex begins.
    regex: Option<Box<PathRegex>>,
    except: Option<ExceptionsId>,
    /// `None` if it has no `credentials`.
    plain: Option<PlainListId>,
    /// The place of its htpasswd users in [`Policy::hashed`].
    hashed: Option<u32>,
    realm: Arc<Realm>,
}

impl Rule {
    /// The realm of the challenge.
    #[must_use]
    pub fn realm(&self) -> &Realm {
        &self.realm
    }

    /// What tells the `credentials` of this rule from those of others; `None` if it has none.
    #[must_use]
    pub fn credentials_id(&self) -> Option<PlainListId> {
        self.plain
    }

    /// What tells the htpasswd users of this rule from those of others; `None` if it has none.
    #[must_use]
    pub fn hashed_users_id(&self) -> Option<u32> {
        self.hashed
    }

    /// What tells all users of this rule from those of others.
    #[must_use]
    pub fn users_key(&self) -> UsersKey {
        UsersKey(self.plain, self.hashed)
    }

    /// Whether the rule covers a request that the index found for it.
    fn covers(&self, method: &[u8], path: &Readings<'_>, exceptions: &Exceptions) -> bool {
        self.methods.cover(method)
            && self.regex.as_ref().is_none_or(|regex| path.any(|reading| regex.covers(reading)))
            && self.except.is_none_or(|id| !exceptions.except(id, method, path))
    }
}

impl Policy {
    /// Compiles a configuration.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let mut index = IndexBuilder::default();
        let mut exceptions = ExceptionsBuilder::default();
        let mut plain = Vec::with_capacity(config.rules.len());
        let mut hashed = HashedLists::default();
        let mut rules = Vec::with_capacity(config.rules.len());
        for (number, rule) in (0..).zip(config.rules) {
            let config::Rule { path, hosts, methods, except, credentials, htpasswd, realm } = rule;
            index.add(number, hosts, path.readings());
            let regex = path.into_readings().into_iter().find_map(PatternReading::into_regex);
            plain.push(credentials);
            rules.push((methods, regex, exceptions.add(except), hashed.add(htpasswd), realm));
        }
        let (plain, lists) = PlainLists::new(plain);
        let compile =
            |((methods, regex, except, hashed, realm), plain)| Rule { methods, regex, except, plain, hashed, realm };
        let rules = rules.into_iter().zip(lists).map(compile).collect();
        Self {
            index: index.build(),
            exceptions: exceptions.build(),
            rules,
            plain,
            hashed: hashed.lists,
            hash_budget_ms_per_second: config.hash_budget_ms_per_second,
            lockout: config.lockout,
        }
    }

    /// How many rules there are.
    #[must_use]
    pub fn rules(&self) -> usize {
        self.rules.len()
    }

    /// How many user names with a password are stored; equal lists of them count once.
    #[must_use]
    pub fn credentials(&self) -> usize {
        let hashed = self.hashed.iter().flatten().map(|list| list.users.lines());
        hashed.fold(self.plain.pairs(), usize::saturating_add)
    }

    /// Whether a login may take time, or be locked, so that a `Throttle` has to decide about it.
    #[must_use]
    pub fn needs_throttle(&self) -> bool {
        self.lockout.is_some() || !self.hashed.is_empty()
    }

    /// `hash_budget_ms_per_second`
    #[must_use]
    pub fn hash_budget_ms_per_second(&self) -> u32 {
        self.hash_budget_ms_per_second
    }

    /// `lockout`
    #[must_use]
    pub fn lockout(&self) -> Option<Lockout> {
        self.lockout
    }

    /// The rules that cover a request, as their places in the configuration, in order.
    #[must_use]
    pub fn covering<'p>(&'p self, request: &Request<'p>) -> Covering<'p> {
        let path = Readings::parse(request.method, request.path);
        let candidates = self.index.candidates(request.authority, &path);
        Covering { policy: self, candidates, method: request.method, path }
    }

    /// The rule at a place of the configuration.
    #[must_use]
    pub fn rule(&self, place: usize) -> Option<&Rule> {
        self.rules.get(place)
    }

    /// What the `credentials` of a rule say of a pair.
    #[must_use]
    pub fn verify(&self, rule: &Rule, presented: &Pair) -> Verdict {
        rule.plain.map_or(Verdict::UnknownUser, |list| self.plain.verify(list, presented))
    }

    /// The htpasswd users of a rule.
    pub fn hashed_users(&self, rule: &Rule) -> impl Iterator<Item = &UserList> {
        self.hashed_lists(rule).map(|list| &*list.users)
    }

    fn hashed_lists(&self, rule: &Rule) -> impl Iterator<Item = &HashedList> {
        let lists = rule.hashed.and_then(|place| self.hashed.get(usize::try_from(place).ok()?));
        lists.into_iter().flatten()
    }

    /// The user lists of a rule.
    #[must_use]
    pub fn user_lists(&self, rule: &Rule) -> Vec<UserListId> {
        let mut lists: Vec<_> = rule.plain.map(UserListId::Credentials).into_iter().collect();
        for list in self.hashed_lists(rule) {
            lists.push(UserListId::Htpasswd(list.number));
        }
        lists
    }

    /// Of the user lists of a rule that accepted a pair, those for which that says that nobody guesses: the one that
    /// accepted it, and those that do not know the user. Where several htpasswd texts know the user, it is not known
    /// which of them accepted the pair, and none is named.
    #[must_use]
    pub fn cleared_lists(&self, rule: &Rule, accepted: &Pair) -> Vec<UserListId> {
        let plain = self.verify(rule, accepted);
        let (mut cleared, mut knowing) = (Vec::new(), Vec::new());
        if plain != Verdict::WrongPassword {
            cleared.extend(rule.plain.map(UserListId::Credentials));
        }
        for list in self.hashed_lists(rule) {
            let id = UserListId::Htpasswd(list.number);
            if list.users.contains(accepted.user()) { knowing.push(id) } else { cleared.push(id) }
        }
        if plain != Verdict::Accepted && knowing.len() == 1 {
            cleared.append(&mut knowing);
        }
        cleared
    }

    /// Whether a rule knows the user of a pair.
    #[must_use]
    pub fn knows(&self, rule: &Rule, presented: &Pair) -> bool {
        self.verify(rule, presented) == Verdict::WrongPassword
            || self.hashed_users(rule).any(|list| list.contains(presented.user()))
    }
}

/// The rules that cover a request, in the order of the configuration, each with its place there.
pub struct Covering<'p> {
    policy: &'p Policy,
    candidates: Candidates<'p>,
    method: &'p [u8],
    path: Readings<'p>,
}

impl<'p> Iterator for Covering<'p> {
    type Item = (usize, &'p Rule);

    fn next(&mut self) -> Option<Self::Item> {
        let Self { policy, candidates, method, path } = self;
        let rules = candidates
            .filter_map(|place| usize::try_from(place).ok().and_then(|place| Some((place, policy.rule(place)?))));
        rules.into_iter().find(|(_, rule)| rule.covers(method, path, &policy.exceptions))
    }
}

/// The htpasswd lists of all rules; what several rules have is stored once.
#[derive(Default)]
struct HashedLists {
    lists: Vec<Box<[HashedList]>>,
    places: HashMap<Vec<*const UserList>, u32>,
    /// Of each list alone.
    numbers: HashMap<Vec<*const UserList>, u32>,
}

impl HashedLists {
    /// Adds the lists of a rule, of which equal ones are the same, and returns their place.
    fn add(&mut self, lists: Box<[Arc<UserList>]>) -> Option<u32> {
        if lists.is_empty() {
            return None;
        }
        let mut all = Vec::new();
        let mut numbered = Vec::new();
        for users in lists {
            let list = Arc::as_ptr(&users);
            // A list that a rule names twice is asked once.
            if !all.contains(&list) {
                let next = u32::try_from(self.numbers.len()).ok()?;
                let number = *self.numbers.entry(Vec::from([list])).or_insert(next);
                all.push(list);
                numbered.push(HashedList { number, users });
            }
        }
        let next = u32::try_from(self.lists.len()).ok()?;
        let place = *self.places.entry(all).or_insert(next);
        if place == next {
            self.lists.push(numbered.into());
        }
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::policy;

    const PLAIN: &str = r#"{"prefix": "/", "credentials": ["a:1", "b:2"]}"#;
    const HASHED: &str = r#"{"prefix": "/", "htpasswd": "c:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="}"#;

    #[test]
    fn equal_lists_are_stored_and_counted_once() {
        let policy = policy(&format!(r#"{{"basic_auth_rules": [{PLAIN}, {HASHED}, {PLAIN}, {HASHED}]}}"#));
        assert_eq!((policy.rules(), policy.credentials()), (4, 3));
    }

    #[test]
    fn hashes_and_locks_need_a_throttle() {
        let lockout = r#""lockout": {"failures": 5, "window_seconds": 60, "lock_seconds": 60}"#;
        for (text, needs_throttle) in [
            (format!(r#"{{"basic_auth_rules": [{PLAIN}]}}"#), false),
            (format!(r#"{{"basic_auth_rules": [{PLAIN}, {HASHED}]}}"#), true),
            (format!(r#"{{"basic_auth_rules": [{PLAIN}], {lockout}}}"#), true),
        ] {
            assert_eq!(policy(&text).needs_throttle(), needs_throttle, "{text}");
        }
    }
}
