//! A new key for a project: it wraps from now on, and a rewrap brings what the old one wrapped under it.

use std::sync::Arc;

use keywarden_model::{ProjectId, ProjectKeyId, RewrapId};
use keywarden_store::secrets::project_keys::{self as rows, Insert};
use keywarden_store::{
    StoreError, Written, keyring as keyring_rows, project_seals, projects, rewraps as rewrap_rows,
};
use keywarden_vault::{ProjectKey, SecretString};

use crate::refused::carries_refused;
use crate::rewraps::Kind;
use crate::secrets::seal::keyring_key_of;
use crate::{Action, Domain, Fault, Op, Refused, Repeatable, Resource};

/// How often it begins anew because the project's seal was changed under it.
const TRIES: u32 = 4;

/// Why no key was rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateProjectKeyError {
    /// There is nothing to rotate.
    #[error("this project has no key yet: it is made with the project's first secret")]
    NoKey,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The one before is not done.
    #[error("the rewrap of this project's last rotation is not done: let it end, or resume it")]
    UnderWay,
}
carries_refused!(RotateProjectKeyError);

/// What one attempt came to.
enum Attempt {
    Anew,
    Failed(RotateProjectKeyError),
}

impl From<Refused> for Attempt {
    fn from(refused: Refused) -> Self {
        Self::Failed(refused.into())
    }
}
impl From<RotateProjectKeyError> for Attempt {
    fn from(error: RotateProjectKeyError) -> Self {
        Self::Failed(error)
    }
}
carries_refused!(Attempt);

/// A project has a new key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotatedProjectKey {
    /// The new key.
    pub key: ProjectKeyId,
    /// What brings the data keys under it.
    pub rewrap: RewrapId,
}

impl Repeatable for RotatedProjectKey {
    fn thing(&self) -> String {
        format!("{} {}", self.key, self.rewrap)
    }
    fn again(thing: &str, _: Option<SecretString>) -> Option<Self> {
        let (key, rewrap) = thing.split_once(' ')?;
        Some(Self { key: key.parse().ok()?, rewrap: rewrap.parse().ok()? })
    }
}

impl Domain {
    /// Gives a project a new key, under its own seal if it names one. New values lie under it at once; data keys under the old
    /// one are rewrapped in the background, no value is opened, and the old key is destroyed once nothing lies under it.
    pub async fn rotate_project_key(
        &self,
        op: &Op,
        project: ProjectId,
    ) -> Result<RotatedProjectKey, RotateProjectKeyError> {
        for _ in 0..TRIES {
            match self.rotate_project_key_once(op, project).await {
                Err(Attempt::Anew) => {}
                Err(Attempt::Failed(error)) => return Err(error),
                Ok(done) => return Ok(done),
            }
        }
        Err(Fault::Unexpected("the project's seal changes too often to make a key under it".into()).into())
    }

    async fn rotate_project_key_once(
        &self,
        op: &Op,
        project: ProjectId,
    ) -> Result<RotatedProjectKey, Attempt> {
        let (keyring, by) = (Arc::clone(self.keyring()), op.actor.id());
        let done = RotatedProjectKey { key: self.fresh(op), rewrap: self.fresh(op) };
        let action = Action::RotateProjectKey;
        let _permit = self.authorize(op, action, &Resource::Project(project)).await?;
        let drawn = Arc::new(self.draw_under_own_seal(project, done.key).await?);
        self.change(op, action, &Resource::Project(project), &[], move |tx, record| {
            let (keyring, by, drawn) = (Arc::clone(&keyring), by.clone(), Arc::clone(&drawn));
            Box::pin(async move {
                let now = record.now();
                keyring_rows::hold(tx).await?;
                let seal = project_seals::of_project(tx, project).await?.map(|row| row.seal_id);
                if seal.as_deref() != drawn.as_ref().as_ref().map(|(seal, _)| seal.as_str()) {
                    return Err(Attempt::Anew);
                }
                projects::find(tx, project).await?.ok_or(Refused::NotFound)?;
                // Before the key is taken: a batch has the rewrap and waits for the key, and each would wait for the other.
                if rewrap_rows::is_under_way(tx, &project.to_string()).await? {
                    return Err(RotateProjectKeyError::UnderWay.into());
                }
                let before = rows::retire(tx, project, now).await?.ok_or(RotateProjectKeyError::NoKey)?;
                // Whoever put under the old key has committed: its row was taken from them.
                let total = rows::data_keys(tx, before.id).await?;
                let rewrap = rewrap_rows::Insert {
                    id: done.rewrap,
                    kind: Kind::DataKeys.name(),
                    scope: &project.to_string(),
                    project: Some(project),
                    from_key: &before.id.to_string(),
                    to_key: &done.key.to_string(),
                    total,
                    done: 0,
                    started_at: now,
                    started_by: &by,
                    ended_at: None,
                };
                rewrap_rows::insert(tx, &rewrap).await.map_err(|error| match error {
                    StoreError::Conflict(_) => RotateProjectKeyError::UnderWay.into(),
                    other => Attempt::from(other),
                })?;
                let sealed = record.env().with_rng(|rng| match &*drawn {
                    Some((_, body)) => body.seal(&keyring, done.key, project, rng),
                    None => ProjectKey::generate(&keyring, done.key, project, rng).map(|(_, sealed)| sealed),
                });
                let sealed = sealed.map_err(Fault::from)?;
                let row = Insert {
                    id: done.key,
                    project,
                    sealed: &sealed,
                    keyring_key: keyring_key_of(&sealed)?,
                    seal: seal.as_deref(),
                    uses: 0,
                    created_at: now,
                };
                if !rows::insert(tx, &row).await? {
                    return Err(Attempt::from(Fault::Unexpected(
                        "the keyring's key was destroyed meanwhile".into(),
                    )));
                }
                let made = record.event("project-key.generate", "project-key", done.key).project(project);
                let event = record
                    .event(action.name(), "project", project)
                    .project(project)
                    .change("key", before.id, done.key)
                    .fact("data_keys", total)
                    .fact("rewrap", done.rewrap);
                Ok(Written::new(done, event.finish()?).and(made.finish()?))
            })
        })
        .await
    }
}
