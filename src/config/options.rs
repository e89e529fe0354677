//! The options at the top of a configuration.

use std::time::Duration;

use crate::request::HeaderNames;

/// The default of `hash_budget_ms_per_second`: a quarter of a worker.
///
/// Measured with 1 ms of work in a tick, this leaves other requests within 2 ms at the 99th percentile; a lone login with
/// a bcrypt hash of cost 10 then takes 0.23 s, and a worker verifies four of them a second, or 140 of `$6$`.
pub(crate) const DEFAULT_HASH_BUDGET_MS_PER_SECOND: u32 = 250;

/// The highest `hash_budget_ms_per_second`, in milliseconds: all of the time, as far as slices of 2 ms in each tick go,
/// which is about a third, and somewhat less than a half of a worker that is idle.
pub const MAX_HASH_BUDGET_MS_PER_SECOND: u32 = 1_000;

/// `lockout`: when a client is locked, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockout {
    /// That many failures lock; 0 counts as 1.
    pub failures: u32,
    /// All of them within this time from the first on.
    pub window: Duration,
    /// How long the lock lasts.
    pub lock: Duration,
}

impl Lockout {
    /// The longest lock that a configuration may have: 30 days.
    pub(crate) const MAX_LOCK: Duration = Duration::from_secs(super::limits::MAX_SECONDS as u64);
}

/// `plain_http`: what a request over plain http gets that would be asked for a password in clear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlainHttp {
    /// `challenge`: it is asked all the same.
    #[default]
    Challenge,
    /// `redirect`: `308` to the same place under https, without a port.
    Redirect,
    /// `refuse`: `403`.
    Refuse,
}

/// The options of the whole configuration but for those that rules may have of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each is a field of the configuration")]
pub struct Options {
    /// `first_match`: of the rules that cover a reading only the first decides.
    pub first_match: bool,
    /// `refuse_ambiguous_paths`: a path that has several readings, or none, is answered `400`.
    pub refuse_ambiguous_paths: bool,
    /// `cors_preflight: allow`: preflights pass.
    pub allow_preflight: bool,
    /// `plain_http`
    pub plain_http: PlainHttp,
    /// `filter_state`: the proxy's access log learns user, rule and reason.
    pub filter_state: bool,
    /// `authentication_header` and `forward_username_header`, and what else has to be read of a request.
    pub headers: HeaderNames,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            first_match: false,
            refuse_ambiguous_paths: false,
            allow_preflight: false,
            plain_http: PlainHttp::Challenge,
            filter_state: false,
            headers: HeaderNames::authorization(),
        }
    }
}
