//! HTTP Basic authentication ([RFC 7617]) for Envoy and everything built on it.
//!
//! The core is a pure function from a configuration and the facts of a request to a decision. It runs anywhere: on a
//! laptop, in the module, in a fuzz target. Data flows one way, and the folders and files of `src/` are named after it;
//! each imports only what stands before it:
//!
//! ```text
//! request headers ──▶ request ───────────────┐
//! configuration ────▶ config ──▶ policy ─────┴─▶ decision ──▶ throttle ──▶ session ──▶ proxy
//!                     (matching, users, response)                                     (WASI only)
//! ```
//!
//! | module | what it knows |
//! | --- | --- |
//! | `distinct` | how values are numbered while a configuration is loaded |
//! | `order` | how values are sorted while a configuration is loaded |
//! | `request` | the facts of a request: header map, host, client address |
//! | `response` | what is answered in the place of the upstream |
//! | `matching` | which requests a rule covers: readings of a path, hosts, methods, exceptions, and the index of all rules |
//! | `users` | who may pass: credentials, htpasswd text, hashes |
//! | `config` | JSON to a validated configuration, or an error with its path and a cure |
//! | `policy` | a configuration compiled for decisions |
//! | `decision` | what becomes of a request |
//! | `throttle` | logins that take time: the queue of slow hashes, its budget, locks, remembered logins |
//! | `host` | what a proxy may fail at |
//! | `telemetry` | what is counted, measured, logged and told to the access log |
//! | `fetch` | lists of users that are fetched: when each is asked for, what is made of an answer |
//! | `session` | the life of requests that wait, behind a trait for the proxy |
//! | `proxy` | the only module that talks to the proxy; it exists for WASI alone |
//!
//! A library user needs four types:
//!
//! ```
//! use basic_auth::{Config, Decision, HeaderLines, Policy, Request};
//!
//! let text = r#"{"basic_auth_rules": [{"prefix": "/admin", "credentials": ["ok:test"]}]}"#;
//! let policy = Policy::new(Config::parse(text.as_bytes())?);
//! let request = Request {
//!     method: b"GET",
//!     path: Some(b"/admin/users"),
//!     authority: Some(b"example.com"),
//!     credential: HeaderLines::One(b"Basic b2s6dGVzdA=="),
//!     ..Request::default()
//! };
//! assert!(matches!(policy.decide(&request), Decision::Accepted { .. }));
//! # Ok::<(), basic_auth::ConfigErrors>(())
//! ```
//!
//! [RFC 7617]: https://www.rfc-editor.org/rfc/rfc7617

mod distinct;
mod order;

mod request;
mod response;

mod matching;
mod users;

mod config;
mod policy;

mod decision;
mod host;
mod telemetry;
mod throttle;

mod fetch;
mod session;

#[cfg(target_os = "wasi")]
mod proxy;

#[cfg(test)]
mod test_support;

pub use config::{
    Config, ConfigError, ConfigErrors, FIELDS, Field, JsonType, Kind, Lockout, Object, Options, PlainHttp, Problem,
    Rule, Warning, WarningKind,
};
pub use decision::{Decision, DryRun, Exemption, Reason};
pub use host::HostError;
#[cfg(feature = "ablation")]
pub use matching::readings::ablation::{NoSuchStep, step_names, without_step};
#[cfg(feature = "explain")]
pub use matching::readings::explain::ReachedReading;
pub use matching::readings::{MAX_READINGS, PatternKind, Readings, STEPS, Step};
pub use policy::Policy;
#[cfg(feature = "explain")]
pub use policy::explain::Match;
pub use request::{HeaderLines, HeaderNames, Request, header_map};
pub use response::{Realm, Refusal, Response};
pub use session::{Host, RequestState, Session};
pub use telemetry::{Event, MetricHost, MetricKind};
pub use throttle::SharedData;
pub use users::fetched::FetchSource;
pub use users::header::Presented;
pub use users::pair::Pair;
