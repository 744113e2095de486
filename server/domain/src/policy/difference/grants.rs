//! What giving and taking gives and takes: a team's member, a role, the owner and the tags of a key or secret. The policies stay as
//! they are; what people hold, and what things are, does not.

use keywarden_model::{ApiKeyId, ProjectId, Role, SecretId, Tags, TeamId, UserId};
use keywarden_store::keys;

use super::moments::Moments;
use super::world::{Changed, Standings, World};
use super::{Difference, RowPage};
use crate::authz::{Facts, Owner, PolicyScope, Target};
use crate::roles::Holder;
use crate::secrets::Address;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// Something that is given or taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// A person comes into a team.
    Join(TeamId, UserId),
    /// A person leaves a team.
    Leave(TeamId, UserId),
    /// A thing is described otherwise: it gets this owner, if one is named, and these tags.
    Describe(Described, Option<Owner>, Tags),
    /// Somebody is given a role: in a project, or in the organization.
    Give(Holder, Role, Option<ProjectId>),
    /// Somebody's role is taken.
    Take(Holder, Role, Option<ProjectId>),
}

/// What has an owner and tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Described {
    /// A key.
    Key(ApiKeyId),
    /// A secret.
    Secret(SecretId),
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
        let (asked, scope) = match &grant {
            Grant::Join(team, _) | Grant::Leave(team, _) => {
                ((Action::EditTeam, Resource::Team(*team)), PolicyScope::Organization)
            }
            Grant::Give(_, role, project) | Grant::Take(_, role, project) => {
                let place = project.map_or(Resource::Organization, Resource::Project);
                let scope = project.map_or(PolicyScope::Organization, PolicyScope::Project);
                ((Action::to_grant(*role), place), scope)
            }
            Grant::Describe(thing, ..) => {
                let thing = self.described(*thing).await?;
                let scope = thing.project().map_or(PolicyScope::Organization, PolicyScope::Project);
                let edit = match thing {
                    Resource::Secret { .. } => Action::EditSecret,
                    _ => Action::EditKey,
                };
                ((edit, thing), scope)
            }
        };
        // A fresh passkey is not asked for: nothing is done yet.
        if !self.would(op, asked.0, &asked.1).await? {
            let refused = self.authorize(op, asked.0, &asked.1).await.err();
            return Err(refused.unwrap_or(Refused::Forbidden(asked.0)));
        }
        let actions: Vec<Action> = match &grant {
            Grant::Describe(..) => Action::ALL.iter().copied().filter(|it| it.applies_to(&asked.1)).collect(),
            Grant::Give(..) | Grant::Join(..) | Grant::Leave(..) | Grant::Take(..) => Action::ALL.to_vec(),
        };
        self.may_be_told(op, scope, &actions).await?;
        let turn = self.turn_to_compare().await?;
        let mut conn = self.store().read().await?;
        let in_force = self.gate().in_force_now(&mut conn).await?;
        let standings = Standings::read(&mut conn).await?;
        let mut world = World::default();
        world.read_people(&mut conn, &standings).await?;
        if let Grant::Describe(_, owner, tags) = grant {
            let thing = asked.1;
            let facts = if in_force.asks().needs(&thing) {
                Some(Facts::load(&mut conn, &thing).await?)
            } else {
                None
            };
            let then = facts.clone().map(|it| Facts { owner: owner.or(it.owner), tags, ..it });
            let before = Target { facts, ..Target::thing(thing) };
            let after = Target { facts: then, ..Target::thing(owned(thing, owner)) };
            world.things.push(Changed::to(before, after));
        } else {
            let within = crate::policy::project(scope);
            world.read_things(&mut conn, &standings, (&actions, &in_force.asks()), within).await?;
            world.granted(&standings.granted(&grant))?;
        }
        drop(conn);
        let moments = Moments::same(&in_force, &actions, op.now)?;
        self.difference(op, turn, (moments, world), actions, page).await
    }

    /// What is described, as decisions see it.
    async fn described(&self, thing: Described) -> Result<Resource, Refused> {
        let key = match thing {
            Described::Key(key) => key,
            Described::Secret(secret) => return self.secret_as_resource(&Address::Id(secret)).await,
        };
        let row = keys::find(&mut self.store().read().await?, key).await?.ok_or(Refused::NotFound)?;
        let owner = Owner::parse(&row.owner_id).ok_or_else(|| Fault::Damaged(format!("{key}: owner")))?;
        let (project, environment) = (row.project_id, row.environment_id);
        Ok(Resource::ApiKey { id: key, project, environment, owner })
    }
}

/// The same thing of another owner: of keys alone, decisions know whose they are without asking.
fn owned(thing: Resource, by: Option<Owner>) -> Resource {
    match (thing, by) {
        (Resource::ApiKey { id, project, environment, .. }, Some(owner)) => {
            Resource::ApiKey { id, project, environment, owner }
        }
        (other, _) => other,
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
        assert_eq!(owned(key(one), Some(Owner::Person(other))), key(other));
        assert_eq!(owned(key(one), None), key(one));
    }
}
