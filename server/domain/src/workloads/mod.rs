//! Workloads: machine identities that speak to Keywarden with service tokens.
//!
//! **Invariants:** what a workload may do comes from its roles, never from its token. A token's value is shown once;
//! only a keyed hash of it is kept. Deactivating a workload ends all of its tokens, on every node within a second. Who
//! a token speaks for never changes.

mod create;
mod deactivate;
mod issue;
mod leaked;
mod lifetime;
mod list;
mod operator;
mod revoke;
mod show;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{ProjectId, Role, ServiceTokenId, WorkloadId};
use keywarden_store::{tokens, workloads as rows};

use crate::Fault;

pub use create::{CreateWorkloadError, NewWorkload};
pub use deactivate::DeactivateWorkloadError;
pub(crate) use issue::FreshToken;
pub use issue::{IssueTokenError, IssuedToken};
pub use leaked::LeakedToken;
pub use lifetime::{LifetimeError, TokenLifetime};
pub use list::{WorkloadPage, WorkloadQuery};
pub use operator::{OPERATOR_TOKEN_AT_MOST, OperatorTokenError};
pub use revoke::RevokeTokenError;
pub use show::ShownWorkload;

/// A machine identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Its id.
    pub id: WorkloadId,
    /// What people call it.
    pub name: String,
    /// The project that it belongs to; `None` for one of the organization.
    pub project: Option<ProjectId>,
    /// The project's slug.
    pub project_slug: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// By whom: an actor's id.
    pub created_by: String,
    /// Since when no token of it counts.
    pub deactivated_at: Option<DateTime<Utc>>,
    /// When one of its tokens was last shown; behind by seconds.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When the last of its tokens ends that was not revoked.
    pub tokens_until: Option<DateTime<Utc>>,
}

impl Workload {
    /// Whether it may show tokens.
    pub fn is_active(&self) -> bool {
        self.deactivated_at.is_none()
    }
}

impl TryFrom<rows::Workload> for Workload {
    type Error = Fault;
    fn try_from(row: rows::Workload) -> Result<Self, Fault> {
        Ok(Self {
            project: home(&row)?,
            id: row.id,
            name: row.name,
            project_slug: row.project_slug,
            created_at: from_micros(row.created_at),
            created_by: row.created_by,
            deactivated_at: row.deactivated_at.map(from_micros),
            last_used_at: row.last_used_at.map(from_micros),
            tokens_until: row.tokens_until.map(from_micros),
        })
    }
}

/// The project that a workload belongs to.
fn home(row: &rows::Workload) -> Result<Option<ProjectId>, Fault> {
    let parsed = row.project_id.as_deref().map(str::parse).transpose();
    parsed.map_err(|_| Fault::Damaged(format!("workload {}: project", row.id)))
}

/// A service token, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceToken {
    /// Its id.
    pub id: ServiceTokenId,
    /// What an operator's token may do; `None` for a workload's.
    pub role: Option<Role>,
    /// The part of the value that everybody may see.
    pub public_id: String,
    /// Whether it is good.
    pub state: TokenState,
    /// When it was issued.
    pub created_at: DateTime<Utc>,
    /// By whom: an actor's id.
    pub created_by: String,
    /// From when on it counts for nothing.
    pub expires_at: DateTime<Utc>,
    /// Since when it is revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was last shown; behind by seconds.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Whether a token is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// It is.
    Active,
    /// It has ended by itself.
    Expired,
    /// It was ended.
    Revoked,
}

impl ServiceToken {
    fn of(row: tokens::Token, now: DateTime<Utc>) -> Result<Self, Fault> {
        let expires_at = from_micros(row.expires_at);
        let state = match row.revoked_at {
            Some(_) => TokenState::Revoked,
            None if now >= expires_at => TokenState::Expired,
            None => TokenState::Active,
        };
        let role = row.role.as_deref().map(str::parse).transpose();
        Ok(Self {
            id: row.id,
            role: role.map_err(|_| Fault::Damaged(format!("service_tokens {}: role", row.id)))?,
            public_id: row.public_id,
            state,
            created_at: from_micros(row.created_at),
            created_by: row.created_by,
            expires_at,
            revoked_at: row.revoked_at.map(from_micros),
            last_used_at: row.last_used_at.map(from_micros),
        })
    }
}
