//! The log of the crate and of what it uses, written into the proxy's.

use std::panic;

use log::{Level, LevelFilter, Log, Metadata, Record};

use super::abi;

/// The ABI's number for a line that says why the virtual machine ends.
const CRITICAL: u32 = 5;

struct Logger;

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let level = match record.level() {
                Level::Trace => 0,
                Level::Debug => 1,
                Level::Info => 2,
                Level::Warn => 3,
                Level::Error => 4,
            };
            abi::log(level, &record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// Sends what is logged from now on to the proxy.
pub(super) fn install() {
    panic::set_hook(Box::new(|panic| abi::log(CRITICAL, &panic.to_string())));
    // Nobody else sets one, so it is not refused.
    let _ = log::set_logger(&Logger);
    log::set_max_level(LevelFilter::Info);
}

/// Logs what the proxy wants to see: lines that it would throw away cost it a call each. It may change its mind.
pub(super) fn follow_level() {
    log::set_max_level(match abi::log_level() {
        Ok(0) => LevelFilter::Trace,
        Ok(1) => LevelFilter::Debug,
        Ok(2) | Err(_) => LevelFilter::Info,
        Ok(3) => LevelFilter::Warn,
        Ok(4) => LevelFilter::Error,
        // No line here is critical, and Envoy's 6 is `off`.
        Ok(_) => LevelFilter::Off,
    });
}
