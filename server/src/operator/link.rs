use axum::{Json, Router, extract::State, routing::post};
use chrono::{DateTime, Utc};
use keywarden_domain::{
    Domain, Op, Refused,
    people::{NewLink, RecoveryLinkError},
};
use keywarden_model::{Name, UserId};
use serde::{Deserialize, Serialize};

use super::{Desk, trouble::Trouble};

/// Who is let back in: a person's id or whole name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recover {
    pub person: String,
}

/// A link, this once. It goes over the operator's own socket and nowhere else.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Link {
    pub url: String,
    pub expires_at: DateTime<Utc>,
}

/// Why nobody was found.
#[derive(Debug, thiserror::Error)]
enum WhoError {
    #[error("`{0}` is deactivated: an owner or admin reactivates them first, in the console")]
    Deactivated(String),
    #[error("nobody here has the id or name `{0}`")]
    Nobody(String),
    #[error("several people are called `{0}`: give the id, as the console shows it")]
    Several(String),
    #[error(transparent)]
    Refused(#[from] Refused),
}

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/recoveries", post(recover)).route("/setup", post(set_up))
}

async fn recover(State(desk): State<Desk>, Json(wanted): Json<Recover>) -> Result<Json<Link>, Trouble> {
    let op = desk.domain.shell_op();
    let user = find(&desk.domain, &op, &wanted.person).await?;
    let link = desk.domain.operator_recover(&op, user).await.map_err(|error| match error {
        RecoveryLinkError::Deactivated => WhoError::Deactivated(wanted.person),
        RecoveryLinkError::Refused(Refused::NotFound) => WhoError::Nobody(wanted.person),
        RecoveryLinkError::Refused(refused) => refused.into(),
    })?;
    Ok(Json(link.into()))
}

async fn set_up(State(desk): State<Desk>) -> Result<Json<Link>, Trouble> {
    Ok(Json(desk.domain.open_setup(&desk.domain.shell_op()).await?.into()))
}

async fn find(domain: &Domain, op: &Op, person: &str) -> Result<UserId, WhoError> {
    if let Ok(id) = person.parse() {
        return Ok(id);
    }
    let name: Name = person.parse().map_err(|_| WhoError::Nobody(person.to_owned()))?;
    let called = domain.users_called(op, &name).await?;
    if let [user] = called.as_slice() {
        return Ok(user.id);
    }
    // Of several the one who is spelled as it was typed.
    let exactly: Vec<_> = called.iter().filter(|user| user.name == person).collect();
    match exactly.as_slice() {
        [user] => Ok(user.id),
        _ if called.is_empty() => Err(WhoError::Nobody(person.to_owned())),
        _ => Err(WhoError::Several(person.to_owned())),
    }
}

impl From<NewLink> for Link {
    fn from(link: NewLink) -> Self {
        Self { url: link.url.expose().to_owned(), expires_at: link.expires_at }
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link")
    }
}
