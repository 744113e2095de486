use axum::{Json, Router, extract::State, routing::get};
use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::Status;
use crate::http::Condition;

/// What the running server knows about itself.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub public_url: String,
    pub listen: String,
    pub engine: &'static str,
    pub started_at: DateTime<Utc>,
    pub condition: watch::Receiver<Condition>,
}

pub(crate) fn routes(facts: Facts) -> Router {
    Router::new().route("/status", get(status)).with_state(facts)
}

async fn status(State(facts): State<Facts>) -> Json<Status> {
    let condition = facts.condition.borrow().clone();
    Json(Status {
        condition: condition.word().into(),
        why: condition.why().map(Into::into),
        public_url: facts.public_url,
        listen: facts.listen,
        engine: facts.engine.into(),
        process: std::process::id(),
        started_at: facts.started_at,
    })
}
