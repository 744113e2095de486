//! Who may read a secret's value, and which roles say so.
//!
//! The answer is asked of the policies, person by person, and never worked out from the names of roles: what is shown
//! and what happens cannot come apart.

use chrono::{DateTime, Utc};
use keywarden_model::{ProjectId, Role, RoleScope, TeamId};
use keywarden_store::authority::{self, Counting};

use super::secret::Address;
use crate::authz::{InForce, Principal, Target, Who};
use crate::roles::Holder;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// The most roles that are looked through.
const MANY: u32 = 5_000;

/// Who may read the value of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readers {
    /// People and workloads by name.
    pub readers: Vec<Reader>,
    /// Roles were left out, because there are more than 5 000 of them.
    pub incomplete: bool,
}

/// Somebody who may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// A person or a workload.
    pub holder: Holder,
    /// What they are called.
    pub name: String,
    /// Each role that would do by itself.
    pub grounds: Vec<Ground>,
}

/// A role by which something may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// Which role.
    pub role: Role,
    /// Held in the secret's project; otherwise in the organization.
    pub in_project: bool,
    /// The team that holds it, and what it is called; `None` for one's own.
    pub team: Option<(TeamId, String)>,
}

impl Domain {
    /// Everybody who may read the secret's value, for those who may see both the secret and the people.
    pub async fn secret_readers(&self, op: &Op, address: &Address) -> Result<Readers, Refused> {
        let resource = self.secret_as_resource(address).await?;
        let _seen = self.authorize(op, Action::ViewSecret, &resource).await?;
        let _permit = self.authorize(op, Action::ViewUsers, &Resource::Organization).await?;
        let project = resource.project().ok_or(Refused::NotFound)?;
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let mut rows =
            authority::counting(&mut conn, project, op.now, MANY + 1).await.map_err(Fault::from)?;
        let in_force = self.gate().in_force_last();
        let target = Target::as_asked(&mut conn, &in_force, Action::ReadSecret, resource).await?;
        drop(conn);
        let incomplete = rows.len() > MANY as usize;
        if incomplete {
            // Whose roles were read in part only, might be told a yes or a no that is not theirs.
            let last = rows.last().map(|row| row.holder.clone());
            rows.retain(|row| Some(&row.holder) != last.as_ref());
        }
        let readers = rows
            .chunk_by(|one, next| one.holder == next.holder)
            .filter_map(|held| self.judge_reader((&in_force, &target), project, held, op.now).transpose());
        let mut readers = readers.collect::<Result<Vec<_>, Fault>>()?;
        readers.sort_by_cached_key(|reader| reader.name.to_lowercase());
        Ok(Readers { readers, incomplete })
    }

    /// The holder of these roles as a reader; `None` if the policies say no.
    fn judge_reader(
        &self,
        (in_force, target): (&InForce, &Target),
        project: ProjectId,
        held: &[Counting],
        now: DateTime<Utc>,
    ) -> Result<Option<Reader>, Fault> {
        let Some(first) = held.first() else { return Ok(None) };
        let damaged = |what: &str| Fault::Damaged(format!("role_bindings of {}: {what}", first.holder));
        let holder = Holder::parse(&first.holder).ok_or_else(|| damaged("holder"))?;
        let who = match holder {
            Holder::Person(id) => Who::Person(id),
            Holder::Workload(id) => Who::Workload(id),
            Holder::Team(_) => return Err(damaged("a team is nobody")),
        };
        let mut whole = Principal::bare(who.clone());
        let mut grounds = Vec::new();
        for row in held {
            let ground = Ground {
                role: row.role.parse().map_err(|_| damaged("role"))?,
                in_project: row.project_id.is_some(),
                team: team(row).map_err(damaged)?,
            };
            let mut alone = Principal::bare(who.clone());
            for principal in [&mut whole, &mut alone] {
                ground.give(principal, project);
            }
            if self.gate().would_as(in_force, &alone, Action::ReadSecret, target, now) {
                grounds.push(ground);
            }
        }
        let may = self.gate().would_as(in_force, &whole, Action::ReadSecret, target, now);
        Ok(may.then(|| Reader { holder, name: first.name.clone(), grounds }))
    }
}

impl Ground {
    fn give(&self, principal: &mut Principal, project: ProjectId) {
        if let Some((team, _)) = &self.team {
            principal.teams.push(*team);
        }
        match self.role.scope() {
            RoleScope::Organization => principal.organization.push(self.role),
            RoleScope::Project => principal.projects.push((project, self.role)),
        }
    }
}

fn team(row: &Counting) -> Result<Option<(TeamId, String)>, &'static str> {
    let Some(id) = &row.team_id else { return Ok(None) };
    let id = id.parse().map_err(|_| "team")?;
    Ok(Some((id, row.team_name.clone().unwrap_or_default())))
}
