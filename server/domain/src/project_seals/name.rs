//! A project names a seal, another one, or none: its keys are wrapped anew, all of them at once.

use std::sync::Arc;

use keywarden_model::{ProjectId, ProjectKeyId};
use keywarden_store::project_seals as rows;
use keywarden_store::secrets::project_keys::{self as keys, Insert, SealedKeyRow};
use keywarden_store::{EventRow, Tx, Written, keyring as keyring_rows, projects};
use keywarden_vault::{BodyError, KeyBody, Keyring, SealId, SecretString};
use tokio::task::spawn_blocking;

use super::fetch::{away, not_here};
use crate::audit::{Fact, Record};
use crate::once::words;
use crate::refused::carries_refused;
use crate::secrets::seal::keyring_key_of;
use crate::system::cut_off;
use crate::{Action, Domain, Fault, Op, Refused, Repeatable, Resource};

/// How often it begins anew because the project's keys changed under it.
pub(super) const TRIES: u32 = 6;

/// Why a project does not name another seal now.
#[derive(Debug, thiserror::Error)]
pub enum NameSealError {
    /// A rotation came between again and again.
    #[error("the project's keys changed meanwhile: try again")]
    Changed,
    /// The operator does not offer it.
    #[error("`{0}` is not a seal that projects may name")]
    NotOffered(SealId),
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(NameSealError);

/// What one attempt came to.
enum Attempt {
    Anew,
    Failed(NameSealError),
}

impl From<Refused> for Attempt {
    fn from(refused: Refused) -> Self {
        Self::Failed(refused.into())
    }
}
impl From<NameSealError> for Attempt {
    fn from(error: NameSealError) -> Self {
        Self::Failed(error)
    }
}
carries_refused!(Attempt);

/// What a project names now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedSeal {
    /// The project.
    pub project: ProjectId,
    /// Its seal; `None`: the keyring alone wraps its keys.
    pub seal: Option<SealId>,
    /// How many keys were wrapped anew; none if it named this one already.
    pub keys: usize,
}

impl Repeatable for NamedSeal {
    fn thing(&self) -> String {
        let seal = self.seal.as_ref().map(SealId::as_str).unwrap_or_default();
        format!("{} {} {seal}", self.project, self.keys)
    }
    fn again(thing: &str, _: Option<SecretString>) -> Option<Self> {
        let [project, keys, seal] = words(thing)?;
        let seal = if seal.is_empty() { None } else { Some(seal.parse().ok()?) };
        Some(Self { project: project.parse().ok()?, seal, keys: keys.parse().ok()? })
    }
}

/// The project's keys under the seal that it is to name, not stored yet.
struct Prepared {
    /// What it named when this was prepared.
    before: Option<String>,
    wrapped: Wrapped,
}

/// A project's keys, wrapped anew.
pub(super) struct Wrapped {
    /// Its keys as they are stored, each with its new body.
    keys: Vec<(SealedKeyRow, KeyBody)>,
    /// Its first key, where it had none.
    first: Option<(ProjectKeyId, KeyBody)>,
}

impl Wrapped {
    /// How many keys these are.
    pub(super) fn len(&self) -> usize {
        self.keys.len().saturating_add(usize::from(self.first.is_some()))
    }
}

/// What became of keys that were wrapped anew.
pub(super) enum Placed {
    /// The project has other keys by now.
    Changed,
    /// They are in their places; the event of the first one, if one was made.
    Done(Vec<EventRow>),
}

impl Domain {
    /// Lets a project name a seal that is offered, or none. All of its keys are wrapped anew; no value is opened and no data key
    /// touched. A project without a key gets its first one, if it names a seal.
    pub async fn name_project_seal(
        &self,
        op: &Op,
        project: ProjectId,
        seal: Option<&SealId>,
    ) -> Result<NamedSeal, NameSealError> {
        for _ in 0..TRIES {
            match self.name_project_seal_once(op, project, seal).await {
                Ok(named) => {
                    // It has just wrapped the project's keys.
                    if let Some(seal) = &named.seal {
                        self.look_again_at(seal).await;
                    }
                    return Ok(named);
                }
                Err(Attempt::Anew) => {}
                Err(Attempt::Failed(error)) => return Err(error),
            }
        }
        Err(NameSealError::Changed)
    }

    async fn name_project_seal_once(
        &self,
        op: &Op,
        project: ProjectId,
        seal: Option<&SealId>,
    ) -> Result<NamedSeal, Attempt> {
        let (action, resource) = (Action::NameProjectSeal, Resource::Project(project));
        let _permit = self.authorize(op, action, &resource).await?;
        if let Some(before) = self.answered(op).await? {
            return Ok(before);
        }
        let Some(prepared) = self.prepare(op, project, seal).await? else {
            return Ok(NamedSeal { project, seal: seal.cloned(), keys: 0 });
        };
        let (prepared, keyring) = (Arc::new(prepared), Arc::clone(self.keyring()));
        let (seal, by) = (seal.cloned(), op.actor.id());
        self.change(op, action, &resource, &[], move |tx, record| {
            let (prepared, keyring) = (Arc::clone(&prepared), Arc::clone(&keyring));
            let (seal, by) = (seal.clone(), by.clone());
            Box::pin(async move {
                keyring_rows::hold(tx).await?;
                projects::find(tx, project).await?.ok_or(Refused::NotFound)?;
                let before = rows::of_project(tx, project).await?.map(|row| row.seal_id);
                if before != prepared.before {
                    return Err(Attempt::Anew);
                }
                match &seal {
                    Some(seal) => {
                        if !rows::is_offered(tx, seal.as_str()).await? {
                            return Err(NameSealError::NotOffered(seal.clone()).into());
                        }
                        rows::name(tx, project, seal.as_str(), record.now(), &by).await?;
                    }
                    None => rows::unname(tx, project).await?,
                }
                let under = seal.as_ref().map(SealId::as_str);
                let made = match place(tx, &record, &keyring, project, &prepared.wrapped, under).await? {
                    Placed::Done(made) => made,
                    Placed::Changed => return Err(Attempt::Anew),
                };
                let named =
                    |seal: Option<&str>| Fact::from(seal.and_then(|it| it.parse::<SealId>().ok()).as_ref());
                let keys = prepared.wrapped.len();
                let event = record
                    .event(action.name(), "project", project)
                    .project(project)
                    .change("seal", named(before.as_deref()), named(under))
                    .fact("keys", u32::try_from(keys).unwrap_or(u32::MAX))
                    .finish()?;
                Ok(Written::new(NamedSeal { project, seal, keys }, event).and_all(made))
            })
        })
        .await
    }

    /// Wraps the project's keys as they are to be; `None` if they are so already. Seals are asked here.
    async fn prepare(
        &self,
        op: &Op,
        project: ProjectId,
        seal: Option<&SealId>,
    ) -> Result<Option<Prepared>, NameSealError> {
        let mut conn = self.store().read().await?;
        let before = rows::of_project(&mut conn, project).await?.map(|row| row.seal_id);
        if before.as_deref() == seal.map(SealId::as_str) {
            return Ok(None);
        }
        if let Some(seal) = seal
            && !rows::is_offered(&mut conn, seal.as_str()).await?
        {
            return Err(NameSealError::NotOffered(seal.clone()));
        }
        let stored = keys::all_of_project(&mut conn, project).await?;
        drop(conn);
        let first = (stored.is_empty() && seal.is_some()).then(|| self.fresh::<ProjectKeyId>(op));
        let wrapped = self.wrap_all_anew(project, seal, stored, first).await?;
        Ok(Some(Prepared { before, wrapped }))
    }

    /// Wraps these keys of a project anew, and its first one, fetching what is not at hand. Seals are asked here.
    pub(super) async fn wrap_all_anew(
        &self,
        project: ProjectId,
        seal: Option<&SealId>,
        stored: Vec<SealedKeyRow>,
        first: Option<ProjectKeyId>,
    ) -> Result<Wrapped, Fault> {
        for _ in 0..2 {
            let seen = self.custody_seen();
            match self.wrap_anew(project, seal, stored.clone(), first).await {
                Err(fault @ Fault::ProjectSealed { .. }) => {
                    if !self.fetch_project_keys(&seen).await {
                        return Err(fault);
                    }
                }
                wrapped => return wrapped,
            }
        }
        self.wrap_anew(project, seal, stored, first).await
    }

    async fn wrap_anew(
        &self,
        project: ProjectId,
        seal: Option<&SealId>,
        stored: Vec<SealedKeyRow>,
        first: Option<ProjectKeyId>,
    ) -> Result<Wrapped, Fault> {
        let (keyring, env, seal) = (Arc::clone(self.keyring()), self.env().clone(), seal.cloned());
        let wrapping = spawn_blocking(move || {
            let mut rng = env.fork();
            let to = match &seal {
                Some(id) => Some(keyring.custody().of(id).ok_or_else(|| not_here(id.as_str()))?),
                None => None,
            };
            let named = seal.as_ref().map(SealId::as_str).unwrap_or_default();
            let mut keys = Vec::with_capacity(stored.len());
            for row in stored {
                let body = KeyBody::rewrap(&keyring, row.id, project, &row.sealed, to, &mut rng);
                let body = body.map_err(|error| match error {
                    BodyError::Open(cause) => cause.into(),
                    BodyError::Wrap(cause) => away(named, &cause),
                })?;
                keys.push((row, body));
            }
            let first = match (first, to) {
                (Some(id), Some(to)) => {
                    let body = KeyBody::draw(to, id, project, &mut rng);
                    Some((id, body.map_err(|cause| away(named, &cause))?))
                }
                _ => None,
            };
            Ok::<_, Fault>(Wrapped { keys, first })
        });
        wrapping.await.map_err(cut_off)?
    }
}

/// Puts every key of a project in its place, unless they are not the ones that were wrapped.
pub(super) async fn place(
    tx: &mut Tx,
    record: &Record,
    keyring: &Keyring,
    project: ProjectId,
    wrapped: &Wrapped,
    seal: Option<&str>,
) -> Result<Placed, Refused> {
    let sealed = |id, body: &KeyBody| {
        record.env().with_rng(|rng| body.seal(keyring, id, project, rng)).map_err(Fault::from)
    };
    if keys::all_of_project(tx, project).await?.len() != wrapped.keys.len() {
        return Ok(Placed::Changed);
    }
    for (row, body) in &wrapped.keys {
        let bytes = sealed(row.id, body)?;
        if !keys::put_under(tx, row, seal, keyring_key_of(&bytes)?, &bytes).await? {
            return Ok(Placed::Changed);
        }
    }
    let Some((id, body)) = &wrapped.first else { return Ok(Placed::Done(Vec::new())) };
    let bytes = sealed(*id, body)?;
    let insert = Insert {
        id: *id,
        project,
        sealed: &bytes,
        keyring_key: keyring_key_of(&bytes)?,
        seal,
        uses: 0,
        created_at: record.now(),
    };
    if !keys::insert(tx, &insert).await? {
        return Ok(Placed::Changed);
    }
    let event = record.event("project-key.generate", "project-key", *id).project(project).finish()?;
    Ok(Placed::Done(vec![event]))
}
