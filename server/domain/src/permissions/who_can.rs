//! Who can do something to a thing, and by what.

use std::collections::HashMap;

use keywarden_model::{ProjectId, Role, RoleScope, TeamId};
use keywarden_store::standings::{self, Bound, Standings};

use super::{Setting, Thing, WrittenPolicies};
use crate::authz::{Ground, InForce, Part, Principal, Target, Who};
use crate::roles::Holder;
use crate::{Action, Domain, Fault, Op, Refused};

/// Everybody who can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhoCan {
    /// Do what.
    pub action: Action,
    /// To which thing.
    pub thing: Thing,
    /// People and workloads, by name.
    pub entitled: Vec<Entitled>,
    /// The policies among their paths that people wrote.
    pub written: WrittenPolicies,
    /// Policies look at the moment here, too: the answer is of this one, from no known address, with a passkey just shown.
    pub moody: bool,
}

/// Somebody who can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entitled {
    /// A person or a workload.
    pub holder: Holder,
    /// What they are called.
    pub name: String,
    /// Each way that would do by itself.
    pub paths: Vec<Path>,
    folded: String,
}

/// A way to a yes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path {
    /// What does it.
    pub part: Part,
    /// The team that the role comes by, or that is meant, and what it is called; `None` for one's own.
    pub team: Option<(TeamId, String)>,
    /// The policies that say so.
    pub policies: Vec<String>,
}

/// What is looked for among those who can.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sought {
    /// A part of the name.
    pub name: Option<String>,
    /// Workloads alone, or people alone.
    pub workloads: Option<bool>,
    /// Who can by this role.
    pub role: Option<Role>,
}

#[cfg(test)]
impl Entitled {
    pub(super) fn called(holder: Holder, name: &str) -> Self {
        Self { holder, name: name.into(), paths: Vec::new(), folded: name.to_lowercase() }
    }
}

impl WhoCan {
    /// Only those who are looked for.
    #[must_use]
    pub fn only(mut self, sought: &Sought) -> Self {
        let part = sought.name.as_deref().map(str::to_lowercase);
        self.entitled.retain(|it| {
            part.as_ref()
                .is_none_or(|part| it.folded.contains(part.as_str()) || it.name.to_lowercase().contains(part))
                && sought.workloads.is_none_or(|only| matches!(it.holder, Holder::Workload(_)) == only)
                && sought.role.is_none_or(|role| it.paths.iter().any(|path| path.part.role() == Some(role)))
        });
        self
    }

    /// At most `limit` of them, after this one; and the last one, if there are more.
    pub fn page(&self, after: Option<Holder>, limit: u32) -> (&[Entitled], Option<Holder>) {
        let skipped = after.and_then(|after| self.entitled.iter().position(|it| it.holder == after));
        let rest = self.entitled.get(skipped.map_or(0, |at| at.saturating_add(1))..).unwrap_or_default();
        let page = rest.get(..limit as usize).unwrap_or(rest);
        (page, page.last().map(|it| it.holder).filter(|_| page.len() < rest.len()))
    }
}

impl Part {
    /// The role, if it is one.
    pub fn role(self) -> Option<Role> {
        match self {
            Self::OrganizationRole(role) | Self::ProjectRole(role) => Some(role),
            Self::Itself | Self::Team(_) | Self::Together => None,
        }
    }
}

impl Domain {
    /// Every active person and workload for whom the policies say yes, aside from a fresh passkey. The policies are asked once
    /// for each set of what they can look at, however many people share it.
    pub async fn who_can(&self, op: &Op, action: Action, thing: &str) -> Result<WhoCan, Refused> {
        let sight = self.explains(op).await?;
        let counter = self.counter().await?;
        let in_force = self.gate().in_force(self.store(), counter).await?;
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let thing = Thing::find(&mut conn, thing).await?.filter(|it| action.applies_to(&it.resource));
        let thing = thing.filter(|it| sight.covers(it.resource.project())).ok_or(Refused::NotFound)?;
        let target = Target::as_asked(&mut conn, &in_force, action, thing.resource).await?;
        let here = thing.resource.project();
        let standings = standings::all(&mut conn, here, op.now).await.map_err(Fault::from)?;
        drop(conn);
        let entitled = self.entitled(op, &in_force, action, &target, here, standings)?;
        let paths = entitled.iter().flat_map(|it| &it.paths);
        let written = self.written(op, paths.flat_map(|it| it.policies.iter().map(String::as_str))).await?;
        Ok(WhoCan { action, thing, entitled, written, moody: in_force.is_moody(action) })
    }

    fn entitled(
        &self,
        op: &Op,
        in_force: &InForce,
        action: Action,
        target: &Target,
        here: Option<ProjectId>,
        standings: Standings,
    ) -> Result<Vec<Entitled>, Fault> {
        let explainer = self.gate().explainer(in_force);
        let among = explainer.mentioned(&explainer.named(), action, target)?;
        let teams: HashMap<&str, &str> =
            standings.teams.iter().map(|it| (it.id.as_str(), it.name.as_str())).collect();
        let mut roles: HashMap<&str, Vec<&Bound>> = HashMap::new();
        for bound in &standings.roles {
            roles.entry(&bound.principal_id).or_default().push(bound);
        }
        let mut memberships: HashMap<&str, Vec<&str>> = HashMap::new();
        for member in &standings.members {
            memberships.entry(&member.user_id).or_default().push(&member.team_id);
        }
        let mut answers = HashMap::new();
        let mut entitled = Vec::new();
        for somebody in &standings.principals {
            let mut held = Held::new(&somebody.id, here)?;
            held.bind(None, roles.get(somebody.id.as_str()))?;
            for id in memberships.get(somebody.id.as_str()).into_iter().flatten() {
                let team = id.parse().map_err(|_| Fault::Damaged(format!("team_members: {id}")))?;
                held.principal.teams.push(team);
                held.bind(Some((team, teams.get(id).copied().unwrap_or_default())), roles.get(id))?;
            }
            let likeness = explainer.likeness(&held.principal, target, &among);
            let grounds = answers.entry(likeness).or_insert_with(|| {
                let moment = Setting::default().circumstances(&held.principal.who, op.now);
                explainer.grounds(&held.principal, action, target, &moment, &among)
            });
            if grounds.is_empty() {
                continue;
            }
            entitled.push(Entitled {
                holder: held.holder,
                name: somebody.name.clone(),
                folded: somebody.folded_name.clone(),
                paths: held.paths(grounds, &teams),
            });
        }
        entitled.sort_by_cached_key(|it| (it.folded.clone(), it.holder.to_string()));
        Ok(entitled)
    }
}

/// Somebody and by what they hold what.
struct Held<'a> {
    holder: Holder,
    principal: Principal,
    here: Option<ProjectId>,
    by: Vec<(Part, Option<(TeamId, &'a str)>)>,
}

impl<'a> Held<'a> {
    fn new(id: &str, here: Option<ProjectId>) -> Result<Self, Fault> {
        let holder = Holder::parse(id).ok_or_else(|| Fault::Damaged(format!("`{id}` is nobody's id")))?;
        let who = match holder {
            Holder::Person(id) => Who::Person(id),
            Holder::Workload(id) => Who::Workload(id),
            Holder::Team(id) => return Err(Fault::Damaged(format!("{id}: a team is nobody"))),
        };
        Ok(Self { holder, principal: Principal::bare(who), here, by: Vec::new() })
    }

    /// Adds roles, own or a team's.
    fn bind(&mut self, team: Option<(TeamId, &'a str)>, roles: Option<&Vec<&Bound>>) -> Result<(), Fault> {
        for bound in roles.into_iter().flatten() {
            let damaged =
                |what: &str| Fault::Damaged(format!("role_bindings of {}: {what}", bound.principal_id));
            let role: Role = bound.role.parse().map_err(|_| damaged("role"))?;
            let part = match (role.scope(), &bound.project_id, self.here) {
                (RoleScope::Organization, None, _) => {
                    self.principal.organization.push(role);
                    Part::OrganizationRole(role)
                }
                (RoleScope::Project, Some(_), Some(here)) => {
                    self.principal.projects.push((here, role));
                    Part::ProjectRole(role)
                }
                _ => return Err(damaged("a role stands in the wrong scope")),
            };
            self.by.push((part, team));
        }
        Ok(())
    }

    /// The grounds as this one has them: a role may come by several ways.
    fn paths(&self, grounds: &[Ground], teams: &HashMap<&str, &str>) -> Vec<Path> {
        let mut paths = Vec::new();
        for Ground { part, policies } in grounds {
            let path =
                |team: Option<(TeamId, String)>| Path { part: *part, team, policies: policies.clone() };
            match part {
                Part::OrganizationRole(_) | Part::ProjectRole(_) => {
                    let ways = self.by.iter().filter(|(held, _)| held == part);
                    paths.extend(ways.map(|(_, team)| path(team.map(|(id, name)| (id, name.to_owned())))));
                }
                Part::Team(id) => {
                    let name = teams.get(id.to_string().as_str()).copied().unwrap_or_default();
                    paths.push(path(Some((*id, name.to_owned()))));
                }
                Part::Itself | Part::Together => paths.push(path(None)),
            }
        }
        paths
    }
}
