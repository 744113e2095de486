//! A seal whose key is 32 bytes in a file: for machines without an HSM and without SoftHSM2.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::CryptoRng;

use super::file::{create_private, read_private};
use super::{Protection, Seal, SealDescription, SealError, SealKind, associated_data, pack, unpack};
use crate::envelope::{EnvelopeKey, KEY_LEN, NONCE_LEN};
use crate::secret::{SecretBytes, SecretString};

/// More than a key file can hold: base64 of 32 bytes and an end of line.
const MAX_FILE: u64 = 64;

/// A key file, read anew for each call: the key is not kept in memory, and a file taken away is noticed.
#[derive(Debug)]
pub struct SoftwareSeal {
    path: PathBuf,
    description: SealDescription,
}

impl SoftwareSeal {
    /// The file need not exist yet. `label` is its name for people and part of the seal's id.
    pub fn at(path: impl Into<PathBuf>, label: &str) -> Self {
        let description = SealDescription::new(SealKind::Software, label, Protection::Software);
        Self { path: path.into(), description }
    }

    /// Makes the file (mode 0600) unless there is one.
    pub fn create_key(&self, rng: &mut dyn CryptoRng) -> Result<(), SealError> {
        let key = SecretBytes::random(KEY_LEN, rng);
        let text = SecretString::new(STANDARD.encode(key.expose()) + "\n");
        create_private(&self.path, text.expose()).map_err(|error| self.broken(error.to_string()))
    }

    fn key(&self) -> Result<EnvelopeKey, SealError> {
        let text = read_private(&self.path, MAX_FILE).map_err(|error| self.broken(error.to_string()))?;
        let key = STANDARD
            .decode(text.expose().trim_ascii())
            .map(SecretBytes::new)
            .map_err(|_| self.broken("not base64".to_owned()))?;
        EnvelopeKey::new(&key).map_err(|_| self.broken(format!("does not hold {KEY_LEN} bytes")))
    }

    fn broken(&self, cause: String) -> SealError {
        SealError::KeyFile { path: self.path.clone(), cause }
    }
}

impl Seal for SoftwareSeal {
    fn describe(&self) -> &SealDescription {
        &self.description
    }

    fn wrap(&self, context: &[u8], key: &SecretBytes, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        rng.fill_bytes(&mut nonce);
        let ciphertext = self
            .key()?
            .encrypt(&nonce, &associated_data(context), key.expose())
            .map_err(|error| self.broken(error.to_string()))?;
        Ok(pack(&nonce, &ciphertext))
    }

    fn unwrap(&self, context: &[u8], wrapped: &[u8]) -> Result<SecretBytes, SealError> {
        let (nonce, ciphertext) = unpack(wrapped)?;
        let opened = self.key()?.decrypt(nonce, &associated_data(context), ciphertext);
        opened.ok_or(SealError::AuthenticationFailed)
    }

    fn probe(&self) -> Result<(), SealError> {
        self.key().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    fn seal() -> (tempfile::TempDir, SoftwareSeal, ChaCha20Rng) {
        let folder = tempfile::tempdir().unwrap();
        let seal = SoftwareSeal::at(folder.path().join("seal.key"), "seal.key");
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        seal.create_key(&mut rng).unwrap();
        (folder, seal, rng)
    }

    #[test]
    fn a_wrapped_key_unwraps_in_its_own_context_only() {
        let (_folder, seal, mut rng) = seal();
        let wrapped = seal.wrap(b"row 1", &SecretBytes::new(vec![5; 32]), &mut rng).unwrap();
        assert_eq!(seal.unwrap(b"row 1", &wrapped).unwrap().expose(), [5; 32]);
        assert_eq!(seal.unwrap(b"row 2", &wrapped).unwrap_err(), SealError::AuthenticationFailed);
        for at in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[at] ^= 1;
            assert!(seal.unwrap(b"row 1", &changed).unwrap_err().is_about_the_bytes(), "byte {at}");
            assert!(seal.unwrap(b"row 1", &wrapped[..at]).is_err(), "cut to {at}");
        }
    }

    #[test]
    fn the_key_file_is_private_and_never_overwritten() {
        let (folder, seal, mut rng) = seal();
        let path = folder.path().join("seal.key");
        let before = std::fs::read(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        seal.create_key(&mut rng).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft stays behind");
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        let (folder, seal, _) = seal();
        seal.probe().unwrap();
        for mode in [0o640, 0o604, 0o620, 0o601] {
            let path = folder.path().join("seal.key");
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            assert!(seal.probe().unwrap_err().to_string().contains("0600"), "{mode:o}");
        }
    }

    #[test]
    fn a_missing_or_malformed_key_file_is_an_error_that_names_it() {
        let (folder, seal, _) = seal();
        let path = folder.path().join("seal.key");
        for text in ["", "short", "AAAA", "!", &"A".repeat(65)] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(seal.probe(), Err(SealError::KeyFile { .. })), "{text}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(seal.probe().unwrap_err().to_string().contains("seal.key"));
    }
}
