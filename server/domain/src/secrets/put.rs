//! Putting a value: the first one makes the secret, each further one a version.

use std::sync::Arc;

use keywarden_model::{SecretId, SecretLabel, SecretPath, SecretVersionId};
use keywarden_store::secrets::{self as rows, Insert};
use keywarden_store::{StoreError, Tx, Written};
use keywarden_vault::SecretString;

use super::labels::{MOST_LABELS, point};
use super::seal::{Fresh, Sealed};
use super::secret::{Address, Labels, claim, current};
use super::value::NewValue;
use crate::audit::{Fact, Record};
use crate::keys::Place;
use crate::once::Repeatable;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused, Resource};

/// How often a put begins anew because the secret, or its project's key, came or went under it.
const TRIES: u32 = 4;

/// What is put.
#[derive(Debug)]
pub struct PutSecret {
    /// The value.
    pub value: NewValue,
    /// The label of the new version; `None`: it becomes `current`, and the one before it `previous`. With another label
    /// `current` stays where it is.
    pub label: Option<SecretLabel>,
    /// What must be there before.
    pub expected: Option<Expected>,
}

/// What must be there for a value to be put or a secret to be deleted: check-and-set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// No secret at this path.
    Nothing,
    /// `current` points at the version of this number; 0: at none, as long as there is no secret.
    Number(i64),
    /// `current` points at this version.
    Version(SecretVersionId),
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// The secret.
    pub id: SecretId,
    /// The new version.
    pub version: SecretVersionId,
    /// Its number.
    pub number: i64,
}

impl Repeatable for Put {
    fn thing(&self) -> String {
        format!("{} {} {}", self.id, self.version, self.number)
    }
    fn again(thing: &str, _: Option<SecretString>) -> Option<Self> {
        let mut words = thing.split(' ');
        let (id, version, number) = (words.next()?, words.next()?, words.next()?);
        Some(Self { id: id.parse().ok()?, version: version.parse().ok()?, number: number.parse().ok()? })
    }
}

/// Why nothing was put.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// The project is archived.
    #[error("this project is archived: nothing new is made in it")]
    Archived,
    /// The secret is deleted, and keeps its path until it is purged.
    #[error("this secret is deleted: restore it first")]
    Deleted,
    /// The project's key wrapped as many data keys as it may.
    #[error("the project's key has wrapped as many data keys as it may: rotate the project's key")]
    KeyExhausted,
    /// `previous` goes where `current` was.
    #[error("`previous` follows `current` by itself: choose another label")]
    Previous,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Something else is there than was expected.
    #[error("the secret was changed meanwhile: read it again, then decide")]
    Stale,
    /// More labels than may be.
    #[error("use at most {MOST_LABELS} labels for a secret")]
    TooManyLabels,
    /// Another secret has the same path in another spelling.
    #[error(
        "another secret of this environment has this path in another spelling: use that one, or another path"
    )]
    Twin,
}
carries_refused!(PutError);

/// What one attempt came to.
enum Attempt {
    /// The secret came or went, or its project's key was rotated, between the look and the write.
    Anew,
    Failed(PutError),
}

impl From<PutError> for Attempt {
    fn from(error: PutError) -> Self {
        Self::Failed(error)
    }
}
impl From<Refused> for Attempt {
    fn from(refused: Refused) -> Self {
        Self::Failed(refused.into())
    }
}
carries_refused!(Attempt);

impl Domain {
    /// Puts a value. Whether this makes a secret or adds to one decides which permit is asked for.
    pub async fn put_secret(
        &self,
        op: &Op,
        place: &Place,
        path: &SecretPath,
        put: PutSecret,
    ) -> Result<Put, PutError> {
        if put.label.as_ref().is_some_and(|label| label.as_str() == SecretLabel::PREVIOUS) {
            return Err(PutError::Previous);
        }
        let put = Arc::new(put);
        let address = Address::Path { place: place.clone(), path: path.clone() };
        for _ in 0..TRIES {
            let done = match self.secret_as_resource(&address).await {
                Ok(resource) => self.put_version(op, resource, &put).await,
                Err(Refused::NotFound) => self.put_first(op, place, path, &put).await,
                Err(refused) => return Err(refused.into()),
            };
            match done {
                Ok(done) => return Ok(done),
                Err(Attempt::Anew) => {}
                Err(Attempt::Failed(error)) => return Err(error),
            }
        }
        Err(PutError::Stale)
    }

    async fn put_first(
        &self,
        op: &Op,
        place: &Place,
        path: &SecretPath,
        put: &Arc<PutSecret>,
    ) -> Result<Put, Attempt> {
        let place = self.place(place).await?;
        let environment = place.environment_id;
        let resource = Resource::Environment { id: environment, project: place.project_id };
        let id: SecretId = self.fresh(op);
        let (path, put, by) = (path.clone(), Arc::clone(put), op.actor.id());
        let keyring = Arc::clone(self.keyring());
        self.change(op, Action::CreateSecret, &resource, &[], move |tx, record| {
            let (path, put, by, keyring) = (path.clone(), Arc::clone(&put), by.clone(), Arc::clone(&keyring));
            Box::pin(async move {
                let place = keywarden_store::keys::place(tx, environment).await?.ok_or(Refused::NotFound)?;
                if place.archived_at.is_some() {
                    return Err(PutError::Archived.into());
                }
                let folded = path.folded();
                if let Some(other) = rows::find_by_path(tx, environment, &folded).await? {
                    return Err(if other.path == path.as_str() {
                        Attempt::Anew
                    } else {
                        PutError::Twin.into()
                    });
                }
                if matches!(put.expected, Some(Expected::Number(1..) | Expected::Version(_))) {
                    return Err(PutError::Stale.into());
                }
                let row = Insert {
                    id,
                    project: place.project_id,
                    environment,
                    path: path.as_str(),
                    folded_path: &folded,
                    description: "",
                    tags: "[]",
                    created_at: record.now(),
                    created_by: &by,
                };
                rows::insert(tx, &row).await.map_err(|error| match error {
                    // Somebody was faster between the look and the row.
                    StoreError::Conflict(_) => Attempt::Anew,
                    other => other.into(),
                })?;
                let label = put.label.clone().unwrap_or_else(SecretLabel::current);
                let sealed = Sealed::of(tx, &record, &keyring, (place.project_id, id), &put.value).await?;
                let fresh = Fresh { number: 1, current: label == SecretLabel::current(), by: &by };
                sealed.write(tx, &record, &put.value, &fresh).await?;
                point(tx, id, &Labels::new(), &label, 1).await?;
                if !sealed.count(tx).await? {
                    return Err(Attempt::Anew);
                }
                let event = told(&record, Action::CreateSecret, id, &put, (sealed.version, 1))
                    .project(place.project_id)
                    .fact("environment", environment)
                    .text("path", &path)
                    .finish()?;
                let done = Put { id, version: sealed.version, number: 1 };
                Ok(Written::new(done, event).and_all(sealed.key_made))
            })
        })
        .await
    }

    async fn put_version(&self, op: &Op, resource: Resource, put: &Arc<PutSecret>) -> Result<Put, Attempt> {
        let (put, by, keyring) = (Arc::clone(put), op.actor.id(), Arc::clone(self.keyring()));
        self.change(op, Action::PutSecret, &resource, &[], move |tx, record| {
            let (put, by, keyring) = (Arc::clone(&put), by.clone(), Arc::clone(&keyring));
            Box::pin(async move {
                let Resource::Secret { id, project, .. } = resource else { return Err(Attempt::Anew) };
                // Before the row is taken: others wait for it.
                let sealed = Sealed::of(tx, &record, &keyring, (project, id), &put.value).await?;
                let it = match claim(tx, &resource).await {
                    Ok(it) => it,
                    // Purged between the look and the write: its path is free.
                    Err(Refused::NotFound) => return Err(Attempt::Anew),
                    Err(refused) => return Err(refused.into()),
                };
                let secret = &it.secret;
                if secret.archived {
                    return Err(PutError::Archived.into());
                }
                if secret.deletion.is_some() {
                    return Err(PutError::Deleted.into());
                }
                if !is_expected(tx, secret.id, &it.labels, put.expected).await? {
                    return Err(PutError::Stale.into());
                }
                let label = put.label.clone().unwrap_or_else(SecretLabel::current);
                if !it.labels.contains_key(&label) && it.labels.len() >= MOST_LABELS {
                    return Err(PutError::TooManyLabels.into());
                }
                let number = secret.last_version + 1;
                let fresh = Fresh { number, current: label == SecretLabel::current(), by: &by };
                sealed.write(tx, &record, &put.value, &fresh).await?;
                point(tx, id, &it.labels, &label, number).await?;
                if !sealed.count(tx).await? {
                    return Err(Attempt::Anew);
                }
                let event = told(&record, Action::PutSecret, id, &put, (sealed.version, number))
                    .project(secret.project)
                    .change(
                        "current",
                        current(&it.labels),
                        match label.as_str() {
                            SecretLabel::CURRENT => Some(number),
                            _ => current(&it.labels),
                        },
                    )
                    .finish()?;
                let done = Put { id, version: sealed.version, number };
                Ok(Written::new(done, event).and_all(sealed.key_made))
            })
        })
        .await
    }
}

/// Whether what is there is what was expected.
pub(super) async fn is_expected(
    tx: &mut Tx,
    secret: SecretId,
    labels: &Labels,
    expected: Option<Expected>,
) -> Result<bool, Refused> {
    let current = current(labels);
    Ok(match expected {
        None => true,
        Some(Expected::Nothing) => false,
        Some(Expected::Number(number)) => current.unwrap_or(0) == number,
        Some(Expected::Version(id)) => match current {
            Some(number) => rows::version(tx, secret, number).await?.is_some_and(|row| row.id == id),
            None => false,
        },
    })
}

/// What is told of a new version: everything but what it is.
fn told(
    record: &Record,
    action: Action,
    id: SecretId,
    put: &PutSecret,
    (version, number): (SecretVersionId, i64),
) -> crate::audit::Draft {
    record
        .event(action.name(), "secret", id)
        .fact("version", number)
        .fact("version_id", version)
        .fact("kind", put.value.kind())
        .fact("label", put.label.as_ref().map_or_else(|| Fact::word(SecretLabel::CURRENT), Into::into))
        .text("content_type", put.value.content_type())
}
