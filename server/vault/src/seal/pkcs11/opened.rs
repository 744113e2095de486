//! A token that is logged in, and what its keys are asked to do.

use cryptoki::error::Error;
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;

use super::keys::{Keys, keys_of, newest};
use super::target::Target;
use super::trouble::{Trouble, classify, trouble};
use crate::envelope::{NONCE_LEN, TAG_LEN};
use crate::seal::{KeyNumber, SealError};
use crate::secret::SecretBytes;

/// Encrypted when a key is first met and decrypted by each probe: knowing it again proves that the key works, and is the
/// same, and costs no nonce.
const KNOWN: &[u8] = b"keywarden probe";

/// [`KNOWN`] under a key.
pub(super) type Known = ([u8; NONCE_LEN], Vec<u8>);

/// A token that is logged in, with its keys.
#[derive(Debug)]
pub(super) struct Opened {
    label: String,
    pub(super) session: Session,
    pub(super) keys: Keys,
    /// Of the newest of these.
    pub(super) known: Known,
    /// The newest key that was met on this token, where it was not there any more when the token was opened.
    lost: Option<KeyNumber>,
}

impl Opened {
    /// Whoever opens it gives it something to know its newest key by.
    pub(super) fn new(token: &Target<'_>, session: Session, keys: Keys, lost: Option<KeyNumber>) -> Self {
        Self { label: token.label.to_owned(), session, keys, known: ([0; NONCE_LEN], Vec::new()), lost }
    }

    /// Whether its newest key was missing when it was opened.
    pub(super) fn lacks_newest(&self) -> bool {
        self.lost.is_some()
    }

    /// Whether the newest key that was met on it was there when it was opened. No older one stands in for it.
    pub(super) fn has_newest(&self) -> Result<(), Trouble> {
        match self.lost {
            // Its file may be put back, and a library that looked before does not always look again.
            Some(number) => Err(Trouble::Afresh(self.gone(number))),
            None => Ok(()),
        }
    }

    /// The key that encrypts now: another process may have made a newer one, and one that was there may be gone.
    pub(super) fn newest_now(&self, token: &Target<'_>) -> Result<(KeyNumber, ObjectHandle), Trouble> {
        self.has_newest()?;
        let now = newest(&keys_of(&self.session, token)?, token)?;
        match self.keys.last_key_value() {
            Some((number, _)) if *number > now.0 => Err(Trouble::Lost(self.gone(*number))),
            _ => Ok(now),
        }
    }

    pub(super) fn encrypt(
        &self,
        key: ObjectHandle,
        nonce: &mut [u8; NONCE_LEN],
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Error> {
        self.session.encrypt(&Mechanism::AesGcm(gcm(nonce, aad)?), key, plaintext)
    }

    pub(super) fn decrypt(
        &self,
        key: ObjectHandle,
        mut nonce: [u8; NONCE_LEN],
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<SecretBytes, Error> {
        let mechanism = Mechanism::AesGcm(gcm(&mut nonce, aad)?);
        self.session.decrypt(&mechanism, key, ciphertext).map(SecretBytes::new)
    }

    /// Gives it something to know this key by, which is the newest.
    pub(super) fn learn(&mut self, key: ObjectHandle, token: &Target<'_>) -> Result<(), Trouble> {
        let told = |error| trouble(token, &error);
        let mut nonce = [0; NONCE_LEN];
        self.session.generate_random_slice(&mut nonce).map_err(told)?;
        let ciphertext = self.encrypt(key, &mut nonce, KNOWN, KNOWN).map_err(told)?;
        self.known = (nonce, ciphertext);
        Ok(())
    }

    /// Whether a key encrypted this.
    pub(super) fn knows(&self, key: ObjectHandle, (nonce, ciphertext): &Known) -> bool {
        self.decrypt(key, *nonce, KNOWN, ciphertext).is_ok_and(|it| it.expose() == KNOWN)
    }

    /// Whether the newest of its keys still does what it did when the token was opened.
    pub(super) fn check(&self) -> Result<(), Trouble> {
        let (nonce, ciphertext) = &self.known;
        let Some((_, key)) = self.keys.last_key_value() else {
            return Err(Trouble::Lost(self.device("it holds no key of ours".to_owned())));
        };
        match self.decrypt(*key, *nonce, KNOWN, ciphertext) {
            Ok(plaintext) if plaintext.expose() == KNOWN => Ok(()),
            Ok(_) => Err(Trouble::Lost(self.device("it decrypts to other bytes".to_owned()))),
            Err(error) => Err(Trouble::Lost(self.device(error.to_string()))),
        }
    }

    pub(super) fn trouble(&self, error: &Error) -> Trouble {
        classify(error, self.device(error.to_string()))
    }

    /// What is said of a key that was there.
    pub(super) fn gone(&self, number: KeyNumber) -> SealError {
        SealError::KeyGone { seal: self.label.clone(), number }
    }

    fn device(&self, cause: String) -> SealError {
        SealError::Device { token: self.label.clone(), cause }
    }
}

fn gcm<'a>(nonce: &'a mut [u8; NONCE_LEN], aad: &'a [u8]) -> Result<GcmParams<'a>, Error> {
    GcmParams::new(nonce, aad, u64::try_from(TAG_LEN * 8)?.into())
}
