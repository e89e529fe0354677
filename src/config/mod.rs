//! A validated configuration: every value in it can be trusted wherever it is met.

mod error;
mod fields;
mod json;
mod limits;
mod options;
mod read;
mod suggest;
mod warning;

use std::sync::Arc;

use crate::matching::exception::Exception;
use crate::matching::host::HostPattern;
use crate::matching::method::Methods;
use crate::matching::path::PathPattern;
use crate::response::Realm;
use crate::users::list::UserList;
use crate::users::pair::Pair;

pub use error::{ConfigError, Problem};
#[cfg(test)]
pub(crate) use options::DEFAULT_HASH_BUDGET_MS_PER_SECOND;
pub use options::{Lockout, MAX_HASH_BUDGET_MS_PER_SECOND};
pub use warning::{Warning, WarningKind};

/// A whole configuration.
#[non_exhaustive]
pub struct Config {
    /// `basic_auth_rules`
    pub rules: Vec<Rule>,
    /// `hash_budget_ms_per_second`: processor time that a worker may spend on slow hashes each second, in milliseconds.
    pub hash_budget_ms_per_second: u32,
    /// `lockout`
    pub lockout: Option<Lockout>,
    /// What is allowed and still deserves a look.
    pub warnings: Vec<Warning>,
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
}
