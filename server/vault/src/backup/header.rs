//! What stands before the chunks.

use std::io::{ErrorKind, Read};

use keywarden_model::RecipientId;
use sha2::{Digest, Sha256};

use super::{BackupError, PURPOSE};
use crate::envelope::KEY_LEN;
use crate::recovery::{Recipient, RecoveryKey};
use crate::secret::SecretBytes;

const MAGIC: &[u8; 17] = b"KEYWARDEN BACKUP\n";
const FORMAT: u16 = 1;
const MAX_DESCRIPTOR: u32 = 65_536;
const STANZA: usize = Recipient::sealed_len(KEY_LEN);
pub(super) const SALT: usize = 7;

/// A backup is encrypted to so many recipients at most.
pub const MAX_RECIPIENTS: usize = 16;

/// What anybody can see of a backup; nothing of it is proven until a recovery key has opened it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// What the file says of itself.
    pub descriptor: Vec<u8>,
    /// Whose recovery keys open it.
    pub recipients: Vec<RecipientId>,
    /// How long it is, in bytes.
    pub size: u64,
    /// SHA-256 of the whole file.
    pub digest: [u8; 32],
}

/// Looks at a backup without a key: its beginning, its length, its digest.
pub fn glance(file: impl Read) -> Result<Glance, BackupError> {
    let mut counted = Digesting { inner: file, digest: Sha256::new(), size: 0 };
    let header = Header::read(&mut counted)?;
    let after = counted.size;
    std::io::copy(&mut counted, &mut std::io::sink())?;
    if counted.size.saturating_sub(after) < crate::envelope::TAG_LEN as u64 {
        return Err(BackupError::Malformed("its end is missing"));
    }
    Ok(Glance {
        recipients: header.stanzas.iter().map(|(id, _)| *id).collect(),
        descriptor: header.descriptor,
        size: counted.size,
        digest: counted.digest.finalize().into(),
    })
}

struct Digesting<R> {
    inner: R,
    digest: Sha256,
    size: u64,
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(into)?;
        self.digest.update(into.get(..read).unwrap_or_default());
        self.size = self.size.saturating_add(read as u64);
        Ok(read)
    }
}

pub(super) struct Header {
    pub(super) descriptor: Vec<u8>,
    stanzas: Vec<(RecipientId, Vec<u8>)>,
    pub(super) salt: [u8; SALT],
    /// Of all of it, as it stands in the file.
    pub(super) digest: [u8; 32],
}

impl Header {
    /// The bytes for a file, and their digest.
    pub(super) fn write(
        descriptor: &[u8],
        recipients: &[Recipient],
        file_key: &SecretBytes,
        salt: [u8; SALT],
        rng: &mut dyn rand::CryptoRng,
    ) -> Option<(Vec<u8>, [u8; 32])> {
        let length = u32::try_from(descriptor.len()).ok().filter(|length| *length <= MAX_DESCRIPTOR)?;
        let number = u16::try_from(recipients.len()).ok()?;
        if recipients.is_empty() || recipients.len() > MAX_RECIPIENTS {
            return None;
        }
        let begin = beginning(length, descriptor);
        let mut out = begin.clone();
        out.extend(number.to_be_bytes());
        for recipient in recipients {
            out.extend(recipient.id().to_bytes());
            out.extend(recipient.seal(PURPOSE, &begin, file_key, rng)?);
        }
        out.extend(salt);
        let digest = Sha256::digest(&out).into();
        Some((out, digest))
    }

    pub(super) fn read(file: &mut impl Read) -> Result<Self, BackupError> {
        let mut seen = Vec::new();
        if take::<17>(file, &mut seen).map_err(|error| match error {
            BackupError::Malformed(_) => BackupError::NotABackup,
            other => other,
        })? != *MAGIC
        {
            return Err(BackupError::NotABackup);
        }
        let format = u16::from_be_bytes(take(file, &mut seen)?);
        if format != FORMAT {
            return Err(BackupError::Newer(format));
        }
        let length = u32::from_be_bytes(take(file, &mut seen)?);
        if length > MAX_DESCRIPTOR {
            return Err(BackupError::Malformed("its description is too long"));
        }
        let descriptor = take_long(file, length as usize, &mut seen)?;
        let number = usize::from(u16::from_be_bytes(take(file, &mut seen)?));
        if !(1..=MAX_RECIPIENTS).contains(&number) {
            return Err(BackupError::Malformed("it has no recipient, or too many"));
        }
        let mut stanzas = Vec::with_capacity(number);
        for _ in 0..number {
            let id = RecipientId::from_bytes(take(file, &mut seen)?);
            stanzas.push((id, take_long(file, STANZA, &mut seen)?));
        }
        let salt = take(file, &mut seen)?;
        Ok(Self { descriptor, stanzas, salt, digest: Sha256::digest(&seen).into() })
    }

    /// The key of the chunks.
    pub(super) fn file_key(&self, key: &RecoveryKey) -> Result<SecretBytes, BackupError> {
        let given = key.recipient().id();
        let Some((_, sealed)) = self.stanzas.iter().find(|(id, _)| *id == given) else {
            let wanted = self.stanzas.iter().map(|(id, _)| *id).collect();
            return Err(BackupError::NotForKey { given, wanted });
        };
        let length = u32::try_from(self.descriptor.len()).unwrap_or(u32::MAX);
        let begin = beginning(length, &self.descriptor);
        key.open(PURPOSE, &begin, sealed).map_err(|_| BackupError::Changed)
    }
}

fn beginning(length: u32, descriptor: &[u8]) -> Vec<u8> {
    [&MAGIC[..], &FORMAT.to_be_bytes(), &length.to_be_bytes(), descriptor].concat()
}

fn take<const N: usize>(file: &mut impl Read, seen: &mut Vec<u8>) -> Result<[u8; N], BackupError> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes).map_err(short)?;
    seen.extend(bytes);
    Ok(bytes)
}

fn take_long(file: &mut impl Read, length: usize, seen: &mut Vec<u8>) -> Result<Vec<u8>, BackupError> {
    let mut bytes = vec![0; length];
    file.read_exact(&mut bytes).map_err(short)?;
    seen.extend(&bytes);
    Ok(bytes)
}

fn short(error: std::io::Error) -> BackupError {
    if error.kind() == ErrorKind::UnexpectedEof {
        BackupError::Malformed("its beginning is cut off")
    } else {
        BackupError::Io(error)
    }
}
