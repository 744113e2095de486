//! Teams: people who hold roles and own keys together.
//!
//! **Invariants:** a team never holds the role of owner, so that whoever may edit teams cannot make owners. Slugs never
//! change; two spellings of one name are one name (S-01).

mod create;
mod list;
mod members;
mod rename;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{TeamId, UserId};
use keywarden_store::teams as rows;

pub use create::{CreateTeamError, NewTeam};
pub use list::{ShownTeam, TeamPage};
pub use members::MemberError;
pub use rename::{RenameTeam, RenameTeamError};

/// A team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// The name in addresses.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// How many people are in it.
    pub members: u64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// By whom: an actor's id.
    pub created_by: String,
    /// Grows with each edit; an edit names the one it saw.
    pub row_version: i64,
}

/// Somebody in a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// What the person is called.
    pub name: String,
    /// False for somebody deactivated.
    pub active: bool,
    /// Since when.
    pub added_at: DateTime<Utc>,
}

impl From<rows::Team> for Team {
    fn from(row: rows::Team) -> Self {
        Self {
            id: row.id,
            slug: row.slug,
            name: row.name,
            members: u64::try_from(row.members).unwrap_or(0),
            created_at: from_micros(row.created_at),
            created_by: row.created_by,
            row_version: row.row_version,
        }
    }
}

impl From<rows::Member> for Member {
    fn from(row: rows::Member) -> Self {
        Self {
            user: row.user_id,
            name: row.name,
            active: row.state == "active",
            added_at: from_micros(row.added_at),
        }
    }
}
