//! Reading a value: a change to the record, whose event commits before the value leaves.

use std::sync::Arc;

use keywarden_model::{SecretId, SecretLabel, SecretPath, SecretVersionId, VersionState};
use keywarden_store::secrets as rows;
use keywarden_store::{Conn, EventRow, Tx, Written};
use keywarden_vault::{Keyring, ProjectKey, SealedValue, SecretBytes, SecretString, ValuePlace};

use super::secret::{Address, Secret, Version, find, labels};
use super::validity::Outside;
use crate::audit::{Draft, Record};
use crate::once::Repeatable;
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// Which version is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The one that a label points at.
    Label(SecretLabel),
    /// The one of this number.
    Number(i64),
}

/// `current`.
impl Default for Which {
    fn default() -> Self {
        Self::Label(SecretLabel::current())
    }
}

/// A value, with what belongs to it.
#[derive(Debug)]
pub struct Revealed {
    /// The secret.
    pub id: SecretId,
    /// Where it lives.
    pub path: SecretPath,
    /// The version.
    pub version: Version,
    /// Its value, byte for byte.
    pub value: SecretBytes,
}

/// A value is never kept for a replay.
impl Repeatable for Revealed {
    fn thing(&self) -> String {
        self.version.id.to_string()
    }
    fn again(_: &str, _: Option<SecretString>) -> Option<Self> {
        None
    }
}

/// Why no value was read.
#[derive(Debug, thiserror::Error)]
pub enum ReadSecretError {
    /// The environment asks why its values are read, and nothing was said.
    #[error("this environment asks why its values are read: give a reason of 3 to 200 characters")]
    NoReason,
    /// The version is read within its time only.
    #[error("version {number} {outside}")]
    Outside {
        /// The version.
        number: i64,
        /// Which side of its time this is.
        outside: Outside,
    },
    /// As everywhere. A deleted secret is not found, nor is a version that never was.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The version is not read: it is disabled, deleted or destroyed.
    #[error("version {number} is {state}: it cannot be read")]
    Shut {
        /// The version.
        number: i64,
        /// Its state.
        state: VersionState,
    },
}
carries_refused!(ReadSecretError);

impl Domain {
    /// Reads a value.
    pub async fn read_secret(
        &self,
        op: &Op,
        address: &Address,
        which: &Which,
    ) -> Result<Revealed, ReadSecretError> {
        let resource = self.secret_as_resource(address).await?;
        let (which, keyring) = (which.clone(), Arc::clone(self.keyring()));
        self.change(op, Action::ReadSecret, &resource, &[], move |tx, record| {
            let (which, keyring) = (which.clone(), Arc::clone(&keyring));
            Box::pin(async move {
                let (revealed, event) = opened(tx, &record, &keyring, &resource, &which).await?;
                Ok(Written::new(revealed, event))
            })
        })
        .await
    }

    /// The version whose value a read would give now, for callers who may have that value already: asked for like the
    /// value, but nothing is opened and nothing is told. `None`: a read would say why there is none.
    pub async fn secret_version_meant(
        &self,
        op: &Op,
        address: &Address,
        which: &Which,
    ) -> Result<Option<SecretVersionId>, Refused> {
        let resource = self.secret_as_resource(address).await?;
        let _permit = self.authorize(op, Action::ReadSecret, &resource).await?;
        let mut conn = self.store().read().await?;
        let (_, version) = meant(&mut conn, &resource, which).await?;
        Ok(version.is_read(op.now).then_some(version.id))
    }
}

/// The value of a version; `None` once it is destroyed. The caller tells of it in the same write.
pub(super) async fn open(
    tx: &mut Tx,
    keyring: &Keyring,
    secret: &Secret,
    version: &Version,
) -> Result<Option<SecretBytes>, Refused> {
    let Some(sealed) = rows::sealed(tx, version.id).await? else { return Ok(None) };
    let key = ProjectKey::open(keyring, sealed.project_key_id, secret.project, &sealed.project_key)
        .map_err(Fault::from)?;
    let place = ValuePlace { secret: secret.id, version: version.id };
    let sealed = SealedValue { wrapped_key: sealed.wrapped_key, ciphertext: sealed.ciphertext };
    Ok(Some(key.open_value(place, &sealed).map_err(Fault::from)?))
}

/// A value, and the event of its reading.
pub(super) async fn opened(
    tx: &mut Tx,
    record: &Record,
    keyring: &Keyring,
    permitted: &Resource,
    which: &Which,
) -> Result<(Revealed, EventRow), ReadSecretError> {
    let (secret, version) = meant(tx, permitted, which).await?;
    version.readable(record.now())?;
    let event = reading(record, &secret, &version)?;
    let value = open(tx, keyring, &secret, &version).await?;
    // Destroyed since the look above.
    let shut = ReadSecretError::Shut { number: version.number, state: VersionState::Destroyed };
    let value = value.ok_or(shut)?;
    let event = match which {
        Which::Label(label) => event.fact("label", label),
        Which::Number(_) => event,
    };
    Ok((Revealed { id: secret.id, path: secret.path, version, value }, event.finish()?))
}

/// Begins the event of a reading. Every one of them passes here, whoever reads: where the environment asks for a reason
/// there is none without.
pub(super) fn reading(record: &Record, secret: &Secret, version: &Version) -> Result<Draft, ReadSecretError> {
    let event = record
        .event(Action::ReadSecret.name(), "secret", secret.id)
        .project(secret.project)
        .fact("version", version.number)
        .fact("version_id", version.id);
    reasoned(record, secret, event)
}

/// The event with the reason that was given.
pub(super) fn reasoned(record: &Record, secret: &Secret, event: Draft) -> Result<Draft, ReadSecretError> {
    may_be_read(record, secret)?;
    Ok(match record.reason() {
        Some(reason) => event.text("reason", reason),
        None => event,
    })
}

/// Whether a reason was given, where the environment asks for one. No policy decides it, and none can waive it.
pub(super) fn may_be_read(record: &Record, secret: &Secret) -> Result<(), ReadSecretError> {
    if secret.reads_need_reason && record.reason().is_none() {
        return Err(ReadSecretError::NoReason);
    }
    Ok(())
}

/// The version of a secret that is where the permit was given for, and not deleted.
pub(super) async fn meant(
    conn: &mut Conn,
    permitted: &Resource,
    which: &Which,
) -> Result<(Secret, Version), Refused> {
    let Resource::Secret { id, .. } = *permitted else { return Err(Refused::NotFound) };
    let row = find(conn, &Address::Id(id)).await?.ok_or(Refused::NotFound)?;
    let secret = Secret::from_row(row)?;
    if secret.resource() != *permitted || secret.deletion.is_some() {
        return Err(Refused::NotFound);
    }
    let number = match which {
        Which::Number(number) => *number,
        Which::Label(label) => {
            let labels = labels(rows::labels(conn, id).await?)?;
            *labels.get(label).ok_or(Refused::NotFound)?
        }
    };
    let row = rows::version(conn, id, number).await?.ok_or(Refused::NotFound)?;
    Ok((secret, Version::from_row(row, false)?))
}
