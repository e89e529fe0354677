//! A configuration compiled for decisions: built once at load, then only read.
//!
//! A decision costs what the request is long and what covers it, not what the configuration is long.

#[cfg(feature = "explain")]
pub(crate) mod explain;

use std::sync::Arc;

use crate::config::{self, Config, Lockout, Options, RuleExtra};
use crate::distinct::Distinct;
use crate::matching::budget::MatchBudget;
use crate::matching::exception::Exception;
use crate::matching::exception_index::{Exceptions, ExceptionsBuilder, ExceptionsId, Untried};
use crate::matching::index::{Candidates, Index, IndexBuilder};
use crate::matching::method::Methods;
use crate::matching::path::PatternReading;
use crate::matching::readings::Readings;
use crate::matching::regex::PathRegex;
use crate::matching::source::SourceRanges;
use crate::matching::target::Target;
use crate::request::Request;
use crate::response::{Realm, Refusal, Unauthorized};
use crate::users::fetched::FetchSource;
use crate::users::list::{UserList, list_digest};
use crate::users::pair::Pair;
use crate::users::plain::{Digests, PlainListId, PlainLists, Verdict};

/// How many named rules are counted one by one, the first ones in the order of the configuration: the proxy keeps each of
/// their counters for good.
pub(crate) const MAX_COUNTED_RULES: usize = 256;

/// What is protected, how, and who may pass.
pub struct Policy {
    index: Index,
    exceptions: Exceptions,
    /// The same for `first_match`, with folded letters: whether a backend may take a path for an excepted one.
    folded_exceptions: Exceptions,
    rules: Vec<Rule>,
    plain: PlainLists,
    /// The lists of plain users of rules that have more than one.
    several_plain: Vec<Box<[PlainListId]>>,
    hashed: Vec<Box<[HashedList]>>,
    /// What tells each htpasswd list from others in every worker and configuration, by their numbers; empty without a
    /// lockout.
    hashed_digests: Box<[u64]>,
    fetched: Vec<FetchedList>,
    hash_budget_ms_per_second: u32,
    lockout: Option<Lockout>,
    options: Options,
    has_source_ranges: bool,
    /// The indexes of the rules that are counted one by one, in order.
    counted: Vec<u32>,
    digest: u32,
}

/// An htpasswd list, with its number among all of them.
struct HashedList {
    number: u32,
    users: HashedUsers,
}

/// Where the users of an htpasswd list are.
#[derive(Clone)]
enum HashedUsers {
    /// In the configuration.
    Fixed(Arc<UserList>),
    /// In one of [`Policy::fetched`].
    Fetched(usize),
}

/// A list that is fetched.
struct FetchedList {
    source: FetchSource,
    /// Its place in the configuration.
    path: Box<str>,
    /// `None` until the first good answer.
    users: Option<UserList>,
    /// How often it has changed.
    version: u32,
}

/// What tells one list of users from another. Equal ones are one list, wherever they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserListId {
    /// The `credentials` of a rule or of a named list.
    Credentials(PlainListId),
    /// A htpasswd text.
    Htpasswd(u32),
}

/// What tells the users of a rule from those of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsersKey(PlainUsers, Option<u32>);

/// A rule, but for its hosts and its path, which the index holds.
pub struct Rule {
    methods: Methods,
    /// The index knows only how a regex begins.
    regex: Option<Box<PathRegex>>,
    except: Option<ExceptionsId>,
    plain: PlainUsers,
    /// The index of its htpasswd users in [`Policy::hashed`].
    hashed: Option<u32>,
    refusal: Arc<Refusal>,
    /// What few rules have.
    extra: Option<Box<RuleExtra>>,
    hide_credentials: bool,
    allow_missing: bool,
    dry_run: bool,
    effect: Effect,
}

/// Whether a rule does to what it covers anything that the rule before it would not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Own,
    Repeated,
}

/// The plain users of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainUsers {
    /// None.
    Nobody,
    /// One list.
    One(PlainListId),
    /// The lists at this index of [`Policy::several_plain`].
    Several(u32),
}

impl Rule {
    /// What is answered in the place of the upstream.
    #[must_use]
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// What tells the plain users of this rule from those of others.
    #[must_use]
    pub fn plain_users(&self) -> PlainUsers {
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

    /// `name`
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.extra.as_ref()?.name.as_deref()
    }

    /// `allow_source_ranges`
    #[must_use]
    pub fn source_ranges(&self) -> Option<&SourceRanges> {
        self.extra.as_ref()?.source_ranges.as_ref()
    }

    /// `hide_credentials`
    #[must_use]
    pub fn hides_credential(&self) -> bool {
        self.hide_credentials
    }

    /// `allow_missing`
    #[must_use]
    pub fn allows_missing(&self) -> bool {
        self.allow_missing
    }

    /// `dry_run`
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Whether the rule lets a user in whom it knows: `allow_users`.
    #[must_use]
    pub fn allows(&self, user: &[u8]) -> bool {
        let allowed = self.extra.as_ref().and_then(|extra| extra.allow_users.as_deref());
        allowed.is_none_or(|allowed| allowed.binary_search_by(|name| name.as_bytes().cmp(user)).is_ok())
    }

    /// Whether it differs from another rule in hosts and path at most. What few rules have is not compared.
    fn is_like(&self, other: &Self) -> bool {
        let is_common = |rule: &Self| rule.regex.is_none() && rule.except.is_none() && rule.extra.is_none();
        let flags = |rule: &Self| (rule.hide_credentials, rule.allow_missing, rule.dry_run);
        is_common(self)
            && is_common(other)
            && self.users_key() == other.users_key()
            && Arc::ptr_eq(&self.refusal, &other.refusal)
            && flags(self) == flags(other)
            && self.methods == other.methods
    }

    /// Whether the rule covers one reading of a path, which the index found for it. An exception looks at all of them.
    fn covers_reading(&self, reading: &[u8], target: Target<'_>, exceptions: &Exceptions) -> bool {
        self.covers_where(target, exceptions, |regex| regex.covers(reading, target.budget))
    }

    /// Whether a rule that covers a reading does so whatever a backend makes of the request, so that with `first_match` no
    /// later rule is asked. A rule that covers it because nobody can tell is asked, and does not keep others from being
    /// asked; nor does a rule on trial.
    fn is_sure_to_cover(
        &self,
        reading: &[u8],
        folded: &[u8],
        target: Target<'_>,
        folded_exceptions: &Exceptions,
    ) -> bool {
        let Target { method, path, budget } = target;
        let is_method_sure =
            self.methods == Methods::Every || (!method.is_empty() && !method.iter().any(u8::is_ascii_lowercase));
        !self.dry_run
            && is_method_sure
            && self.regex.as_ref().is_none_or(|regex| regex.matches(reading, budget))
            && self.except.is_none_or(|id| {
                let method = &*method.to_ascii_uppercase();
                let excepts =
                    |path| folded_exceptions.except(id, Target { method, path: &Readings::Plain(path), budget });
                // A reading by a cut slash stands for one that has it, and exceptions look at that one.
                let is_cut = |other: &[u8]| other.strip_suffix(b"/") == Some(reading);
                let has_slash = path.covering().is_some_and(|mut readings| readings.any(is_cut));
                let is_excepted = excepts(folded) || (has_slash && excepts(&[folded, b"/"].concat()));
                !is_excepted
            })
    }

    /// Whether the rule covers a request that the index found for it.
    fn covers(&self, target: Target<'_>, exceptions: &Exceptions) -> bool {
        self.covers_where(target, exceptions, |regex| target.path.any(|reading| regex.covers(reading, target.budget)))
    }

    fn covers_where(
        &self,
        target: Target<'_>,
        exceptions: &Exceptions,
        covers: impl FnOnce(&PathRegex) -> bool,
    ) -> bool {
        self.methods.cover(target.method)
            && self.regex.as_deref().is_none_or(covers)
            && self.except.is_none_or(|id| !exceptions.except(id, target))
    }
}

impl Policy {
    /// Compiles a configuration.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let mut index = IndexBuilder::default();
        let mut exceptions = ExceptionsBuilder::default();
        let mut folded_exceptions = ExceptionsBuilder::default();
        let mut hashed = HashedLists::default();
        let mut refusals = Refusals::new(&config.options.headers.credential);
        let mut plain = Vec::with_capacity(config.rules.len());
        let mut rules = Vec::with_capacity(config.rules.len());
        let mut has_source_ranges = false;
        let mut counted = Vec::new();
        let named: Vec<_> = config
            .users
            .into_iter()
            .map(|users| {
                plain.push(users.credentials);
                hashed_users(users.htpasswd, users.fetch)
            })
            .collect();
        let first_own = plain.len();
        for (number, rule) in (0..).zip(config.rules) {
            let config::Rule { path, hosts, methods, except, credentials, htpasswd, extra, .. } = rule;
            let mut htpasswd = hashed_users(htpasswd, extra.as_ref().and_then(|extra| extra.fetch));
            let users = extra.as_ref().map(|extra| &*extra.users).unwrap_or_default();
            index.add(number, hosts, path.readings());
            let regex = path.into_readings().into_iter().find_map(PatternReading::into_regex);
            if !users.is_empty() {
                let of_named = users.iter().filter_map(|index| named.get(*index)).flatten();
                htpasswd = htpasswd.iter().chain(of_named).cloned().collect();
            }
            plain.push(credentials);
            has_source_ranges |= extra.as_ref().is_some_and(|extra| extra.source_ranges.is_some());
            if config.options.first_match {
                // In the same order as below, so that one number finds both.
                folded_exceptions.add(except.iter().map(Exception::folded).collect());
            }
            let compiled = Rule {
                methods,
                regex,
                except: exceptions.add(except),
                // Told below, when all lists are stored.
                plain: PlainUsers::Nobody,
                hashed: hashed.add(htpasswd),
                refusal: refusals.get(rule.realm, &rule.unauthorized),
                extra,
                hide_credentials: rule.hide_credentials,
                allow_missing: rule.allow_missing,
                dry_run: rule.dry_run,
                // Told below as well.
                effect: Effect::Own,
            };
            if compiled.name().is_some() && counted.len() < MAX_COUNTED_RULES {
                counted.push(number);
            }
            rules.push(compiled);
        }
        let fetched: Vec<_> = config
            .fetches
            .into_iter()
            .map(|(source, path)| FetchedList { source, path, users: None, version: 0 })
            .collect();
        let digests = if config.lockout.is_some() { Digests::Kept } else { Digests::None };
        let (plain, lists) = PlainLists::new(plain, digests);
        let mut several_plain = SeveralPlain::default();
        let own = lists.get(first_own..).unwrap_or_default();
        for (rule, own) in rules.iter_mut().zip(own) {
            let users = rule.extra.as_mut().map(|extra| std::mem::take(&mut extra.users)).unwrap_or_default();
            let named = users.iter().filter_map(|index| *lists.get(*index)?);
            let mut all: Vec<PlainListId> = Vec::new();
            for list in named.chain(*own) {
                // What a rule names twice is asked once.
                if !all.contains(&list) {
                    all.push(list);
                }
            }
            rule.plain = several_plain.get(all);
        }
        // Its room is for what is built below.
        drop(lists);
        for index in 1..rules.len() {
            let (before, behind) = rules.split_at_mut(index);
            if let (Some(before), Some(rule)) = (before.last(), behind.first_mut()) {
                rule.effect = if rule.is_like(before) { Effect::Repeated } else { Effect::Own };
            }
        }
        Self {
            index: index.build(),
            exceptions: exceptions.build(Untried::IsNone),
            folded_exceptions: folded_exceptions.build(Untried::MayApply),
            rules,
            plain,
            several_plain: several_plain.0.into_values(),
            hashed_digests: if digests == Digests::Kept { hashed.digests(&fetched) } else { Box::default() },
            fetched,
            hashed: hashed.lists,
            hash_budget_ms_per_second: config.hash_budget_ms_per_second,
            lockout: config.lockout,
            options: config.options,
            has_source_ranges,
            counted,
            digest: config.digest,
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
        let hashed = self.hashed.iter().flatten().filter_map(|list| self.users_of(list)).map(UserList::lines);
        hashed.fold(self.plain.pairs(), usize::saturating_add)
    }

    /// Whether a login may take time, or be locked, so that a `Throttle` has to decide about it.
    #[must_use]
    pub fn needs_throttle(&self) -> bool {
        self.lockout.is_some() || !self.hashed.is_empty()
    }

    /// Whether any password takes longer to verify than to look for elsewhere, or may do so one day.
    pub(crate) fn has_slow_hashes(&self) -> bool {
        self.hashed.iter().flatten().any(|list| match &list.users {
            HashedUsers::Fixed(users) => users.is_slow(),
            HashedUsers::Fetched(_) => true,
        })
    }

    /// Where lists are fetched from.
    pub(crate) fn fetch_sources(&self) -> impl ExactSizeIterator<Item = &FetchSource> {
        self.fetched.iter().map(|list| &list.source)
    }

    /// The place of a fetched list in the configuration.
    pub(crate) fn fetch_path(&self, index: usize) -> &str {
        self.fetched.get(index).map(|list| &*list.path).unwrap_or_default()
    }

    /// The users of a fetched list; `None` until the first good answer.
    #[must_use]
    pub(crate) fn fetched_users(&self, index: usize) -> Option<&UserList> {
        self.fetched.get(index)?.users.as_ref()
    }

    /// Takes what was fetched for the users of a list from now on.
    pub(crate) fn set_fetched_users(&mut self, index: usize, users: UserList) {
        if let Some(list) = self.fetched.get_mut(index) {
            list.users = Some(users);
            list.version = list.version.wrapping_add(1);
        }
    }

    /// Whether a rule needs a list that was not fetched yet.
    #[must_use]
    pub fn awaits_users(&self, rule: &Rule) -> bool {
        self.hashed_lists(rule).any(|list| self.users_of(list).is_none())
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

    /// The options that stand for all rules.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Whether some rule may have to know where the client is.
    #[must_use]
    pub fn has_source_ranges(&self) -> bool {
        self.has_source_ranges
    }

    /// Which configuration this is, see [`Config::digest`].
    #[must_use]
    pub fn digest(&self) -> u32 {
        self.digest
    }

    /// The names of the rules that are counted one by one, by their slots.
    pub(crate) fn counted_rules(&self) -> Vec<Box<str>> {
        let names = self.counted.iter().filter_map(|index| self.indexed_rule(*index)?.1.name());
        names.map(Box::from).collect()
    }

    /// The slot of a rule among those that are counted one by one.
    pub(crate) fn counted_slot(&self, rule: usize) -> Option<usize> {
        self.counted.binary_search(&u32::try_from(rule).ok()?).ok()
    }

    /// The rules that decide about a request, as their indexes in the configuration, in order: all that cover it, or with
    /// `first_match` the first one for each reading.
    #[must_use]
    pub fn covering<'p>(&'p self, request: &Request<'p>) -> Covering<'p> {
        let path = Readings::parse(request.method, request.path);
        let covering = self.covering_path(request, path).unwrap_or_else(|| Covering::listed(self, Vec::new()));
        Covering { behind_last: EVERY, ..covering }
    }

    /// Those of them that have to be asked, of a request whose path was read: of rules that follow one another and say the
    /// same only the first. `None` if it is known at once that there are none.
    pub(crate) fn covering_path<'p>(&'p self, request: &Request<'p>, path: Readings<'p>) -> Option<Covering<'p>> {
        let mut path = path;
        if self.options.first_match
            && let Some(rules) = self.first_covering(request, &mut path)
        {
            return Some(rules);
        }
        let candidates = self.index.candidates(request.authority, &path);
        if candidates.are_none() {
            return None;
        }
        let (method, budget) = (request.method, MatchBudget::behind_readings(&path));
        Some(Covering { policy: self, candidates, method, path, budget, is_sure: false, behind_last: 0 })
    }

    /// Of each reading the first rule; `None` if every rule may be the first. Then no exception is known to hold.
    #[cold]
    fn first_covering<'p>(&'p self, request: &Request<'p>, path: &mut Readings<'p>) -> Option<Covering<'p>> {
        let budget = MatchBudget::behind_readings(path);
        let rules = self.first_for_each(request, path, &budget);
        if budget.is_spent() {
            *path = Readings::Unreadable;
            return None;
        }
        rules
    }

    /// Whether a path is refused because it has several readings, or none.
    pub(crate) fn refuses_path(&self, path: &Readings<'_>) -> bool {
        self.options.refuse_ambiguous_paths && path.is_ambiguous()
    }

    /// For each reading the rules up to the first that is sure to cover it. `None` where path or host cannot be read, or the
    /// budget does not reach: every rule covers that, and each of them may be the first.
    #[cold]
    fn first_for_each(&self, request: &Request<'_>, path: &Readings<'_>, budget: &MatchBudget) -> Option<Covering<'_>> {
        let mut asked = Vec::new();
        let target = Target { method: request.method, path, budget };
        for (reading, folded, candidates) in self.index.candidates_by_reading(request.authority, path)? {
            // They were sorted, and are gone through.
            budget.spend(candidates.at_most().saturating_mul(24))?;
            for index in candidates {
                let Some((_, rule)) = self.indexed_rule(index) else { continue };
                if rule.covers_reading(reading, target, &self.exceptions) {
                    asked.push(index);
                    if rule.is_sure_to_cover(reading, &folded, target, &self.folded_exceptions) {
                        break;
                    }
                }
            }
        }
        Some(Covering::listed(self, asked))
    }

    /// The rule with an index in the configuration.
    #[must_use]
    pub fn rule(&self, index: usize) -> Option<&Rule> {
        self.rules.get(index)
    }

    fn indexed_rule(&self, index: u32) -> Option<(usize, &Rule)> {
        let index = usize::try_from(index).ok()?;
        Some((index, self.rule(index)?))
    }

    /// The lists of plain users of a rule.
    fn plain_lists<'p>(&'p self, rule: &'p Rule) -> &'p [PlainListId] {
        match &rule.plain {
            PlainUsers::Nobody => &[],
            PlainUsers::One(list) => std::slice::from_ref(list),
            PlainUsers::Several(index) => {
                let lists = usize::try_from(*index).ok().and_then(|index| self.several_plain.get(index));
                lists.map(|lists| &**lists).unwrap_or_default()
            }
        }
    }

    /// What the plain users of a rule say of a pair. All of its lists are asked, whatever the first one says.
    #[must_use]
    pub fn verify(&self, rule: &Rule, presented: &Pair) -> Verdict {
        // Nobody else is refused with the right password.
        let evenly = rule.extra.as_ref().is_some_and(|extra| extra.allow_users.is_some());
        match self.plain_lists(rule) {
            [list] => self.plain.verify(*list, presented, evenly),
            lists => {
                let verdicts = lists.iter().map(|list| self.plain.verify(*list, presented, evenly));
                verdicts.max().unwrap_or(Verdict::UnknownUser)
            }
        }
    }

    /// The htpasswd users of a rule.
    pub fn hashed_users(&self, rule: &Rule) -> impl Iterator<Item = &UserList> {
        self.hashed_lists(rule).filter_map(|list| self.users_of(list))
    }

    fn users_of<'p>(&'p self, list: &'p HashedList) -> Option<&'p UserList> {
        match &list.users {
            HashedUsers::Fixed(users) => Some(users),
            HashedUsers::Fetched(index) => self.fetched_users(*index),
        }
    }

    /// What tells the htpasswd users of a rule from those of others, and from what they were before they changed.
    #[must_use]
    pub(crate) fn hashed_users_version(&self, rule: &Rule) -> [u8; 8] {
        let version = |list: &HashedList| match list.users {
            HashedUsers::Fixed(_) => 0,
            HashedUsers::Fetched(index) => self.fetched.get(index).map_or(0, |list| list.version),
        };
        let version = self.hashed_lists(rule).map(version).fold(0, u32::wrapping_add);
        let id = rule.hashed.unwrap_or(u32::MAX);
        (u64::from(id).wrapping_shl(32) | u64::from(version)).to_le_bytes()
    }

    fn hashed_lists(&self, rule: &Rule) -> impl Iterator<Item = &HashedList> {
        let lists = rule.hashed.and_then(|index| self.hashed.get(usize::try_from(index).ok()?));
        lists.into_iter().flatten()
    }

    /// The user lists of a rule.
    #[must_use]
    pub fn user_lists(&self, rule: &Rule) -> Vec<UserListId> {
        let mut lists: Vec<_> = self.plain_lists(rule).iter().copied().map(UserListId::Credentials).collect();
        for list in self.hashed_lists(rule) {
            lists.push(UserListId::Htpasswd(list.number));
        }
        lists
    }

    /// What tells a user list from others in every worker and configuration; 0 without a lockout.
    #[must_use]
    pub(crate) fn list_digest(&self, list: UserListId) -> u64 {
        match list {
            UserListId::Credentials(list) => self.plain.digest(list),
            UserListId::Htpasswd(number) => {
                let index = usize::try_from(number).ok();
                index.and_then(|index| self.hashed_digests.get(index)).copied().unwrap_or_default()
            }
        }
    }

    /// Of the user lists of a rule that accepted a pair, those for which that says that nobody guesses: the one that
    /// accepted it, and those that do not know the user. Where several htpasswd texts know the user, it is not known
    /// which of them accepted the pair, and none is named.
    #[must_use]
    pub fn cleared_lists(&self, rule: &Rule, accepted: &Pair) -> Vec<UserListId> {
        let mut is_plain = false;
        let (mut cleared, mut knowing) = (Vec::new(), Vec::new());
        for list in self.plain_lists(rule) {
            let verdict = self.plain.verify(*list, accepted, false);
            is_plain |= verdict == Verdict::Accepted;
            if verdict != Verdict::WrongPassword {
                cleared.push(UserListId::Credentials(*list));
            }
        }
        for list in self.hashed_lists(rule) {
            let id = UserListId::Htpasswd(list.number);
            let is_known = self.users_of(list).is_some_and(|users| users.contains(accepted.user()));
            if is_known { knowing.push(id) } else { cleared.push(id) }
        }
        if !is_plain && knowing.len() == 1 {
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

/// In the place of an index: rules are found that say what the one before said, too.
const EVERY: u32 = u32::MAX;

/// The rules that are asked about a request, in the order of the configuration, each with its index there.
pub struct Covering<'p> {
    policy: &'p Policy,
    candidates: Candidates<'p>,
    method: &'p [u8],
    path: Readings<'p>,
    budget: MatchBudget,
    /// Whether the candidates are known to cover the request.
    is_sure: bool,
    /// The index behind the rule that was looked at last, or [`EVERY`].
    behind_last: u32,
}

impl<'p> Covering<'p> {
    /// These rules, which are known to cover the request.
    pub(crate) fn of(policy: &'p Policy, rules: impl IntoIterator<Item = (usize, &'p Rule)>) -> Self {
        Self::listed(policy, rules.into_iter().filter_map(|(index, _)| u32::try_from(index).ok()).collect())
    }

    /// The same, by their indexes.
    fn listed(policy: &'p Policy, indexes: Vec<u32>) -> Self {
        let candidates = Candidates::several(indexes);
        let (path, budget) = (Readings::Unreadable, MatchBudget::new());
        Self { policy, candidates, method: &[], path, budget, is_sure: true, behind_last: 0 }
    }
}

impl<'p> Iterator for Covering<'p> {
    type Item = (usize, &'p Rule);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // As it mostly is behind the first.
        if self.candidates.are_none() { None } else { self.find() }
    }
}

impl<'p> Covering<'p> {
    #[inline]
    fn find(&mut self) -> Option<(usize, &'p Rule)> {
        let Self { policy, candidates, method, path, budget, is_sure, .. } = self;
        let policy = *policy;
        let target = Target { method, path, budget };
        // Mostly there is one, behind which is none.
        let Candidates::One(candidate) = candidates else { return self.find_among_several() };
        let found = policy.indexed_rule(candidate.take()?)?;
        (*is_sure || found.1.covers(target, &policy.exceptions)).then_some(found)
    }

    #[inline(never)]
    fn find_among_several(&mut self) -> Option<(usize, &'p Rule)> {
        let Self { policy, candidates, method, path, budget, is_sure, behind_last } = self;
        let policy = *policy;
        let target = Target { method, path, budget };
        for index in candidates {
            let Some(found) = policy.indexed_rule(index) else { continue };
            let is_known = found.1.effect == Effect::Repeated && index == *behind_last;
            if *behind_last != EVERY {
                *behind_last = index.saturating_add(1);
            }
            if !is_known && (*is_sure || found.1.covers(target, &policy.exceptions)) {
                return Some(found);
            }
        }
        None
    }
}

/// The refusals of all rules, equal ones stored once.
struct Refusals<'c> {
    credential: &'c str,
    looks: Distinct<(*const Realm, *const Unauthorized)>,
    /// By the numbers of their realms and looks.
    known: Vec<Arc<Refusal>>,
}

impl<'c> Refusals<'c> {
    fn new(credential: &'c str) -> Self {
        Self { credential, looks: Distinct::default(), known: Vec::new() }
    }

    /// The refusal with this realm and look, of which equal ones are the same.
    fn get(&mut self, realm: Arc<Realm>, unauthorized: &Arc<Unauthorized>) -> Arc<Refusal> {
        let key = (Arc::as_ptr(&realm), Arc::as_ptr(unauthorized));
        let (number, _) = self.looks.add(key);
        if let Some(known) = self.known.get(number) {
            return Arc::clone(known);
        }
        let refusal = Arc::new(Refusal::new(realm, unauthorized, self.credential));
        self.known.push(Arc::clone(&refusal));
        refusal
    }
}

/// The lists of plain users of rules that have more than one, equal ones stored once.
#[derive(Default)]
struct SeveralPlain(Distinct<Box<[PlainListId]>>);

impl SeveralPlain {
    fn get(&mut self, lists: Vec<PlainListId>) -> PlainUsers {
        if let [] | [_] = lists.as_slice() {
            return lists.first().map_or(PlainUsers::Nobody, |list| PlainUsers::One(*list));
        }
        let (number, _) = self.0.add(lists.into());
        PlainUsers::Several(u32::try_from(number).unwrap_or(u32::MAX))
    }
}

/// The htpasswd lists of all rules; what several rules have is stored once.
#[derive(Default)]
struct HashedLists {
    lists: Vec<Box<[HashedList]>>,
    /// The numbers of the lists at each place.
    places: Distinct<Box<[u32]>>,
    /// Each list alone.
    each: Distinct<HashedUsersKey>,
}

/// What tells one list from another while they are collected.
type HashedUsersKey = Result<*const UserList, usize>;

/// The htpasswd lists of a rule or of a named list.
fn hashed_users(htpasswd: Box<[Arc<UserList>]>, fetch: Option<usize>) -> Box<[HashedUsers]> {
    htpasswd.into_iter().map(HashedUsers::Fixed).chain(fetch.map(HashedUsers::Fetched)).collect()
}

impl HashedLists {
    /// The digests of all lists, by their numbers.
    #[inline(never)]
    fn digests(&self, fetched: &[FetchedList]) -> Box<[u64]> {
        let digest = |number: u32, users: &HashedUsers| match users {
            HashedUsers::Fixed(users) => list_digest("htpasswd", number, users.users().map(str::as_bytes)),
            // It stays the same list when it changes.
            HashedUsers::Fetched(index) => fetched.get(*index).map_or(0, |list| {
                let FetchSource { cluster, path, authority, .. } = &list.source;
                list_digest("htpasswd_fetch", 0, [cluster, path, authority].map(|text| text.as_bytes()))
            }),
        };
        let mut digests = Vec::new();
        for HashedList { number, users } in self.lists.iter().flatten() {
            // They are numbered in the order in which they first stand here.
            if usize::try_from(*number) == Ok(digests.len()) {
                digests.push(digest(*number, users));
            }
        }
        digests.into()
    }

    /// Adds the lists of a rule, of which equal ones are the same, and returns their place.
    fn add(&mut self, lists: Box<[HashedUsers]>) -> Option<u32> {
        if lists.is_empty() {
            return None;
        }
        let mut all = Vec::new();
        let mut numbered = Vec::new();
        for users in lists {
            let list = match &users {
                HashedUsers::Fixed(users) => Ok(Arc::as_ptr(users)),
                HashedUsers::Fetched(index) => Err(*index),
            };
            let number = u32::try_from(self.each.add(list).0).ok()?;
            // A list that a rule names twice is asked once.
            if !all.contains(&number) {
                all.push(number);
                numbered.push(HashedList { number, users });
            }
        }
        let (place, is_new) = self.places.add(all.into());
        if is_new {
            self.lists.push(numbered.into());
        }
        u32::try_from(place).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Covering;
    use crate::matching::readings::Readings;
    use crate::request::Request;
    use crate::test_support::policy;

    const PLAIN: &str = r#"{"prefix": "/", "credentials": ["a:1", "b:2"]}"#;
    const HASHED: &str = r#"{"prefix": "/", "htpasswd": "c:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="}"#;

    /// The rules that cover a `GET` for a path, and those of them that are asked.
    fn covering_and_asked(rules: &[&str], path: &str) -> (Vec<usize>, Vec<usize>) {
        let policy = policy(&format!(r#"{{"basic_auth_rules": [{}]}}"#, rules.join(",")));
        let request = Request { method: b"GET", path: Some(path.as_bytes()), ..Request::default() };
        let asked = policy.covering_path(&request, Readings::parse(b"GET", request.path));
        let indexes = |rules: Covering<'_>| rules.map(|(index, _)| index).collect();
        (indexes(policy.covering(&request)), asked.map(indexes).unwrap_or_default())
    }

    #[test]
    fn of_rules_that_follow_one_another_and_say_the_same_one_is_asked() {
        let rules = |paths: &[&str]| -> Vec<String> {
            paths.iter().map(|path| format!(r#"{{"prefix": "{path}", "credentials": ["a:1"]}}"#)).collect()
        };
        let rules = rules(&["/a", "/b", "/b", "/a/b", "/", "/b"]);
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        for (path, covering, asked) in [
            ("/a", &[0, 4][..], &[0, 4][..]),
            // The one before covers it not, so nobody was asked for it.
            ("/b", &[1, 2, 4, 5], &[1, 4]),
            ("/a/b", &[0, 3, 4], &[0, 3]),
            ("/%zz", &[0, 1, 2, 3, 4, 5], &[0]),
        ] {
            assert_eq!(covering_and_asked(&rules, path), (covering.to_vec(), asked.to_vec()), "{path}");
        }
    }

    #[test]
    fn a_rule_that_says_anything_else_is_asked() {
        for other in [
            r#""credentials": ["a:2"]"#,
            r#""credentials": ["a:1"], "htpasswd": "c:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=""#,
            r#""credentials": ["a:1"], "realm": "other""#,
            r#""credentials": ["a:1"], "request_methods": ["GET"]"#,
            r#""credentials": ["a:1"], "except": [{"prefix": "/open"}]"#,
            r#""credentials": ["a:1"], "allow_users": ["a"]"#,
            r#""credentials": ["a:1"], "name": "other""#,
            r#""credentials": ["a:1"], "allow_source_ranges": ["10.0.0.0/8"]"#,
            r#""credentials": ["a:1"], "unauthorized": {"body": "no"}"#,
            r#""credentials": ["a:1"], "hide_credentials": true"#,
            r#""credentials": ["a:1"], "allow_missing": true"#,
            r#""credentials": ["a:1"], "dry_run": true"#,
        ] {
            let (plain, other) =
                (r#"{"prefix": "/", "credentials": ["a:1"]}"#, format!(r#"{{"prefix": "/", {other}}}"#));
            for path in ["/", "/%zz"] {
                assert_eq!(covering_and_asked(&[plain, &other, plain, plain], path).1, [0, 1, 2], "{other}, {path}");
            }
        }
        let regex = r#"{"regex": "/.*", "credentials": ["a:1"]}"#;
        assert_eq!(covering_and_asked(&[regex, regex], "/").1, [0, 1]);
    }

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
