//! What is counted and measured, and when the proxy is told.
//!
//! Envoy shows a metric as `wasmcustom.basic_auth.refused.missing` in `/stats`, and as `basic_auth_refused_missing` in
//! `/stats/prometheus`. Requests are counted in this module's memory, which costs them no call of the proxy; a
//! [`Session`](crate::Session) reports what was counted in its next tick. A metric is one for all workers, so counts and
//! most gauges are told as differences, and the proxy adds them up. A virtual machine that crashes loses what it counted
//! since its last report, and what it added to a gauge stays.

mod account;
mod event;
mod metrics;
mod wave;

pub(crate) use account::Account;
pub use event::Event;
pub(crate) use metrics::{Levels, Metrics};
pub use metrics::{MetricHost, MetricKind};
pub(crate) use wave::Wave;
