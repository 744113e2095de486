//! Backup files: one stream, encrypted to recovery recipients, authenticated in chunks and as a whole.
//!
//! ```text
//! "KEYWARDEN BACKUP" 0x0a | format (2) 1
//! descriptor: length (4) | bytes           readable by anybody: what it is a backup of, and of when
//! recipients: number (2) | each: id (16) | file key sealed for it (1168)
//! salt (7)
//! chunks: AES-256-GCM of 65 536 bytes each, the last one of what is left
//! ```
//! The file key is 32 fresh random bytes, sealed for each [`Recipient`](crate::recovery::Recipient) with all that
//! stands before the recipients as its context. Chunks are sealed by STREAM (Hoang, Reyhanitabar, Rogaway and Vizár,
//! "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance") from the crate `aead-stream`: the nonce is
//! salt, number of the chunk, and whether it is the last. Each chunk also authenticates the SHA-256 of everything
//! before the chunks, so that neither the descriptor nor the list of recipients can be changed, and no chunk can be
//! moved, left out, repeated, cut off or brought from another file.
//!
//! What a [`Reader`] gives out has been authenticated; that the file ends where it should is known at its end only.

mod header;
mod reader;
mod writer;

use std::io;

use aes_gcm::Aes256Gcm;
use keywarden_model::RecipientId;

pub use header::{Glance, MAX_RECIPIENTS, glance};
pub use reader::Reader;
pub use writer::{Summary, Writer};

const CHUNK: usize = 65_536;
const PURPOSE: &str = "keywarden/backup/1";

type Sealing = aead_stream::EncryptorBE32<Aes256Gcm>;
type Opening = aead_stream::DecryptorBE32<Aes256Gcm>;

/// Why a file is no backup that can be read here.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Authentication failed.
    #[error("authentication failed: the file was changed, or its end is missing")]
    Changed,
    /// The disk, not the file.
    #[error("cannot read it: {0}")]
    Io(#[from] io::Error),
    /// The beginning makes no sense.
    #[error("the file is damaged: {0}")]
    Malformed(&'static str),
    /// Written by a newer version.
    #[error("format {0} is unknown: a newer version of Keywarden wrote it")]
    Newer(u16),
    /// It begins otherwise.
    #[error("not a backup of Keywarden")]
    NotABackup,
    /// The key opens other backups.
    #[error("`{given}` does not open it: it is for {}", listed(.wanted))]
    NotForKey {
        /// The recipient whose key was given.
        given: RecipientId,
        /// Its recipients.
        wanted: Vec<RecipientId>,
    },
}

impl BackupError {
    /// What a [`Reader`] said through [`io::Read`].
    pub fn from_reading(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Self::Changed,
            _ => Self::Io(error),
        }
    }
}

fn listed(ids: &[RecipientId]) -> String {
    let ids: Vec<_> = ids.iter().map(|id| format!("`{id}`")).collect();
    ids.join(", ")
}

#[cfg(test)]
mod tests;
