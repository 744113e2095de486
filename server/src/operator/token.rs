use axum::{Json, Router, extract::State, routing::post};
use chrono::TimeDelta;
use keywarden_model::Role;
use serde::{Deserialize, Serialize};

use super::{Desk, trouble::Trouble};

/// A token for the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenWanted {
    pub role: Role,
    pub seconds: i64,
}

/// The token, this once. It goes over the operator's own socket and nowhere else.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    pub token: String,
}

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/tokens", post(issue))
}

async fn issue(State(desk): State<Desk>, Json(wanted): Json<TokenWanted>) -> Result<Json<Token>, Trouble> {
    let lifetime = TimeDelta::try_seconds(wanted.seconds).unwrap_or(TimeDelta::MAX);
    let token = desk.domain.operator_token(&desk.domain.shell_op(), wanted.role, lifetime).await?;
    Ok(Json(Token { token: token.expose().to_owned() }))
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}
