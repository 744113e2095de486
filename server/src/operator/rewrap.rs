use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use keywarden_domain::rewraps::Rewrap;
use keywarden_model::RewrapId;
use serde::{Deserialize, Serialize};

use super::{Desk, trouble::Trouble};

/// A rewrap, as the shell shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RewrapShown {
    pub id: String,
    /// `data-keys`, `keyring-keys` or `project-keys`.
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    pub from: String,
    pub to: String,
    /// `running`, `paused` or `done`.
    pub state: String,
    pub done: i64,
    pub total: i64,
    /// Keys that did not open and were left as they are.
    pub skipped: i64,
    pub started_at: DateTime<Utc>,
    pub moved_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
}

impl From<Rewrap> for RewrapShown {
    fn from(it: Rewrap) -> Self {
        Self {
            id: it.id.to_string(),
            kind: it.kind.name().to_owned(),
            project: it.project_slug,
            from: it.from_key,
            to: it.to_key,
            state: it.state.name().to_owned(),
            done: it.done,
            total: it.total,
            skipped: it.skipped,
            started_at: it.started_at,
            moved_at: it.moved_at,
            ended_at: it.ended_at,
        }
    }
}

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/rewraps", get(list))
        .route("/rewraps/{id}/pause", post(pause))
        .route("/rewraps/{id}/resume", post(resume))
}

async fn list(State(desk): State<Desk>) -> Result<Json<Vec<RewrapShown>>, Trouble> {
    let rewraps = desk.domain.rewraps(&desk.domain.shell_op()).await?;
    Ok(Json(rewraps.into_iter().map(RewrapShown::from).collect()))
}

async fn pause(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Json<RewrapShown>, Trouble> {
    let id: RewrapId = id.parse()?;
    desk.domain.pause_rewrap(&desk.domain.shell_op(), id).await?;
    shown(&desk, id).await
}

async fn resume(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Json<RewrapShown>, Trouble> {
    let id: RewrapId = id.parse()?;
    desk.domain.resume_rewrap(&desk.domain.shell_op(), id).await?;
    shown(&desk, id).await
}

async fn shown(desk: &Desk, id: RewrapId) -> Result<Json<RewrapShown>, Trouble> {
    Ok(Json(desk.domain.find_rewrap(&desk.domain.shell_op(), id).await?.into()))
}
