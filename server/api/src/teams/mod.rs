//! Teams: people who hold roles and own keys together.

pub(crate) mod create;
pub(crate) mod edit;
pub(crate) mod list;
pub(crate) mod members;
pub(crate) mod show;

use chrono::{DateTime, Utc};
use keywarden_domain::teams;
use serde::Serialize;
use utoipa::ToSchema;

/// A team.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Team {
    #[schema(example = "team_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// The name in addresses; never changes.
    #[schema(example = "payments")]
    slug: String,
    #[schema(example = "Payments")]
    name: String,
    /// How many people are in it.
    member_count: u64,
    created_at: DateTime<Utc>,
    /// The id of who made it.
    created_by: String,
}

/// A team and who is in it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WholeTeam {
    #[serde(flatten)]
    team: Team,
    /// By name; the first thousand.
    members: Vec<Member>,
}

/// Somebody in a team.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Member {
    #[schema(example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    user: String,
    name: String,
    /// False for somebody deactivated.
    active: bool,
    added_at: DateTime<Utc>,
}

impl From<teams::Team> for Team {
    fn from(team: teams::Team) -> Self {
        Self {
            id: team.id.to_string(),
            slug: team.slug,
            name: team.name,
            member_count: team.members,
            created_at: team.created_at,
            created_by: team.created_by,
        }
    }
}

impl From<teams::ShownTeam> for WholeTeam {
    fn from(shown: teams::ShownTeam) -> Self {
        let member = |it: teams::Member| Member {
            user: it.user.to_string(),
            name: it.name,
            active: it.active,
            added_at: it.added_at,
        };
        Self { team: shown.team.into(), members: shown.members.into_iter().map(member).collect() }
    }
}
