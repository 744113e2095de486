//! The secret half.

use std::fmt;

use hpke::{Deserializable, OpModeR, single_shot_open};
use rand::CryptoRng;

use super::recipient::ENCAPSULATED;
use super::{Aead, Kdf, Kem, Recipient, RecoveryTextError, read, write};
use crate::secret::{SecretBytes, SecretString};

const PREFIX: &str = "kwrs1_";
const WHAT: &str = "a recovery key: it begins with `kwrs1_`";

/// Length of the seed that both keys are derived from.
pub(super) const SEED: usize = 32;

/// It was sealed for another recipient, for another purpose or context, or was changed; which, cannot be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("authentication failed: sealed for another recipient, or changed")]
pub struct UnsealedError;

/// Opens what was sealed for its [`Recipient`]. It is to be kept where no server is.
pub struct RecoveryKey {
    seed: SecretBytes,
    private: <Kem as hpke::kem::Kem>::PrivateKey,
    recipient: Recipient,
}

impl RecoveryKey {
    /// A fresh one.
    pub fn generate(rng: &mut dyn CryptoRng) -> Option<Self> {
        Self::from_seed(SecretBytes::random(SEED, rng))
    }

    pub(super) fn from_seed(seed: SecretBytes) -> Option<Self> {
        let private = <Kem as hpke::kem::Kem>::PrivateKey::from_bytes(seed.expose()).ok()?;
        let recipient = Recipient::of_private(&private);
        Some(Self { seed, private, recipient })
    }

    /// Reads what [`RecoveryKey::text`] wrote.
    pub fn parse(text: &SecretString) -> Result<Self, RecoveryTextError> {
        let seed = read(PREFIX, WHAT, text.expose())?;
        Self::from_seed(seed).ok_or(RecoveryTextError::Kind(WHAT))
    }

    /// The key as it is kept.
    pub fn text(&self) -> SecretString {
        SecretString::new(write(PREFIX, self.seed.expose()))
    }

    /// The public half.
    pub fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    pub(super) fn seed(&self) -> &SecretBytes {
        &self.seed
    }

    /// Opens what [`Recipient::seal`] sealed for the same purpose and context.
    pub fn open(&self, purpose: &str, context: &[u8], sealed: &[u8]) -> Result<SecretBytes, UnsealedError> {
        let (encapsulated, ciphertext) = sealed.split_at_checked(ENCAPSULATED).ok_or(UnsealedError)?;
        let encapsulated = <Kem as hpke::kem::Kem>::EncappedKey::from_bytes(encapsulated);
        single_shot_open::<Aead, Kdf, Kem>(
            &OpModeR::Base,
            &self.private,
            &encapsulated.map_err(|_| UnsealedError)?,
            purpose.as_bytes(),
            ciphertext,
            context,
        )
        .map(SecretBytes::new)
        .map_err(|_| UnsealedError)
    }
}

impl fmt::Debug for RecoveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecoveryKey({})", self.recipient.id())
    }
}
