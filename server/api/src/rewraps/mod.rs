//! Rewraps: how far they are, paused, resumed.

pub(crate) mod list;
pub(crate) mod show;
pub(crate) mod switch;

use chrono::{DateTime, Utc};
use keywarden_domain::rewraps;
use serde::Serialize;
use utoipa::ToSchema;

/// What lies under one key, sealed anew under another.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rewrap {
    #[schema(example = "rwp_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// `data-keys`, `keyring-keys` or `project-keys`.
    #[schema(example = "data-keys")]
    kind: &'static str,
    /// Of `data-keys`: the project's slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "pay")]
    project: Option<String>,
    /// The old key.
    #[schema(example = "pjk_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    from: String,
    /// The new key.
    #[schema(example = "pjk_01JDB2W1N9F6Q3R8T5V7X9Z0AC")]
    to: String,
    /// `running`, `paused` or `done`.
    #[schema(example = "running")]
    state: &'static str,
    /// Keys that are wrapped anew.
    #[schema(example = 400)]
    done: i64,
    /// Keys that there were at the start.
    #[schema(example = 1204)]
    total: i64,
    /// Keys that did not open: they are damaged, and were left as they are.
    #[schema(example = 0)]
    skipped: i64,
    started_at: DateTime<Utc>,
    /// The id of who started it.
    started_by: String,
    /// When it last came further.
    moved_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<DateTime<Utc>>,
}

impl From<rewraps::Rewrap> for Rewrap {
    fn from(it: rewraps::Rewrap) -> Self {
        Self {
            id: it.id.to_string(),
            kind: it.kind.name(),
            project: it.project_slug,
            from: it.from_key,
            to: it.to_key,
            state: it.state.name(),
            done: it.done,
            total: it.total,
            skipped: it.skipped,
            started_at: it.started_at,
            started_by: it.started_by,
            moved_at: it.moved_at,
            ended_at: it.ended_at,
        }
    }
}
