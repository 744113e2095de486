//! Teams, and one of them.

use keywarden_model::{Name, TeamId};
use keywarden_store::teams as rows;

use super::{Member, Team};
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// Members that a page of a team shows.
const MEMBERS: u32 = 1_000;

/// A page of teams, by slug, and where the next one begins.
#[derive(Debug)]
pub struct TeamPage {
    /// The teams.
    pub teams: Vec<Team>,
    /// Continue after this slug.
    pub next: Option<String>,
}

/// A team and who is in it.
#[derive(Debug)]
pub struct ShownTeam {
    /// The team.
    pub team: Team,
    /// Who is in it, by name; the first thousand.
    pub members: Vec<Member>,
}

impl Domain {
    /// All teams, from after a slug; at most `limit` (1 to 200).
    pub async fn teams(&self, op: &Op, after: Option<&str>, limit: u32) -> Result<TeamPage, Refused> {
        self.page_of_teams(op, None, after, limit).await
    }

    /// Teams with this part in their name, in any spelling; at most `limit` (1 to 200).
    pub async fn teams_named(&self, op: &Op, part: &Name, limit: u32) -> Result<TeamPage, Refused> {
        self.page_of_teams(op, Some(&part.folded()), None, limit).await
    }

    async fn page_of_teams(
        &self,
        op: &Op,
        part: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<TeamPage, Refused> {
        let limit = limit.clamp(1, 200);
        let _permit = self.authorize(op, Action::ViewTeams, &Resource::Organization).await?;
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let mut found = rows::list(&mut conn, part, after, limit.saturating_add(1)).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let teams: Vec<_> = found.into_iter().map(Team::from).collect();
        let next = teams.last().map(|team| team.slug.clone()).filter(|_| more);
        Ok(TeamPage { teams, next })
    }

    /// A team by its slug or id.
    pub async fn team(&self, op: &Op, slug_or_id: &str) -> Result<ShownTeam, Refused> {
        // Workloads may not see teams; to them this must read as "not there", not as "forbidden".
        if !self.would(op, Action::ViewTeams, &Resource::Organization).await? {
            return Err(Refused::NotFound);
        }
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let found = match slug_or_id.parse::<TeamId>() {
            Ok(id) => rows::find(&mut conn, id).await?,
            Err(_) => rows::find_by_slug(&mut conn, slug_or_id).await?,
        };
        let team = found.ok_or(Refused::NotFound)?;
        let members = rows::members(&mut conn, team.id, MEMBERS).await?;
        Ok(ShownTeam { team: team.into(), members: members.into_iter().map(Member::from).collect() })
    }
}
