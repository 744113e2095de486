//! A seal whose one key is nowhere but in this process: for a keyring that must be gone when the process is.
//!
//! It is made for one use, a drill of a backup, and never configured: what it wrapped opens nowhere else.

use rand::CryptoRng;

use super::{
    KeyNumber, Protection, Seal, SealDescription, SealError, SealKind, associated_data, pack, unpack,
};
use crate::envelope::{EnvelopeKey, KEY_LEN, NONCE_LEN};
use crate::secret::SecretBytes;

/// The number of its key.
const ONLY: KeyNumber = 1;

/// A key in memory, wiped when dropped.
#[derive(Debug)]
pub struct MemorySeal {
    description: SealDescription,
    key: SecretBytes,
}

impl MemorySeal {
    /// One with a fresh key. `label` is its name for people and part of the seal's id.
    pub fn generate(label: &str, rng: &mut dyn CryptoRng) -> Self {
        let description = SealDescription::new(SealKind::Software, label, Protection::Software);
        Self { description, key: SecretBytes::random(KEY_LEN, rng) }
    }

    fn cipher(&self) -> Result<EnvelopeKey, SealError> {
        EnvelopeKey::new(&self.key).map_err(|error| self.refuses(error.to_string()))
    }

    fn refuses(&self, cause: String) -> SealError {
        SealError::Device { token: self.description.label.clone(), cause }
    }
}

impl Seal for MemorySeal {
    fn describe(&self) -> &SealDescription {
        &self.description
    }

    fn wrap(&self, context: &[u8], key: &SecretBytes, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        rng.fill_bytes(&mut nonce);
        let ciphertext = self
            .cipher()?
            .encrypt(&nonce, &associated_data(ONLY, context), key.expose())
            .map_err(|error| self.refuses(error.to_string()))?;
        Ok(pack(ONLY, &nonce, &ciphertext))
    }

    fn unwrap(&self, context: &[u8], wrapped: &[u8]) -> Result<SecretBytes, SealError> {
        let parts = unpack(wrapped)?;
        let opened =
            self.cipher()?.decrypt(parts.nonce, &associated_data(parts.number, context), parts.ciphertext);
        opened.ok_or(SealError::AuthenticationFailed)
    }

    fn probe(&self) -> Result<(), SealError> {
        Ok(())
    }

    fn keys(&self) -> Result<Vec<KeyNumber>, SealError> {
        Ok(vec![ONLY])
    }

    fn add_key(&self, _: &mut dyn CryptoRng) -> Result<KeyNumber, SealError> {
        Err(self.refuses("it has one key, for one use".into()))
    }

    fn destroy_key(&self, number: KeyNumber) -> Result<(), SealError> {
        if number == ONLY {
            return Err(SealError::KeyInUse { seal: self.description.label.clone(), number });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    #[test]
    fn what_it_wrapped_opens_by_it_in_its_context_and_by_no_other() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (seal, other) =
            (MemorySeal::generate("drill", &mut rng), MemorySeal::generate("drill", &mut rng));
        let wrapped = seal.wrap(b"row 1", &SecretBytes::new(vec![5; 32]), &mut rng).unwrap();
        assert_eq!(seal.unwrap(b"row 1", &wrapped).unwrap().expose(), [5; 32]);
        assert_eq!(seal.unwrap(b"row 2", &wrapped).unwrap_err(), SealError::AuthenticationFailed);
        assert_eq!(other.unwrap(b"row 1", &wrapped).unwrap_err(), SealError::AuthenticationFailed);
        assert!(seal.add_key(&mut rng).is_err() && seal.destroy_key(1).is_err());
        assert!(!format!("{seal:?}").contains("5, 5"), "its key shows");
    }
}
