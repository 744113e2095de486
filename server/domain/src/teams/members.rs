//! Who is in a team.

use std::sync::Arc;

use keywarden_model::{TeamId, UserId};
use keywarden_store::{ChangeKind, Written, teams as rows};

use crate::authz::Circumstances;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused, Resource};

/// Why a team's members stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    /// The person is in the team already.
    #[error("this person is in the team already")]
    AlreadyIn,
    /// A policy that goes by this team forbids whoever is in it, or out of it, what owners must be able to do.
    #[error(
        "no owner could invite people, give roles and change policies any more: change the policies first"
    )]
    LocksOut,
    /// There is no such person, or not any more.
    #[error("there is no such active person")]
    NoSuchPerson,
    /// The person is not in the team.
    #[error("this person is not in the team")]
    NotIn,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(MemberError);

impl Domain {
    /// Adds a person to a team: from now on the team's roles are theirs too.
    pub async fn add_member(&self, op: &Op, team: TeamId, person: UserId) -> Result<TeamId, MemberError> {
        let (domain, circumstances) = (self.clone(), Arc::new(Circumstances::of(op)));
        self.change(op, Action::EditTeam, &Resource::Team(team), &[], move |tx, record| {
            let (domain, circumstances) = (domain.clone(), Arc::clone(&circumstances));
            Box::pin(async move {
                rows::find(tx, team).await?.ok_or(Refused::NotFound)?;
                if !rows::is_active_person(tx, person).await? {
                    return Err(MemberError::NoSuchPerson);
                }
                let mattered = domain.is_administered(tx, &circumstances).await?;
                if !rows::add(tx, team, person, record.now()).await? {
                    return Err(MemberError::AlreadyIn);
                }
                if mattered && !domain.is_administered(tx, &circumstances).await? {
                    return Err(MemberError::LocksOut);
                }
                // Not for a no: so that every node learns of the new yes at once.
                tx.restrict(ChangeKind::Authority, person, record.now()).await?;
                let event = record.event("team.add-member", "team", team).fact("person", person).finish()?;
                Ok(Written::new(team, event))
            })
        })
        .await
    }

    /// Removes a person from a team, and with that the team's roles from the person.
    pub async fn remove_member(&self, op: &Op, team: TeamId, person: UserId) -> Result<TeamId, MemberError> {
        let (domain, circumstances) = (self.clone(), Arc::new(Circumstances::of(op)));
        self.change(op, Action::EditTeam, &Resource::Team(team), &[], move |tx, record| {
            let (domain, circumstances) = (domain.clone(), Arc::clone(&circumstances));
            Box::pin(async move {
                rows::find(tx, team).await?.ok_or(Refused::NotFound)?;
                let mattered = domain.is_administered(tx, &circumstances).await?;
                if !rows::remove(tx, team, person).await? {
                    return Err(MemberError::NotIn);
                }
                if mattered && !domain.is_administered(tx, &circumstances).await? {
                    return Err(MemberError::LocksOut);
                }
                tx.restrict(ChangeKind::Authority, person, record.now()).await?;
                let event =
                    record.event("team.remove-member", "team", team).fact("person", person).finish()?;
                Ok(Written::new(team, event))
            })
        })
        .await
    }
}
