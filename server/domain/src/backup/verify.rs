//! Looking at a backup where no server is.

use std::collections::BTreeMap;
use std::io::{self, Read};

use keywarden_model::RecipientId;
use keywarden_vault::backup::{BackupError, Reader, glance};
use keywarden_vault::keyring::{RecoverError, opens};
use keywarden_vault::recovery::RecoveryKey;

use super::records::{self, Damage, Manifest, ReadError};
use super::restore::{RestoreError, begin};

/// What a backup is. Without a recovery key nothing of it is proven but its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Whose recovery keys open it.
    pub recipients: Vec<RecipientId>,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the file: the server's record of events has it too.
    pub digest: [u8; 32],
    /// With the recovery key: every chunk is authentic, every key of the keyring opens, and so many rows are there.
    pub rows: Option<BTreeMap<String, u64>>,
}

/// Why a backup is not good.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The file.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// It is authentic, and not what this version reads.
    #[error(transparent)]
    Damage(#[from] Damage),
    /// The keyring's keys.
    #[error(transparent)]
    Recover(#[from] RecoverError),
}

impl From<ReadError> for VerifyError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Damage(damage) => damage.into(),
            ReadError::Io(error) => BackupError::from_reading(error).into(),
        }
    }
}

/// Looks at the file, whole; with a key, into it. `open` opens it from its beginning.
pub fn verify<R: Read>(
    open: impl Fn() -> io::Result<R>,
    key: Option<&RecoveryKey>,
) -> Result<Verified, VerifyError> {
    let seen = glance(open().map_err(BackupError::Io)?)?;
    let manifest = Manifest::read(&seen.descriptor)?;
    let rows = match key {
        Some(key) => Some(look_into(open().map_err(BackupError::Io)?, key)?),
        None => None,
    };
    Ok(Verified { manifest, recipients: seen.recipients, size: seen.size, digest: seen.digest, rows })
}

fn look_into(file: impl Read, key: &RecoveryKey) -> Result<BTreeMap<String, u64>, VerifyError> {
    let mut reader = Reader::new(file, key)?;
    let (_, part) = begin(&mut reader).map_err(|error| match error {
        RestoreError::Backup(error) => VerifyError::Backup(error),
        RestoreError::Damage(damage) => VerifyError::Damage(damage),
        other => VerifyError::Backup(BackupError::Io(io::Error::other(other.to_string()))),
    })?;
    opens(&part.keys, &part.wraps, key)?;
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    let mut table = String::new();
    loop {
        match records::read(&mut reader)? {
            records::Record::Table { name, .. } => {
                counted.insert(name.clone(), 0);
                table = name;
            }
            records::Record::Rows(rows) => match counted.get_mut(&table) {
                Some(number) => *number = number.saturating_add(rows.len() as u64),
                None => return Err(Damage("rows belong to no table").into()),
            },
            records::Record::End(said) if said == counted => return Ok(said),
            records::Record::End(_) => return Err(Damage("it has other rows than it says").into()),
            records::Record::Keyring(_) => return Err(Damage("the keyring comes twice").into()),
        }
    }
}
