//! Writing a standard, and writing it anew.

use keywarden_model::{Description, Name, PolicyState, StandardId};
use keywarden_store::{StoreError, Tx, Written, projects, standards as rows};
use sha2::{Digest, Sha256};

use super::rules::Rules;
use super::{state, word};
use crate::audit::{Draft, Fact, Record};
use crate::authz::PolicyScope;
use crate::policy::{project, resource};
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused};

/// Standards of one scope.
const AT_MOST: i64 = 100;
/// Versions of one standard.
const VERSIONS: i64 = 1_000;

/// A standard to be.
#[derive(Debug, Clone)]
pub struct NewStandard {
    /// Where it shall hold.
    pub scope: PolicyScope,
    /// What people call it.
    pub name: Name,
    /// What it asks for.
    pub rules: Rules,
    /// What its author says about it.
    pub note: Description,
}

/// Other rules for a standard.
#[derive(Debug, Clone)]
pub struct RedraftStandard {
    /// What it asks for.
    pub rules: Rules,
    /// What its author says about it.
    pub note: Description,
    /// The state of the standard that its author has seen.
    pub row_version: i64,
}

/// Why nothing was kept.
#[derive(Debug, thiserror::Error)]
pub enum DraftStandardError {
    /// The project is archived.
    #[error("this project is archived: nothing new is made in it")]
    Archived,
    /// Somebody else changed it since it was read.
    #[error("this standard was changed meanwhile: look at it again")]
    ChangedMeanwhile,
    /// It asks for nothing.
    #[error("this standard asks for nothing: fill in at least one rule")]
    Empty,
    /// Another standard of the scope has the name, perhaps spelled differently.
    #[error("another standard here has this name: choose another")]
    NameTaken,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// There are as many as there may be.
    #[error("there are as many here as there may be: nothing can be added")]
    TooMany,
}
carries_refused!(DraftStandardError);

impl Domain {
    /// Writes a standard down as a draft. It refuses nothing yet.
    pub async fn draft_standard(&self, op: &Op, new: NewStandard) -> Result<StandardId, DraftStandardError> {
        let id: StandardId = self.fresh(op);
        let by = op.actor.id();
        self.change(op, Action::DraftPolicy, &resource(new.scope), &[], move |tx, record| {
            let (new, by) = (new.clone(), by.clone());
            Box::pin(async move {
                let project = project(new.scope);
                if let Some(project) = project {
                    let home = projects::find(tx, project).await?.ok_or(Refused::NotFound)?;
                    if home.archived_at.is_some() {
                        return Err(DraftStandardError::Archived);
                    }
                }
                if rows::count(tx, &word(new.scope)).await? >= AT_MOST {
                    return Err(DraftStandardError::TooMany);
                }
                let now = record.now();
                let row = rows::Insert { id, project, name: &new.name, created_at: now, created_by: &by };
                rows::insert(tx, row).await.map_err(|error| match error {
                    StoreError::Conflict(_) => DraftStandardError::NameTaken,
                    other => other.into(),
                })?;
                let what = Drafted { id, number: 1, scope: new.scope, rules: &new.rules, note: &new.note };
                let event = what.write(tx, &record, &by).await?.text("name", &new.name).finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }

    /// Writes other rules down for a standard, as a draft. Drafts before it, also in review, are withdrawn.
    pub async fn redraft_standard(
        &self,
        op: &Op,
        id: StandardId,
        new: RedraftStandard,
    ) -> Result<StandardId, DraftStandardError> {
        let scope = self.standard_in_sight(op, id).await?;
        let by = op.actor.id();
        self.change(op, Action::DraftPolicy, &resource(scope), &[], move |tx, record| {
            let (new, by) = (new.clone(), by.clone());
            Box::pin(async move {
                let standard = rows::find(tx, id).await?.ok_or(Refused::NotFound)?;
                rows::touch(tx, id, new.row_version).await.map_err(|error| match error {
                    StoreError::Stale(_) => DraftStandardError::ChangedMeanwhile,
                    other => other.into(),
                })?;
                if standard.numbered >= VERSIONS {
                    return Err(DraftStandardError::TooMany);
                }
                let mut withdrawn = Vec::new();
                for open in rows::open(tx, id).await? {
                    if state(&open)?.is_open() {
                        rows::set_state(tx, &open, PolicyState::Withdrawn, record.now()).await?;
                        withdrawn.push(Fact::from(open.number));
                    }
                }
                let number = standard.numbered.saturating_add(1);
                let what = Drafted { id, number, scope, rules: &new.rules, note: &new.note };
                let event = what.write(tx, &record, &by).await?;
                let event = event.fact("withdrawn", Fact::list(withdrawn)).finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }
}

struct Drafted<'a> {
    id: StandardId,
    number: i64,
    scope: PolicyScope,
    rules: &'a Rules,
    note: &'a Description,
}

impl Drafted<'_> {
    async fn write(&self, tx: &mut Tx, record: &Record, by: &str) -> Result<Draft, DraftStandardError> {
        let Self { id, number, scope, rules, note } = *self;
        if rules.is_empty() {
            return Err(DraftStandardError::Empty);
        }
        let text = serde_json::to_string(rules).map_err(|cause| Fault::Unexpected(cause.to_string()))?;
        let sha256: [u8; 32] = Sha256::digest(&text).into();
        let row = rows::InsertVersion {
            standard: id,
            number,
            scope: &word(scope),
            rules: &text,
            environments: &rules.environments_text(),
            reads_need_reason: rules.reads_need_reason,
            sha256,
            note: note.as_str(),
            created_at: record.now(),
            created_by: by,
        };
        rows::insert_version(tx, row).await?;
        Ok(record
            .event("standard.draft", "standard", id)
            .project(project(scope))
            .fact("version", number)
            .fact("rules", Fact::digest(&sha256))
            .text("note", note))
    }
}
