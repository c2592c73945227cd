//! The proxy's log as the backend of the [`log`](https://docs.rs/log) facade.
//!
//! `inproxy::log::info!("…")` and whatever a dependency logs ends up in Envoy's log, at its level, under the logger `wasm`; with
//! `--component-log-level wasm:debug` Envoy shows more. With the feature `log-kv`, key-values of a record stand behind its text, as in `let in user=alice`: see
//! [`log::kv`](https://docs.rs/log/latest/log/kv/index.html). A record below the proxy's level is not even formatted. The level is
//! asked for when a filter is configured, and at each of its ticks.

#[cfg(feature = "log-kv")]
mod pairs;

pub use log::{Level, LevelFilter, debug, error, info, log_enabled, trace, warn};

use crate::abi;

struct ProxyLog;

impl log::Log for ProxyLog {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let level = match record.level() {
            Level::Trace => 0,
            Level::Debug => 1,
            Level::Info => 2,
            Level::Warn => 3,
            Level::Error => 4,
        };
        #[cfg(feature = "log-kv")]
        if record.key_values().count() > 0 {
            let _ = abi::log(level, &pairs::behind(record));
            return;
        }
        let line = record.args();
        // A log line that the proxy refuses has nowhere else to go.
        let _ = match line.as_str() {
            Some(line) => abi::log(level, line),
            None => abi::log(level, &line.to_string()),
        };
    }

    fn flush(&self) {}
}

/// Makes the proxy the backend of `log`, unless the process has another, and takes over the proxy's level.
pub(crate) fn install() {
    // Fails when there is a logger already: in a native test that wants the records itself.
    let _ = log::set_logger(&ProxyLog);
    follow();
}

/// Takes over the proxy's level, which may have been set since.
pub(crate) fn follow() {
    log::set_max_level(match abi::log_level() {
        Ok(0) => LevelFilter::Trace,
        Ok(1) => LevelFilter::Debug,
        Ok(2) | Err(_) => LevelFilter::Info,
        Ok(3) => LevelFilter::Warn,
        Ok(4 | 5) => LevelFilter::Error,
        Ok(_) => LevelFilter::Off,
    });
}
