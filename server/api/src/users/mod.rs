//! People, as those who may see them see them. They sign in at the console, never here.

pub(crate) mod deactivate;
pub(crate) mod invite;
pub(crate) mod list;
pub(crate) mod reactivate;
pub(crate) mod show;

use axum::response::Response;
use chrono::{DateTime, Utc};
use keywarden_domain::{Domain, Op, Refused, people, roles::Holder};
use keywarden_model::UserId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{json, roles::Role};

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct User {
    #[schema(example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    #[schema(example = "Alice")]
    name: String,
    /// `active` or `deactivated`.
    #[schema(example = "active")]
    state: &'static str,
    created_at: DateTime<Utc>,
    /// When a session of theirs was last used.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen_at: Option<DateTime<Utc>>,
}

/// A person with what belongs to them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WholeUser {
    #[serde(flatten)]
    user: User,
    /// The id of who brought them in.
    created_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deactivated_at: Option<DateTime<Utc>>,
    /// The ids of their teams.
    teams: Vec<String>,
    /// What they hold, through teams too.
    roles: Vec<Role>,
}

impl From<people::ListedUser> for User {
    fn from(user: people::ListedUser) -> Self {
        Self {
            id: user.id.to_string(),
            name: user.name,
            state: user.state.as_str(),
            created_at: user.created_at,
            last_seen_at: user.last_seen_at,
        }
    }
}

/// The person as it is now.
async fn whole(domain: &Domain, op: &Op, id: UserId) -> Result<Response, Refused> {
    let user = domain.show_user(op, id).await?;
    let roles = domain.roles_of(op, Holder::Person(id)).await?;
    Ok(json::ok(&WholeUser {
        user: User {
            id: user.id.to_string(),
            name: user.name,
            state: user.state.as_str(),
            created_at: user.created_at,
            last_seen_at: user.last_seen_at,
        },
        created_by: user.created_by,
        deactivated_at: user.deactivated_at,
        teams: user.teams.into_iter().map(|(id, _)| id).collect(),
        roles: roles.into_iter().map(Role::from).collect(),
    }))
}
