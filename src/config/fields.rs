//! The names of the fields, by the object that they are fields of.

/// The fields of the configuration's top.
pub(super) const TOP: &[&str] = &["basic_auth_rules", "realm", "hash_budget_ms_per_second", "lockout"];
/// The fields of a rule.
pub(super) const RULE: &[&str] = &[
    "prefix",
    "exact",
    "suffix",
    "regex",
    "hosts",
    "request_methods",
    "except",
    "credentials",
    "htpasswd",
    "htpasswd_env",
    "realm",
];
/// The fields of an exception.
pub(super) const EXCEPTION: &[&str] = &["prefix", "exact", "suffix", "regex", "request_methods"];
/// The fields of a rule that bring users.
pub(super) const USERS: &[&str] = &["credentials", "htpasswd", "htpasswd_env"];
/// The fields of a lockout, all of which it must have.
pub(super) const LOCKOUT: &[&str] = &["failures", "window_seconds", "lock_seconds"];
