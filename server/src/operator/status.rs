use axum::{Json, Router, extract::State, routing::get};
use chrono::{DateTime, Utc};
use keywarden_domain::system::System;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{Desk, SealShown};
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

/// What `keywarden status` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// `ready`, `degraded`, `sealed`, `closed`, `no-database` or `starting`.
    pub condition: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    pub public_url: String,
    pub listen: String,
    pub engine: String,
    pub process: u32,
    pub started_at: DateTime<Utc>,
    /// What the records say; nothing while they do not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<Records>,
}

/// What the records say of the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Records {
    pub schema: i64,
    pub set_up_at: Option<DateTime<Utc>>,
    /// The change counter, and how old its last reading is.
    pub counter: Option<i64>,
    pub counter_age_ms: Option<u64>,
    pub software_protected: bool,
    pub seals: Vec<SealShown>,
    pub keys: Vec<KeyShown>,
    pub nodes: Vec<NodeShown>,
}

/// A key of the keyring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyShown {
    pub id: String,
    pub purpose: String,
    pub created_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<DateTime<Utc>>,
    pub uses: u64,
}

/// A running server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeShown {
    pub name: String,
    pub version: String,
    pub condition: String,
    pub started_at: DateTime<Utc>,
    pub seen_at: DateTime<Utc>,
}

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/status", get(status))
}

async fn status(State(desk): State<Desk>) -> Json<Status> {
    let condition = desk.facts.condition.borrow().clone();
    let records = desk.domain.system(&desk.domain.shell_op()).await.ok().map(Records::from);
    Json(Status {
        condition: condition.word().into(),
        why: condition.why().map(Into::into),
        public_url: desk.facts.public_url,
        listen: desk.facts.listen,
        engine: desk.facts.engine.into(),
        process: std::process::id(),
        started_at: desk.facts.started_at,
        records,
    })
}

impl From<System> for Records {
    fn from(system: System) -> Self {
        let key = |key: keywarden_domain::system::KeyStatus| KeyShown {
            id: key.id.to_string(),
            purpose: key.purpose.name().to_owned(),
            created_at: key.created_at,
            retired_at: key.retired_at,
            uses: key.uses,
        };
        let node = |node: keywarden_domain::system::NodeStatus| NodeShown {
            name: node.name,
            version: node.version,
            condition: node.condition,
            started_at: node.started_at,
            seen_at: node.seen_at,
        };
        Self {
            schema: system.schema.0,
            set_up_at: system.set_up_at,
            counter: system.counter.map(|(value, _)| value),
            counter_age_ms: system.counter.map(|(_, age)| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
            software_protected: system.software_protected,
            seals: system.seals.into_iter().map(SealShown::from).collect(),
            keys: system.keys.into_iter().map(key).collect(),
            nodes: system.nodes.into_iter().map(node).collect(),
        }
    }
}
