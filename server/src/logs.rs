//! Logs go to standard error: JSON lines, or text when a person looks on. What a command answers goes to standard output.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{Log, LogFormat};

/// Starts logging. Called once; the level was parsed by the configuration already.
pub(crate) fn start(log: &Log) {
    let filter = EnvFilter::builder().parse_lossy(&log.level);
    let json = match log.format {
        LogFormat::Auto => !stderr().is_terminal(),
        LogFormat::Json => true,
        LogFormat::Text => false,
    };
    let registry = tracing_subscriber::registry().with(filter);
    let started = if json {
        let lines = fmt::layer().json().flatten_event(true).with_span_list(false).with_writer(stderr);
        registry.with(lines).try_init()
    } else {
        registry.with(fmt::layer().with_target(false).with_writer(stderr)).try_init()
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}
