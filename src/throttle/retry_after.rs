//! The seconds of `retry-after`.

use std::time::Duration;

/// Whole seconds, 1 at least (RFC 9110, section 10.2.3).
pub(super) fn retry_after(remaining: Duration) -> u64 {
    remaining.as_secs().saturating_add(u64::from(remaining.subsec_nanos() > 0)).max(1)
}
