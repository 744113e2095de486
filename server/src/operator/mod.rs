//! Commands of this binary speaking to a running server over `operator.sock`.
//!
//! To add a command: a route in `routes.rs`, a struct for its answer here, a file in `commands/`.

mod client;
mod routes;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub(crate) use client::{OperatorError, call};
pub(crate) use routes::{Facts, routes};

/// What `keywarden status` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// `ready`, `degraded`, `sealed`, `no-database` or `starting`.
    pub condition: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    pub public_url: String,
    pub listen: String,
    pub engine: String,
    pub process: u32,
    pub started_at: DateTime<Utc>,
}
