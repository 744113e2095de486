//! Writing a policy, and writing it anew.

use keywarden_model::{Description, Name, PolicyId, PolicyState};
use keywarden_store::{StoreError, Written, policies as rows, projects};
use sha2::{Digest, Sha256};

use super::{is_reserved, project, resource, state};
use crate::audit::Fact;
use crate::authz::{PolicyScope, TextError};
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused, Resource};

/// Policies of one scope.
const AT_MOST: i64 = 1_000;
/// Versions of one policy.
const VERSIONS: i64 = 1_000;

/// A policy to be.
#[derive(Debug, Clone)]
pub struct NewPolicy {
    /// Where it shall hold.
    pub scope: PolicyScope,
    /// What people call it.
    pub name: Name,
    /// The Cedar text: one statement.
    pub text: String,
    /// What its author says about it.
    pub note: Description,
}

/// Another text for a policy.
#[derive(Debug, Clone)]
pub struct Redraft {
    /// The Cedar text: one statement.
    pub text: String,
    /// What its author says about it.
    pub note: Description,
    /// The state of the policy that its author has seen.
    pub row_version: i64,
}

/// Why nothing was kept.
#[derive(Debug, thiserror::Error)]
pub enum DraftPolicyError {
    /// The project is archived.
    #[error("this project is archived: nothing new is made in it")]
    Archived,
    /// Somebody else changed it since it was read.
    #[error("this policy was changed meanwhile: look at it again")]
    ChangedMeanwhile,
    /// The name is the house's own.
    #[error("this name is Keywarden's own: choose another")]
    NameReserved,
    /// Another policy of the scope has the name, perhaps spelled differently.
    #[error("another policy here has this name: choose another")]
    NameTaken,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The text is no policy that could decide here.
    #[error("this is no policy: {}", super::told(.0))]
    Text(Vec<TextError>),
    /// There are as many as there may be.
    #[error("there are a thousand here: nothing can be added")]
    TooMany,
}
carries_refused!(DraftPolicyError);

impl Domain {
    /// Writes a policy down as a draft. It decides nothing yet.
    pub async fn draft_policy(&self, op: &Op, new: NewPolicy) -> Result<PolicyId, DraftPolicyError> {
        let id: PolicyId = self.fresh(op);
        let by = op.actor.id();
        let domain = self.clone();
        self.change(op, Action::DraftPolicy, &resource(new.scope), &[], move |tx, record| {
            let (domain, new, by) = (domain.clone(), new.clone(), by.clone());
            Box::pin(async move {
                if is_reserved(&new.name) {
                    return Err(DraftPolicyError::NameReserved);
                }
                let checked = domain.gate().check(new.scope, &new.text).map_err(DraftPolicyError::Text)?;
                let project = project(new.scope);
                if let Some(project) = project {
                    let home = projects::find(tx, project).await?.ok_or(Refused::NotFound)?;
                    if home.archived_at.is_some() {
                        return Err(DraftPolicyError::Archived);
                    }
                }
                let scope = project.map_or_else(|| rows::ORGANIZATION.to_owned(), |it| it.to_string());
                if rows::count(tx, &scope).await? >= AT_MOST {
                    return Err(DraftPolicyError::TooMany);
                }
                let now = record.now();
                let row = rows::Insert { id, project, name: &new.name, created_at: now, created_by: &by };
                rows::insert(tx, row).await.map_err(taken)?;
                let sha256: [u8; 32] = Sha256::digest(&new.text).into();
                let version = rows::InsertVersion {
                    policy: id,
                    number: 1,
                    effect: checked.effect,
                    text: &new.text,
                    sha256,
                    note: new.note.as_str(),
                    created_at: now,
                    created_by: &by,
                };
                rows::insert_version(tx, version).await?;
                let event = record
                    .event("policy.draft", "policy", id)
                    .project(project)
                    .fact("version", 1_i64)
                    .fact("effect", checked.effect)
                    .fact("text", Fact::digest(&sha256))
                    .text("name", &new.name)
                    .text("note", &new.note)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }

    /// Writes another text down for a policy, as a draft. Drafts before it, also in review, are withdrawn; what somebody
    /// scheduled stays scheduled.
    pub async fn redraft_policy(
        &self,
        op: &Op,
        id: PolicyId,
        new: Redraft,
    ) -> Result<PolicyId, DraftPolicyError> {
        let scope = self.policy_in_sight(op, id).await?;
        let by = op.actor.id();
        let domain = self.clone();
        let home: Resource = resource(scope);
        self.change(op, Action::DraftPolicy, &home, &[], move |tx, record| {
            let (domain, new, by) = (domain.clone(), new.clone(), by.clone());
            Box::pin(async move {
                let checked = domain.gate().check(scope, &new.text).map_err(DraftPolicyError::Text)?;
                let policy = rows::find(tx, id).await?.ok_or(Refused::NotFound)?;
                rows::touch(tx, id, new.row_version).await.map_err(|error| match error {
                    StoreError::Stale(_) => DraftPolicyError::ChangedMeanwhile,
                    other => other.into(),
                })?;
                if policy.numbered >= VERSIONS {
                    return Err(DraftPolicyError::TooMany);
                }
                let now = record.now();
                let mut withdrawn = Vec::new();
                for open in rows::open(tx, id).await? {
                    if state(&open)? != PolicyState::Scheduled {
                        rows::set_state(tx, &open, PolicyState::Withdrawn, now).await?;
                        withdrawn.push(Fact::from(open.number));
                    }
                }
                let number = policy.numbered.saturating_add(1);
                let sha256: [u8; 32] = Sha256::digest(&new.text).into();
                let version = rows::InsertVersion {
                    policy: id,
                    number,
                    effect: checked.effect,
                    text: &new.text,
                    sha256,
                    note: new.note.as_str(),
                    created_at: now,
                    created_by: &by,
                };
                rows::insert_version(tx, version).await?;
                let event = record
                    .event("policy.draft", "policy", id)
                    .project(project(scope))
                    .fact("version", number)
                    .fact("effect", checked.effect)
                    .fact("text", Fact::digest(&sha256))
                    .fact("withdrawn", Fact::list(withdrawn))
                    .text("note", &new.note)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }
}

fn taken(error: StoreError) -> DraftPolicyError {
    match error {
        StoreError::Conflict(_) => DraftPolicyError::NameTaken,
        other => other.into(),
    }
}
