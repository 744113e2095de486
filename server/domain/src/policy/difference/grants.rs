//! What giving and taking gives and takes: a team's member, a role, a key's owner. The policies stay as they are; what people hold,
//! and what things are, does not.

use keywarden_model::{ApiKeyId, ProjectId, Role, TeamId, UserId};
use keywarden_store::keys;

use super::moments::Moments;
use super::world::{Changed, Standings, World};
use super::{Difference, RowPage};
use crate::authz::{Facts, Owner, PolicyScope, Target};
use crate::roles::Holder;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// Something that is given or taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// A person comes into a team.
    Join(TeamId, UserId),
    /// A person leaves a team.
    Leave(TeamId, UserId),
    /// A key gets another owner.
    Own(ApiKeyId, Owner),
    /// Somebody is given a role: in a project, or in the organization.
    Give(Holder, Role, Option<ProjectId>),
    /// Somebody's role is taken.
    Take(Holder, Role, Option<ProjectId>),
}

impl Domain {
    /// Who would gain and who would lose what by it, under the policies in force. It is for whoever may do it, and may see who may
    /// do what there, the people, and all things that are told of.
    pub async fn grant_difference(
        &self,
        op: &Op,
        grant: Grant,
        page: &RowPage,
    ) -> Result<Difference, Refused> {
        let mut conn = self.store().read().await?;
        let key = match grant {
            Grant::Own(key, _) => Some(keys::find(&mut conn, key).await?.ok_or(Refused::NotFound)?),
            Grant::Give(..) | Grant::Join(..) | Grant::Leave(..) | Grant::Take(..) => None,
        };
        drop(conn);
        let key = key.map(|row| {
            let owner =
                Owner::parse(&row.owner_id).ok_or_else(|| Fault::Damaged(format!("{}: owner", row.id)));
            Ok::<_, Fault>(Resource::ApiKey {
                id: row.id,
                project: row.project_id,
                environment: row.environment_id,
                owner: owner?,
            })
        });
        let key = key.transpose()?;
        let (asked, scope) = match (grant, key) {
            (Grant::Join(team, _) | Grant::Leave(team, _), _) => {
                ((Action::EditTeam, Resource::Team(team)), PolicyScope::Organization)
            }
            (Grant::Give(_, role, project) | Grant::Take(_, role, project), _) => {
                let place = project.map_or(Resource::Organization, Resource::Project);
                let scope = project.map_or(PolicyScope::Organization, PolicyScope::Project);
                ((Action::to_grant(role), place), scope)
            }
            (Grant::Own(..), Some(key)) => {
                let scope = key.project().map_or(PolicyScope::Organization, PolicyScope::Project);
                ((Action::EditKey, key), scope)
            }
            (Grant::Own(..), None) => return Err(Refused::NotFound),
        };
        // A fresh passkey is not asked for: nothing is done yet.
        if !self.would(op, asked.0, &asked.1).await? {
            let refused = self.authorize(op, asked.0, &asked.1).await.err();
            return Err(refused.unwrap_or(Refused::Forbidden(asked.0)));
        }
        let actions: Vec<Action> = match key {
            Some(key) => Action::ALL.iter().copied().filter(|it| it.applies_to(&key)).collect(),
            None => Action::ALL.to_vec(),
        };
        self.may_be_told(op, scope, &actions).await?;
        let turn = self.turn_to_compare().await?;
        let mut conn = self.store().read().await?;
        let in_force = self.gate().in_force_now(&mut conn).await?;
        let standings = Standings::read(&mut conn).await?;
        let mut world = World::default();
        world.read_people(&mut conn, &standings).await?;
        match (grant, key) {
            (Grant::Own(_, owner), Some(key)) => {
                let asked = in_force.asks().needs(&key);
                let facts = if asked { Some(Facts::load(&mut conn, &key).await?) } else { None };
                let with = |key| Target { facts: facts.clone(), ..Target::thing(key) };
                world.things.push(Changed::to(with(key), with(owned(key, owner))));
            }
            _ => {
                let within = crate::policy::project(scope);
                world.read_things(&mut conn, &standings, (&actions, &in_force.asks()), within).await?;
                world.granted(&standings.granted(grant))?;
            }
        }
        drop(conn);
        let moments = Moments::same(&in_force, &actions, op.now)?;
        self.difference(op, turn, (moments, world), actions, page).await
    }
}

fn owned(key: Resource, owner: Owner) -> Resource {
    match key {
        Resource::ApiKey { id, project, environment, .. } => {
            Resource::ApiKey { id, project, environment, owner }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use keywarden_model::{EnvironmentId, TypedId};

    use super::*;

    #[test]
    fn another_owner_is_all_that_changes_of_a_key() {
        let (one, other) = (UserId::NIL, UserId::from_parts(chrono::DateTime::UNIX_EPOCH, 7));
        let key = |owner| Resource::ApiKey {
            id: ApiKeyId::NIL,
            project: ProjectId::NIL,
            environment: EnvironmentId::NIL,
            owner: Owner::Person(owner),
        };
        assert_eq!(owned(key(one), Owner::Person(other)), key(other));
    }
}
