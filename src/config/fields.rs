//! The fields of the configuration: one table for reading, suggestions, docs/configuration.md, schema/ and whatever else describes them.

use std::{fmt, mem};

use super::limits::{MAX_FAILURES, MAX_SECONDS};
use super::options::MAX_HASH_BUDGET_MS_PER_SECOND;
use crate::users::fetched::FetchSource;

/// Every field, in the order in which they are explained. A constant: what only documents read of it is not in the module.
pub const FIELDS: &[Field] = &[
    Field {
        name: "basic_auth_rules",
        objects: &[Object::Top],
        kind: Kind::Objects(Object::Rule),
        meaning: "the rules; every rule that covers a request must accept it",
        absent: "nothing is protected; a warning in the log",
    },
    Field {
        name: "prefix",
        objects: &[Object::Rule, Object::Exception],
        kind: Kind::String,
        meaning: "covers paths that begin with this text: `/api` covers `/apiary`",
        absent: ONE_OF_FOUR,
    },
    Field {
        name: "exact",
        objects: &[Object::Rule, Object::Exception],
        kind: Kind::String,
        meaning: "covers this path",
        absent: ONE_OF_FOUR,
    },
    Field {
        name: "suffix",
        objects: &[Object::Rule, Object::Exception],
        kind: Kind::String,
        meaning: "covers paths that end with this text",
        absent: ONE_OF_FOUR,
    },
    Field {
        name: "regex",
        objects: &[Object::Rule, Object::Exception],
        kind: Kind::String,
        meaning: "covers paths that match as a whole ([syntax](https://docs.rs/regex-lite/0.1.9/regex_lite/#syntax)), in linear time",
        absent: ONE_OF_FOUR,
    },
    Field {
        name: "hosts",
        objects: &[Object::Rule],
        kind: Kind::Strings,
        meaning: "`foo.com`, `*.foo.com` (any depth, not `foo.com`), `*-staging.foo.com`, `staging-*`, `[::1]`, `*`; case, port and a trailing dot do not count",
        absent: "every host",
    },
    Field {
        name: "request_methods",
        objects: &[Object::Rule, Object::Exception],
        kind: Kind::Strings,
        meaning: "methods; `*` is every method; in a rule `GET` covers `HEAD`",
        absent: "every method",
    },
    Field {
        name: "except",
        objects: &[Object::Rule],
        kind: Kind::Objects(Object::Exception),
        meaning: "what the rule does not cover",
        absent: "nothing",
    },
    Field {
        name: "credentials",
        objects: &[Object::Rule, Object::UserList],
        kind: Kind::Strings,
        meaning: "`user:password` (the first colon splits), or base64 of that; always plain text",
        absent: "users from the next three, or those of a rule from its `users`; refused without any",
    },
    Field {
        name: "htpasswd",
        objects: &[Object::Rule, Object::UserList],
        kind: Kind::Lines,
        meaning: "text of an htpasswd file, or its lines: `{SHA}`, `{SSHA}`, `$apr1$`, `$1$`, `$5$`, `$6$` up to `rounds=1000000`, bcrypt up to cost 14",
        absent: "as above",
    },
    Field {
        name: "htpasswd_env",
        objects: &[Object::Rule, Object::UserList],
        kind: Kind::String,
        meaning: "name of an environment variable of the wasm VM with such text (`vmConfig.env` in Istio, `environment_variables` in Envoy)",
        absent: "as above",
    },
    Field {
        name: "htpasswd_fetch",
        objects: &[Object::Rule, Object::UserList],
        kind: Kind::Object(Object::Fetch),
        meaning: "where such text is fetched from, at load and ever again; until the first good answer the rule refuses with `503`",
        absent: "as above",
    },
    Field {
        name: "cluster",
        objects: &[Object::Fetch],
        kind: Kind::String,
        meaning: "name of a cluster of the proxy (`outbound|80||users.default.svc.cluster.local` in Istio) that serves the text",
        absent: "refused",
    },
    Field {
        name: "path",
        objects: &[Object::Fetch],
        kind: Kind::String,
        meaning: "path of the `GET` that asks for it",
        absent: "refused",
    },
    Field {
        name: "authority",
        objects: &[Object::Fetch],
        kind: Kind::String,
        meaning: "host of that request",
        absent: "the `cluster`",
    },
    Field {
        name: "refresh_seconds",
        objects: &[Object::Fetch],
        kind: Kind::Number { min: 1, max: FetchSource::MAX_SECONDS },
        meaning: "how often each worker asks for it",
        absent: "30",
    },
    Field {
        name: "timeout_seconds",
        objects: &[Object::Fetch],
        kind: Kind::Number { min: 1, max: FetchSource::MAX_SECONDS },
        meaning: "how long it waits for the answer",
        absent: "5",
    },
    Field {
        name: "users",
        objects: &[Object::Rule],
        kind: Kind::Strings,
        meaning: "names of lists of `users` at the top, whose users may pass as well",
        absent: "none",
    },
    Field {
        name: "allow_users",
        objects: &[Object::Rule],
        kind: Kind::Strings,
        meaning: "of all the users that the rule knows only these may pass",
        absent: "all of them",
    },
    Field {
        name: "realm",
        objects: &[Object::Top, Object::Rule],
        kind: Kind::String,
        meaning: "text of the challenge; the rule's wins",
        absent: "`istio`",
    },
    Field {
        name: "name",
        objects: &[Object::Rule],
        kind: Kind::String,
        meaning: "1 to 64 of `A-Z a-z 0-9 _ . -`, unique: stands for the rule in logs and access logs, and gives it counters of its own, the first 256 of them",
        absent: "its index, from 0",
    },
    Field {
        name: "allow_source_ranges",
        objects: &[Object::Rule],
        kind: Kind::Strings,
        meaning: "CIDR ranges (`10.0.0.0/8`, `2001:db8::/32`) from which the rule asks for no password; right only where Envoy's `use_remote_address` and trusted hops are",
        absent: "nobody",
    },
    Field {
        name: "allow_missing",
        objects: &[Object::Top, Object::Rule],
        kind: Kind::Boolean,
        meaning: "a request without a credential satisfies the rule; a wrong one is still refused",
        absent: "`false`",
    },
    Field {
        name: "hide_credentials",
        objects: &[Object::Top, Object::Rule],
        kind: Kind::Boolean,
        meaning: "the credential header does not go upstream once it was accepted",
        absent: "`false`",
    },
    Field {
        name: "dry_run",
        objects: &[Object::Top, Object::Rule],
        kind: Kind::Boolean,
        meaning: "the rule refuses nothing; what it would have refused is counted",
        absent: "`false`",
    },
    Field {
        name: "unauthorized",
        objects: &[Object::Top, Object::Rule],
        kind: Kind::Object(Object::Unauthorized),
        meaning: "body and headers of the refusal; the rule's wins",
        absent: "an empty body",
    },
    Field {
        name: "body",
        objects: &[Object::Unauthorized],
        kind: Kind::String,
        meaning: "the body; an answer to `HEAD` has none",
        absent: "empty",
    },
    Field {
        name: "content_type",
        objects: &[Object::Unauthorized],
        kind: Kind::String,
        meaning: "its `content-type`",
        absent: "none",
    },
    Field {
        name: "headers",
        objects: &[Object::Unauthorized],
        kind: Kind::StringMap,
        meaning: "further headers by name, `access-control-allow-origin` for one",
        absent: "none",
    },
    Field {
        name: "users",
        objects: &[Object::Top],
        kind: Kind::ObjectMap(Object::UserList),
        meaning: "lists of users by name, for rules to share",
        absent: "none",
    },
    Field {
        name: "first_match",
        objects: &[Object::Top],
        kind: Kind::Boolean,
        meaning: "of the rules that cover a reading of the path only the first decides",
        absent: "`false`: every rule that covers decides",
    },
    Field {
        name: "refuse_ambiguous_paths",
        objects: &[Object::Top],
        kind: Kind::Boolean,
        meaning: "a path with more than one reading, or none, is answered `400`",
        absent: "`false`",
    },
    Field {
        name: "plain_http",
        objects: &[Object::Top],
        kind: Kind::OneOf(PLAIN_HTTP),
        meaning: "what a request over plain http gets that would be asked for a password: the challenge, `308` to https, or `403`",
        absent: "`challenge`",
    },
    Field {
        name: "cors_preflight",
        objects: &[Object::Top],
        kind: Kind::OneOf(CORS_PREFLIGHT),
        meaning: "`allow` lets `OPTIONS` with `origin` and `access-control-request-method` through, if it has neither a credential nor a body",
        absent: "`challenge`",
    },
    Field {
        name: "authentication_header",
        objects: &[Object::Top],
        kind: Kind::String,
        meaning: "the header to read; `proxy-authorization` is answered `407` with `proxy-authenticate`",
        absent: "`authorization`",
    },
    Field {
        name: "forward_username_header",
        objects: &[Object::Top],
        kind: Kind::String,
        meaning: "header that carries the accepted user upstream; what clients send under that name, or with `_` for `-`, is removed from every request",
        absent: "none",
    },
    Field {
        name: "filter_state",
        objects: &[Object::Top],
        kind: Kind::Boolean,
        meaning: "user, rule and reason go into Envoy's filter state, where access logs find them: `%FILTER_STATE(wasm.basic_auth.user:PLAIN)%`, `…rule…`, `…reason…`",
        absent: "`false`",
    },
    Field {
        name: "hash_budget_ms_per_second",
        objects: &[Object::Top],
        kind: Kind::Number { min: 1, max: MAX_HASH_BUDGET_MS_PER_SECOND },
        meaning: "milliseconds of processor time that a worker may spend on slow hashes each second, twice that and 500 at most while it has nothing else to do; beyond it `429` with `retry-after`",
        absent: "250",
    },
    Field {
        name: "lockout",
        objects: &[Object::Top],
        kind: Kind::Object(Object::Lockout),
        meaning: "locks out who guesses: `429` with `retry-after` for one client address and user; all workers of a proxy count together",
        absent: "nobody is locked out",
    },
    Field {
        name: "failures",
        objects: &[Object::Lockout],
        kind: Kind::Number { min: 1, max: MAX_FAILURES },
        meaning: "so many wrong logins lock",
        absent: "refused",
    },
    Field {
        name: "window_seconds",
        objects: &[Object::Lockout],
        kind: Kind::Number { min: 1, max: MAX_SECONDS },
        meaning: "if they are within this time from the first on",
        absent: "refused",
    },
    Field {
        name: "lock_seconds",
        objects: &[Object::Lockout],
        kind: Kind::Number { min: 1, max: MAX_SECONDS },
        meaning: "how long the lock lasts",
        absent: "refused",
    },
];

/// The values of `plain_http`.
pub(super) const PLAIN_HTTP: &[&str] = &["challenge", "redirect", "refuse"];
/// The values of `cors_preflight`.
pub(super) const CORS_PREFLIGHT: &[&str] = &["challenge", "allow"];

const ONE_OF_FOUR: &str = "exactly one of the four is needed, not empty";

/// The fields of the configuration's top.
pub(super) const TOP: &[&str] = &names::<{ count(Object::Top) }>(Object::Top);
/// The fields of a rule.
pub(super) const RULE: &[&str] = &names::<{ count(Object::Rule) }>(Object::Rule);
/// The fields of an exception.
pub(super) const EXCEPTION: &[&str] = &names::<{ count(Object::Exception) }>(Object::Exception);
/// The fields of a lockout, all of which it must have.
pub(super) const LOCKOUT: &[&str] = &names::<{ count(Object::Lockout) }>(Object::Lockout);
/// The fields of a user list.
pub(super) const USER_LIST: &[&str] = &names::<{ count(Object::UserList) }>(Object::UserList);
/// The fields of the look of a refusal.
pub(super) const UNAUTHORIZED: &[&str] = &names::<{ count(Object::Unauthorized) }>(Object::Unauthorized);
/// The fields of what a list is fetched by.
pub(super) const FETCH: &[&str] = &names::<{ count(Object::Fetch) }>(Object::Fetch);
/// The fields of a rule that bring users.
pub(super) const USERS: &[&str] = &["credentials", "htpasswd", "htpasswd_env", "htpasswd_fetch", "users"];

/// A field of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// The objects that may have it.
    pub objects: &'static [Object],
    /// What its value is.
    pub kind: Kind,
    /// What it is for, in Markdown, without a full stop.
    pub meaning: &'static str,
    /// What holds without it, in Markdown, without a full stop.
    pub absent: &'static str,
}

/// An object of the configuration, as JSON calls it. Its `Display` is the word for it in documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Object {
    /// The configuration itself.
    Top,
    /// An item of `basic_auth_rules`.
    Rule,
    /// An item of `except`.
    Exception,
    /// The value of `lockout`.
    Lockout,
    /// A member of `users`.
    UserList,
    /// The value of `unauthorized`.
    Unauthorized,
    /// The value of `htpasswd_fetch`.
    Fetch,
}

/// What the value of a field is. Its `Display` is the word for it in documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A string.
    String,
    /// An array of strings.
    Strings,
    /// A string of lines, or an array of them.
    Lines,
    /// A whole number.
    Number {
        /// The lowest.
        min: u32,
        /// The highest.
        max: u32,
    },
    /// An object.
    Object(Object),
    /// An array of objects.
    Objects(Object),
    /// `true` or `false`.
    Boolean,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// An object whose names are the operator's, and whose values are strings.
    StringMap,
    /// An object whose names are the operator's, and whose values are objects.
    ObjectMap(Object),
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Top => "top",
            Self::Rule => "rule",
            Self::Exception => "exception",
            Self::Lockout => "lockout",
            Self::UserList => "user list",
            Self::Unauthorized => "unauthorized",
            Self::Fetch => "fetch",
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String => f.write_str("string"),
            Self::Strings => f.write_str("array of strings"),
            Self::Lines => f.write_str("string, or array of strings"),
            Self::Number { min, max } => write!(f, "number from {min} to {max}"),
            Self::Object(_) => f.write_str("object"),
            Self::Objects(_) => f.write_str("array of objects"),
            Self::Boolean => f.write_str("boolean"),
            Self::OneOf(known) => {
                for (index, name) in known.iter().enumerate() {
                    write!(f, "{}`{name}`", if index == 0 { "" } else { " or " })?;
                }
                Ok(())
            }
            Self::StringMap => f.write_str("object of strings"),
            Self::ObjectMap(_) => f.write_str("object of objects"),
        }
    }
}

/// How many fields an object may have.
const fn count(object: Object) -> usize {
    let mut count = 0_usize;
    let mut fields = FIELDS;
    while let [field, rest @ ..] = fields {
        count = count.saturating_add(field.is_of(object) as usize);
        fields = rest;
    }
    count
}

/// The names of the fields that an object may have.
#[allow(clippy::mem_replace_with_default, reason = "`take` is not for constants yet")]
const fn names<const COUNT: usize>(object: Object) -> [&'static str; COUNT] {
    let mut names = [""; COUNT];
    let mut free: &mut [&'static str] = &mut names;
    let mut fields = FIELDS;
    while let [field, rest @ ..] = fields {
        fields = rest;
        if field.is_of(object)
            && let Some((next, others)) = mem::replace(&mut free, &mut []).split_first_mut()
        {
            *next = field.name;
            free = others;
        }
    }
    names
}

impl Field {
    const fn is_of(&self, object: Object) -> bool {
        let mut objects = self.objects;
        while let [first, rest @ ..] = objects {
            // `==` is not for constants yet.
            if *first as u8 == object as u8 {
                return true;
            }
            objects = rest;
        }
        false
    }
}
