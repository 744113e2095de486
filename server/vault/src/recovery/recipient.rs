//! The public half.

use std::fmt;
use std::str::FromStr;

use hpke::kem::Kem as _;
use hpke::{Deserializable, OpModeS, Serializable, single_shot_seal_with_rng};
use keywarden_model::RecipientId;
use rand::CryptoRng;
use sha2::{Digest, Sha256};

use super::{Aead, Kdf, Kem, RecoveryTextError, read, write};
use crate::envelope::TAG_LEN;
use crate::secret::SecretBytes;

const PREFIX: &str = "kwr1_";
const WHAT: &str = "a recovery recipient: it begins with `kwr1_`";

/// Length of what is encapsulated for a recipient.
pub(super) const ENCAPSULATED: usize = 1120;

/// What seals for a recovery key. It is no secret; whoever adds one to a server can read that server's later backups.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    id: RecipientId,
    public: <Kem as hpke::kem::Kem>::PublicKey,
}

impl Recipient {
    pub(super) fn new(public: <Kem as hpke::kem::Kem>::PublicKey) -> Self {
        Self { id: id(&public.to_bytes()), public }
    }

    pub(super) fn of_private(private: &<Kem as hpke::kem::Kem>::PrivateKey) -> Self {
        Self::new(Kem::sk_to_pk(private))
    }

    /// Its id: 128 bits of the public key's SHA-256, so that the same recipient has the same id everywhere.
    pub fn id(&self) -> RecipientId {
        self.id
    }

    /// Seals for the recovery key. `purpose` says what kind of thing is sealed, `context` which one; neither is stored,
    /// and both must be given again to open.
    pub fn seal(
        &self,
        purpose: &str,
        context: &[u8],
        plaintext: &SecretBytes,
        mut rng: &mut dyn CryptoRng,
    ) -> Option<Vec<u8>> {
        let (encapsulated, ciphertext) = single_shot_seal_with_rng::<Aead, Kdf, Kem>(
            &OpModeS::Base,
            &self.public,
            purpose.as_bytes(),
            plaintext.expose(),
            context,
            &mut rng,
        )
        .ok()?;
        Some([&encapsulated.to_bytes()[..], &ciphertext].concat())
    }

    /// How long [`Recipient::seal`] makes `plaintext` bytes.
    pub(crate) const fn sealed_len(plaintext: usize) -> usize {
        plaintext.saturating_add(ENCAPSULATED + TAG_LEN)
    }
}

fn id(public: &[u8]) -> RecipientId {
    let digest = Sha256::new().chain_update("keywarden/recipient/1").chain_update(public).finalize();
    let mut bits = [0; 16];
    bits.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    RecipientId::from_bytes(bits)
}

impl FromStr for Recipient {
    type Err = RecoveryTextError;
    fn from_str(text: &str) -> Result<Self, RecoveryTextError> {
        let bytes = read(PREFIX, WHAT, text)?;
        let public = <Kem as hpke::kem::Kem>::PublicKey::from_bytes(bytes.expose());
        public.map(Self::new).map_err(|_| RecoveryTextError::Kind(WHAT))
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&write(PREFIX, &self.public.to_bytes()))
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({})", self.id)
    }
}
