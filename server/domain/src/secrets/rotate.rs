//! A new data key for what is read now: a version with the same value. The value is opened here and leaves for nobody.

use std::sync::Arc;

use keywarden_model::{SecretId, SecretLabel};
use keywarden_store::Written;
use keywarden_store::secrets as rows;
use keywarden_vault::{ProjectKey, SealedValue, ValuePlace};

use super::labels::point;
use super::put::{Put, PutError};
use super::seal::{Fresh, Sealed, Wrapping};
use super::secret::{Address, claim_seen, current};
use super::value::NewValue;
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused};

/// How often it begins anew because the project's key was rotated under it.
const TRIES: u32 = 4;

/// Why no data key was rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateDataKeyError {
    /// The project is archived.
    #[error("this project is archived: nothing new is made in it")]
    Archived,
    /// The secret is deleted.
    #[error("this secret is deleted: restore it first")]
    Deleted,
    /// The project's key wrapped as many data keys as it may.
    #[error("the project's key has wrapped as many data keys as it may: rotate the project's key")]
    KeyExhausted,
    /// There is no value to keep.
    #[error("this secret has no `current` version that can be read: put a value instead")]
    NoCurrent,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The project's key was rotated under it again and again.
    #[error("this secret was changed meanwhile: look at it again")]
    Stale,
}
carries_refused!(RotateDataKeyError);

/// What one attempt came to.
enum Attempt {
    Anew,
    Failed(RotateDataKeyError),
}

impl From<Refused> for Attempt {
    fn from(refused: Refused) -> Self {
        Self::Failed(refused.into())
    }
}
impl From<RotateDataKeyError> for Attempt {
    fn from(error: RotateDataKeyError) -> Self {
        Self::Failed(error)
    }
}
carries_refused!(Attempt);

impl From<PutError> for Attempt {
    fn from(error: PutError) -> Self {
        Self::Failed(match error {
            PutError::KeyExhausted => RotateDataKeyError::KeyExhausted,
            PutError::Refused(refused) => refused.into(),
            other => Refused::from(Fault::Unexpected(other.to_string())).into(),
        })
    }
}

impl Domain {
    /// Gives what `current` means a new data key: a new version has the same value, and `current` points at it. Versions
    /// before it keep theirs until they are destroyed.
    pub async fn rotate_data_key(&self, op: &Op, id: SecretId) -> Result<Put, RotateDataKeyError> {
        for _ in 0..TRIES {
            match self.rotate_data_key_once(op, id).await {
                Ok(done) => return Ok(done),
                Err(Attempt::Anew) => {}
                Err(Attempt::Failed(error)) => return Err(error),
            }
        }
        Err(RotateDataKeyError::Stale)
    }

    async fn rotate_data_key_once(&self, op: &Op, id: SecretId) -> Result<Put, Attempt> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        let (by, keyring) = (op.actor.id(), Arc::clone(self.keyring()));
        self.change(op, Action::RotateDataKey, &resource, &[], move |tx, record| {
            let (by, keyring) = (by.clone(), Arc::clone(&keyring));
            Box::pin(async move {
                let it = claim_seen(tx, &record, &resource).await?;
                let secret = &it.secret;
                if secret.archived {
                    return Err(RotateDataKeyError::Archived.into());
                }
                if secret.deletion.is_some() {
                    return Err(RotateDataKeyError::Deleted.into());
                }
                let before = current(&it.labels).ok_or(RotateDataKeyError::NoCurrent)?;
                let version = it.version(tx, before).await?;
                if !version.is_read(record.now()) {
                    return Err(RotateDataKeyError::NoCurrent.into());
                }
                let stored = rows::sealed(tx, version.id).await?.ok_or(RotateDataKeyError::NoCurrent)?;
                let key =
                    ProjectKey::open(&keyring, stored.project_key_id, secret.project, &stored.project_key)
                        .map_err(Fault::from)?;
                let place = ValuePlace { secret: id, version: version.id };
                let sealed = SealedValue { wrapped_key: stored.wrapped_key, ciphertext: stored.ciphertext };
                let value = key.open_value(place, &sealed).map_err(Fault::from)?;
                let value = NewValue::again(&version, value)?;

                let wrapping = Wrapping::of(tx, &record, &keyring, secret.project).await?;
                let sealed = Sealed::of(&record, &keyring, &wrapping, id, &value)?;
                let number = secret.last_version.saturating_add(1);
                let fresh = Fresh { number, current: true, by: &by, validity: version.validity };
                sealed.write(tx, &record, &value, &fresh).await?;
                point(tx, &record, id, &it.labels, &SecretLabel::current(), number).await?;
                if !wrapping.count(tx, 1).await? {
                    return Err(Attempt::Anew);
                }
                let event = record
                    .event(Action::RotateDataKey.name(), "secret", id)
                    .project(secret.project)
                    .fact("version", number)
                    .fact("version_id", sealed.version)
                    .change("current", before, number)
                    .with_reason()
                    .finish()?;
                let done = Put { id, version: sealed.version, number, same_as: None };
                Ok(Written::new(done, event).and_all(wrapping.made))
            })
        })
        .await
    }
}
