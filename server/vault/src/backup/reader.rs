//! Reading a backup with a recovery key.

use std::fmt;
use std::io::{self, Read};

use aes_gcm::aead::{KeyInit, Payload};
use zeroize::Zeroizing;

use super::header::Header;
use super::{BackupError, CHUNK, Opening};
use crate::envelope::TAG_LEN;
use crate::recovery::RecoveryKey;

/// Decrypts a backup. Every byte it gives has been authenticated; its end is an error unless it is the file's own.
pub struct Reader<R> {
    file: R,
    header: Header,
    opening: Option<Opening>,
    /// The sealed chunk that comes next: only with a look behind it is known whether it is the last.
    next: Vec<u8>,
    open: Zeroizing<Vec<u8>>,
    at: usize,
}

impl<R: Read> Reader<R> {
    /// Opens the file.
    pub fn new(mut file: R, key: &RecoveryKey) -> Result<Self, BackupError> {
        let header = Header::read(&mut file)?;
        let file_key = header.file_key(key)?;
        let cipher =
            aes_gcm::Aes256Gcm::new_from_slice(file_key.expose()).map_err(|_| BackupError::Changed)?;
        let opening = Some(Opening::from_aead(cipher, &header.salt.into()));
        let next = sealed_chunk(&mut file)?;
        let mut reader = Self { file, header, opening, next, open: Zeroizing::new(Vec::new()), at: 0 };
        reader.advance()?; // so that a changed descriptor is refused before it is believed
        Ok(reader)
    }

    /// What the file says of itself; authenticated.
    pub fn descriptor(&self) -> &[u8] {
        &self.header.descriptor
    }

    fn advance(&mut self) -> Result<(), BackupError> {
        let Some(mut opening) = self.opening.take() else {
            self.open.clear();
            self.at = 0;
            return Ok(());
        };
        let behind = sealed_chunk(&mut self.file)?;
        let payload = Payload { msg: &self.next, aad: &self.header.digest };
        let opened = if behind.is_empty() {
            opening.decrypt_last(payload)
        } else {
            let opened = opening.decrypt_next(payload);
            self.opening = Some(opening);
            opened
        };
        self.open = Zeroizing::new(opened.map_err(|_| BackupError::Changed)?);
        (self.next, self.at) = (behind, 0);
        Ok(())
    }
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.open.len() {
            if self.opening.is_none() {
                return Ok(0);
            }
            self.advance().map_err(|error| match error {
                BackupError::Io(error) => error,
                other => io::Error::new(io::ErrorKind::InvalidData, other),
            })?;
        }
        let rest = self.open.get(self.at..).unwrap_or_default();
        let read = rest.len().min(into.len());
        into.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.at = self.at.saturating_add(read);
        Ok(read)
    }
}

/// A whole sealed chunk, the last and shorter one, or nothing at the end.
fn sealed_chunk(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut chunk = Vec::with_capacity(CHUNK + TAG_LEN);
    file.take((CHUNK + TAG_LEN) as u64).read_to_end(&mut chunk)?;
    Ok(chunk)
}

impl<R> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}
