//! Where htpasswd text is fetched from.

use std::fmt;
use std::time::Duration;

/// `htpasswd_fetch`: a list of users that a cluster of the proxy serves.
#[derive(Clone, PartialEq, Eq)]
pub struct FetchSource {
    /// `cluster`: the proxy's name of who serves it.
    pub cluster: Box<str>,
    /// `path`: what is asked for, perhaps with a query.
    pub path: Box<str>,
    /// `authority`: the host that is asked for.
    pub authority: Box<str>,
    /// `refresh_seconds`
    pub refresh: Duration,
    /// `timeout_seconds`
    pub timeout: Duration,
}

impl FetchSource {
    /// `refresh_seconds` where it is not written.
    pub const DEFAULT_REFRESH_SECONDS: u32 = 30;
    /// `timeout_seconds` where it is not written.
    pub const DEFAULT_TIMEOUT_SECONDS: u32 = 5;
    /// The most of either: a day.
    pub const MAX_SECONDS: u32 = 24 * 60 * 60;
    /// The most bytes of a list: 4 MiB.
    pub const MAX_BYTES: usize = 4 << 20;
}

/// A query may hold a secret, so only the cluster is shown.
impl fmt::Debug for FetchSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchSource").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}
