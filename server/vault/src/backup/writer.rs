//! Writing a backup.

use std::fmt;
use std::io::{self, Write};

use aes_gcm::aead::{KeyInit, Payload};
use rand::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::header::{Header, SALT};
use super::{CHUNK, Sealing};
use crate::envelope::KEY_LEN;
use crate::recovery::Recipient;
use crate::secret::SecretBytes;

/// Encrypts what is written to it. Without [`Writer::finish`] the file is no backup.
pub struct Writer<W> {
    out: W,
    sealing: Sealing,
    header: [u8; 32],
    /// Not sealed yet: whether it is the last chunk is not known before more comes, or the end.
    chunk: Zeroizing<Vec<u8>>,
    digest: Sha256,
    size: u64,
}

/// A finished backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Bytes of the whole file.
    pub size: u64,
    /// SHA-256 of the whole file.
    pub digest: [u8; 32],
}

impl<W: Write> Writer<W> {
    /// Begins a file: `descriptor` is readable by anybody, at most 64 KiB; between one and
    /// [`MAX_RECIPIENTS`](super::MAX_RECIPIENTS) recipients.
    pub fn new(
        mut out: W,
        descriptor: &[u8],
        recipients: &[Recipient],
        rng: &mut dyn CryptoRng,
    ) -> io::Result<Self> {
        let file_key = SecretBytes::random(KEY_LEN, rng);
        let mut salt = [0; SALT];
        rng.fill_bytes(&mut salt);
        let refused = || io::Error::other("a backup needs between one and sixteen sound recipients");
        let (begin, header) =
            Header::write(descriptor, recipients, &file_key, salt, rng).ok_or_else(refused)?;
        let cipher = aes_gcm::Aes256Gcm::new_from_slice(file_key.expose()).map_err(|_| refused())?;
        out.write_all(&begin)?;
        let mut digest = Sha256::new();
        digest.update(&begin);
        Ok(Self {
            out,
            sealing: Sealing::from_aead(cipher, &salt.into()),
            header,
            chunk: Zeroizing::new(Vec::with_capacity(CHUNK)),
            digest,
            size: begin.len() as u64,
        })
    }

    /// Writes the last chunk; gives the output back, and what was written.
    pub fn finish(mut self) -> io::Result<(W, Summary)> {
        let payload = Payload { msg: &self.chunk, aad: &self.header };
        let sealed = self.sealing.encrypt_last(payload).map_err(|_| too_long())?;
        self.out.write_all(&sealed)?;
        self.digest.update(&sealed);
        let size = self.size.saturating_add(sealed.len() as u64);
        Ok((self.out, Summary { size, digest: self.digest.finalize().into() }))
    }

    fn seal_full(&mut self) -> io::Result<()> {
        let payload = Payload { msg: &self.chunk, aad: &self.header };
        let sealed = self.sealing.encrypt_next(payload).map_err(|_| too_long())?;
        self.out.write_all(&sealed)?;
        self.digest.update(&sealed);
        self.size = self.size.saturating_add(sealed.len() as u64);
        self.chunk.clear();
        Ok(())
    }
}

fn too_long() -> io::Error {
    io::Error::other("a backup holds at most 256 TiB")
}

impl<W: Write> Write for Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.chunk.len() == CHUNK && !bytes.is_empty() {
            self.seal_full()?;
        }
        let (taken, _) = bytes.split_at(bytes.len().min(CHUNK.saturating_sub(self.chunk.len())));
        self.chunk.extend_from_slice(taken);
        Ok(taken.len())
    }

    /// Chunks are whole: there is nothing to push out early.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W> fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("size", &self.size).finish_non_exhaustive()
    }
}
