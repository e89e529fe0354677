//! What a proxy may fail at.

use std::fmt;

/// A call that the proxy did not carry out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostError {
    /// The function of the ABI.
    pub call: &'static str,
    /// What it answered; 0 would be success.
    pub status: u32,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered {}", self.call, self.status)
    }
}
