//! From a value to a row, under the project's key; the key is made with the project's first secret.

use keywarden_model::{KeyringKeyId, ProjectId, ProjectKeyId, SecretId, SecretVersionId};
use keywarden_store::secrets::{self as rows, VersionInsert, project_keys};
use keywarden_store::{EventRow, Tx, keyring as keyring_rows, project_seals};
use keywarden_vault::{Keyring, MAX_SEALS, ProjectKey, Purpose, SealedValue, ValuePlace};

use super::NewValue;
use super::put::PutError;
use super::template::reference_row;
use super::validity::Validity;
use crate::Fault;
use crate::audit::Record;
use crate::system::shared_key;

/// The key of a project, for as long as one write needs it.
pub(super) struct Wrapping {
    key: ProjectKey,
    /// The keyring's key of its values' fingerprints.
    prints: KeyringKeyId,
    /// The event of the key, if it had to be made.
    pub(super) made: Option<EventRow>,
}

impl Wrapping {
    /// Opens the project's key; makes it if there is none.
    pub(super) async fn of(
        tx: &mut Tx,
        record: &Record,
        keyring: &Keyring,
        project: ProjectId,
    ) -> Result<Self, PutError> {
        let (key, made) = project_key(tx, record, keyring, project).await?;
        let prints = shared_key(tx, keyring, Purpose::SecretFingerprint, record.now()).await?;
        Ok(Self { key, prints, made })
    }

    /// Counts the data keys that it wrapped. The last thing that a write does of its own: all of a project's puts meet
    /// in this row. False if the project's key was rotated meanwhile: the write begins anew, under the new one.
    pub(super) async fn count(&self, tx: &mut Tx, data_keys: usize) -> Result<bool, PutError> {
        // A key that was just made has counted its first.
        let more = data_keys.saturating_sub(usize::from(self.made.is_some()));
        let more = i64::try_from(more).unwrap_or(i64::MAX);
        let key = self.key.id();
        if more == 0 || project_keys::count_uses(tx, key, more, MAX_SEALS).await? {
            return Ok(true);
        }
        if project_keys::is_in_service(tx, key).await? { Err(PutError::KeyExhausted) } else { Ok(false) }
    }
}

/// A value that is sealed for a version of its own, and not written yet.
///
/// Every value has its fingerprint, also one that could be guessed: that a promotion or an import changes nothing, and where
/// environments of a project differ, is told by it. These tell it of the same path in one project, to whom may read or see both
/// secrets; of anything else such a value's fingerprint tells nothing ([`super::reuse`], [`super::held`]).
pub(super) struct Sealed {
    pub(super) version: SecretVersionId,
    pub(super) secret: SecretId,
    key: ProjectKeyId,
    value: SealedValue,
    fingerprint: (KeyringKeyId, [u8; 32]),
}

/// What only the taken row of its secret says of a version.
pub(super) struct Fresh<'a> {
    pub(super) number: i64,
    pub(super) current: bool,
    pub(super) by: &'a str,
    pub(super) validity: Validity,
}

impl Sealed {
    /// Seals the value under a data key of its own.
    pub(super) fn of(
        record: &Record,
        keyring: &Keyring,
        wrapping: &Wrapping,
        secret: SecretId,
        value: &NewValue,
    ) -> Result<Self, PutError> {
        let version = SecretVersionId::fresh(record.now(), u128::from_be_bytes(record.env().bytes()));
        let sealed = record
            .env()
            .with_rng(|rng| wrapping.key.seal_value(ValuePlace { secret, version }, value.bytes(), rng))
            .map_err(|cause| Fault::Unexpected(cause.to_string()))?;
        let prints = wrapping.prints;
        let tag = keyring.mac_under(Purpose::SecretFingerprint, prints, value.bytes().expose());
        let tag = tag.map_err(Fault::from)?.ok_or(Fault::KeyAway(prints))?;
        Ok(Self { version, secret, key: wrapping.key.id(), value: sealed, fingerprint: (prints, tag) })
    }

    /// Writes the version of a claimed secret.
    pub(super) async fn write(
        &self,
        tx: &mut Tx,
        record: &Record,
        value: &NewValue,
        fresh: &Fresh<'_>,
    ) -> Result<(), PutError> {
        let references = value.references().map(|all| all.iter().map(reference_row).collect::<Vec<_>>());
        let row = VersionInsert {
            id: self.version,
            secret: self.secret,
            number: fresh.number,
            kind: value.kind().as_str(),
            content_type: value.content_type().as_str(),
            size: i64::try_from(value.bytes().expose().len()).unwrap_or(i64::MAX),
            project_key: self.key,
            wrapped_key: &self.value.wrapped_key,
            ciphertext: &self.value.ciphertext,
            fingerprint_key: self.fingerprint.0,
            fingerprint: self.fingerprint.1,
            created_at: record.now(),
            created_by: fresh.by,
            promoted_at: fresh.current.then(|| record.now()),
            not_before: fresh.validity.not_before(),
            expires_at: fresh.validity.expires_at(),
            references: references.as_deref(),
        };
        Ok(rows::add_version(tx, &row).await?)
    }
}

/// The project's key, made if there is none.
async fn project_key(
    tx: &mut Tx,
    record: &Record,
    keyring: &Keyring,
    project: ProjectId,
) -> Result<(ProjectKey, Option<EventRow>), PutError> {
    if let Some(key) = in_service(tx, keyring, project).await? {
        return Ok((key, None));
    }
    // Whoever names a seal for the project holds the keyring, too: the look below is theirs before or after this.
    keyring_rows::hold(tx).await?;
    if project_seals::of_project(tx, project).await?.is_some() {
        // Its keys are made with its seal. One that was named since the look above brought a key.
        let key = in_service(tx, keyring, project).await?;
        let none = || Fault::Damaged("project_seals: a project that names a seal has no key".into());
        return Ok((key.ok_or_else(none)?, None));
    }
    let id: ProjectKeyId = record.env().id(record.now());
    let (key, sealed) =
        record.env().with_rng(|rng| ProjectKey::generate(keyring, id, project, rng)).map_err(Fault::from)?;
    let row = project_keys::Insert {
        id,
        project,
        sealed: &sealed,
        keyring_key: keyring_key_of(&sealed)?,
        seal: None,
        uses: 1,
        created_at: record.now(),
    };
    if project_keys::insert(tx, &row).await? {
        let event = record.event("project-key.generate", "project-key", id).project(project).finish()?;
        return Ok((key, Some(event)));
    }
    // Somebody made the project's first secret at the same moment: their key is the project's.
    let key = in_service(tx, keyring, project).await?;
    let key = key.ok_or_else(|| Fault::Unexpected("a project's key came and went".into()))?;
    Ok((key, None))
}

/// The keyring's key that a sealed project's key names.
pub(crate) fn keyring_key_of(sealed: &[u8]) -> Result<KeyringKeyId, Fault> {
    let named = keywarden_vault::envelope::key_id(sealed)?;
    named.parse().map_err(|_| Fault::Damaged("project_keys: it names no key of the keyring".into()))
}

async fn in_service(
    tx: &mut Tx,
    keyring: &Keyring,
    project: ProjectId,
) -> Result<Option<ProjectKey>, PutError> {
    let Some(row) = project_keys::in_service(tx, project).await? else { return Ok(None) };
    Ok(Some(ProjectKey::open(keyring, row.id, project, &row.sealed).map_err(Fault::from)?))
}
