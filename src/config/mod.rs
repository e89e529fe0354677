//! A validated configuration: every value in it can be trusted wherever it is met.

mod error;
mod fields;
mod json;
mod limits;
mod options;
mod other_format;
mod read;
mod read_options;
mod slips;
mod suggest;
mod unknown;
mod warning;

use std::fmt;
use std::sync::Arc;

use crate::matching::exception::Exception;
use crate::matching::host::HostPattern;
use crate::matching::method::Methods;
use crate::matching::path::PathPattern;
use crate::matching::source::SourceRanges;
use crate::response::{Realm, Unauthorized};
use crate::users::fetched::FetchSource;
use crate::users::list::UserList;
use crate::users::pair::Pair;

pub use error::{ConfigError, ConfigErrors, JsonType, Problem};
pub use fields::{FIELDS, Field, Kind, Object};
#[cfg(test)]
pub(crate) use options::DEFAULT_HASH_BUDGET_MS_PER_SECOND;
pub use options::{Lockout, MAX_HASH_BUDGET_MS_PER_SECOND, Options, PlainHttp};
pub use warning::{Warning, WarningKind};

/// A whole configuration.
///
/// ```
/// use basic_auth::Config;
///
/// let config = Config::parse(br#"{"realm": "shop", "basic_auth_rules": [{"prefix": "/", "credentials": ["ok:test"]}]}"#)?;
/// assert_eq!(config.rules[0].realm.text(), "shop");
///
/// // Refused as a whole, with the path of all that is wrong and what to do about it.
/// let errors = Config::parse(br#"{"basic_auth_rules": [{"prefix": "/", "credential": ["ok:test"]}]}"#).unwrap_err();
/// assert_eq!(errors.to_string(), "basic_auth_rules[0]: unknown field `credential`; did you mean `credentials`?");
/// # Ok::<(), basic_auth::ConfigErrors>(())
/// ```
///
/// `Debug` shows no user, password or hash, but how many there are.
#[derive(Debug)]
#[non_exhaustive]
pub struct Config {
    /// `basic_auth_rules`
    pub rules: Vec<Rule>,
    /// `hash_budget_ms_per_second`: processor time that a worker may spend on slow hashes each second, in milliseconds; twice
    /// that and 500 at most while it has nothing else to do.
    pub hash_budget_ms_per_second: u32,
    /// `lockout`; without it nobody is locked out.
    pub lockout: Option<Lockout>,
    /// The options that stand for all rules.
    pub options: Options,
    /// `users`: the lists that rules name.
    pub users: Vec<NamedUsers>,
    /// What is fetched, each once, with its place in the configuration.
    pub fetches: Vec<(FetchSource, Box<str>)>,
    /// Tells this configuration from others, but for what is in `credentials`, `htpasswd` and variables. Those are left
    /// out: the digest is in metrics and logs, and whoever knows the rest could try passwords against it.
    pub digest: u32,
    /// What is allowed and still deserves a look: first what is about all rules, then the first [`Warning::MAX`] others.
    pub warnings: Vec<Warning>,
    /// How many warnings there are beyond those.
    pub more_warnings: usize,
}

/// What a configuration can ask the environment for: the value of a variable, if it is there.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// One of the `basic_auth_rules`. Its lists have no spare room: there may be 100,000 of it.
#[non_exhaustive]
pub struct Rule {
    /// `prefix`, `exact`, `suffix` or `regex`
    pub path: PathPattern,
    /// `hosts`; none is every host.
    pub hosts: Box<[HostPattern]>,
    /// `request_methods`
    pub methods: Methods,
    /// `except`
    pub except: Box<[Exception]>,
    /// `credentials`
    pub credentials: Box<[Pair]>,
    /// `htpasswd` and `htpasswd_env`; equal texts of all rules are one list.
    pub htpasswd: Box<[Arc<UserList>]>,
    /// `realm`: the rule's, else the configuration's, else [`Realm::DEFAULT`].
    pub realm: Arc<Realm>,
    /// `unauthorized`: the rule's, else the configuration's.
    pub unauthorized: Arc<Unauthorized>,
    /// What few rules have.
    pub extra: Option<Box<RuleExtra>>,
    /// `hide_credentials`: the rule's, else the configuration's.
    pub hide_credentials: bool,
    /// `allow_missing`: the rule's, else the configuration's.
    pub allow_missing: bool,
    /// `dry_run`: the rule's, else the configuration's.
    pub dry_run: bool,
}

/// What few of the `basic_auth_rules` have.
#[derive(Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleExtra {
    /// `name`
    pub name: Option<Box<str>>,
    /// `users`: the indexes of those of [`Config::users`] that the rule names.
    pub users: Box<[usize]>,
    /// `allow_users`, in order; `None` is every user that the rule knows.
    pub allow_users: Option<Box<[Box<str>]>>,
    /// `allow_source_ranges`
    pub source_ranges: Option<SourceRanges>,
    /// `htpasswd_fetch`: the index of one of [`Config::fetches`].
    pub fetch: Option<usize>,
}

/// One of `users`: a list that rules name.
#[derive(Debug)]
#[non_exhaustive]
pub struct NamedUsers {
    /// Its name.
    pub name: Box<str>,
    /// `credentials`
    pub credentials: Box<[Pair]>,
    /// `htpasswd` and `htpasswd_env`
    pub htpasswd: Box<[Arc<UserList>]>,
    /// `htpasswd_fetch`: the index of one of [`Config::fetches`].
    pub fetch: Option<usize>,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, hosts, methods, except, credentials, htpasswd, realm, extra, .. } = self;
        f.debug_struct("Rule")
            .field("path", path)
            .field("hosts", hosts)
            .field("methods", methods)
            .field("except", except)
            .field("credentials", &credentials.len())
            .field("htpasswd", &htpasswd.len())
            .field("realm", realm)
            .field("extra", extra)
            .finish_non_exhaustive()
    }
}
