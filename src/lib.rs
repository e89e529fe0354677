//! HTTP Basic authentication ([RFC 7617]) for Envoy and everything built on it.
//!
//! Data flows one way, and the modules are listed in that order:
//!
//! ```text
//! configuration text ─ json ─▶ config ─────────▶ policy ──┐
//!                              (realm, authority,         ├─▶ decision ─▶ answer ─▶ proxy
//!                               method, path, credential) │                         (wasm only)
//! request bytes ─────────────▶ request ───────────────────┘
//! ```
//!
//! Everything up to [`answer`] is pure and runs anywhere: on a laptop, in the module, in a fuzz target.
//! Only the `proxy` module talks to the proxy, and it exists for the wasm target alone.
//!
//! ```
//! use basic_auth::{config::Config, decision::Decision, policy::Policy, request::{HeaderLines, Request}};
//!
//! let text = r#"{"basic_auth_rules": [{"prefix": "/admin", "credentials": ["ok:test"]}]}"#;
//! let policy = Policy::new(Config::read(text.as_bytes())?);
//! let request = Request {
//!     method: b"GET",
//!     path: Some(b"/admin/users"),
//!     authority: Some(b"example.com"),
//!     credential: HeaderLines::One(b"Basic b2s6dGVzdA=="),
//! };
//! assert!(matches!(Decision::of(Some(&policy), &request), Decision::Accepted { .. }));
//! # Ok::<(), basic_auth::error::ConfigError>(())
//! ```
//!
//! [RFC 7617]: https://www.rfc-editor.org/rfc/rfc7617

pub mod error;

mod json;

pub mod header_map;
pub mod request;

pub mod authority;
pub mod credential;
pub mod method;
pub mod path;
pub mod readings;
pub mod realm;

pub mod hash;
pub mod htpasswd;
pub mod verification;

pub mod client;
pub mod keyed;
mod slab;

pub mod budget;
pub mod lockout;
pub mod verified;

pub mod config;

mod tree;

mod exceptions;
mod index;

pub mod policy;

pub mod decision;

pub mod queue;

pub mod gate;

pub mod answer;

#[cfg(target_arch = "wasm32")]
mod proxy;
