use axum::{Json, Router, extract::State, routing::post};
use keywarden_vault::Purpose;
use serde::{Deserialize, Serialize};

use super::{Desk, trouble::Trouble};

/// Which purpose gets a new key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotate {
    pub purpose: String,
}

/// The new key, and seals that lack it until they are added again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rotated {
    pub key: String,
    /// What brings the projects' keys under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewrap: Option<String>,
    pub lacking: Vec<String>,
}

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/keyring", post(rotate))
}

async fn rotate(State(desk): State<Desk>, Json(wanted): Json<Rotate>) -> Result<Json<Rotated>, Trouble> {
    let purpose: Purpose = wanted.purpose.parse()?;
    let op = desk.domain.shell_op();
    let rotated = desk.domain.rotate_keyring_key(&op, purpose, &desk.seals.all()).await?;
    let seals = desk.domain.seals(&op).await?;
    let lacking = seals.into_iter().filter(|seal| seal.lacks > 0).map(|seal| seal.id.to_string()).collect();
    let rewrap = rotated.rewrap.map(|id| id.to_string());
    Ok(Json(Rotated { key: rotated.key.to_string(), rewrap, lacking }))
}
