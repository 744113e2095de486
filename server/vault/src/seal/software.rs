//! A seal whose keys are 32 bytes each in a file: for machines without an HSM and without SoftHSM2.
//!
//! ```text
//! base64 of the first key
//! 2:base64 of the second          one line for each that is not destroyed
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::CryptoRng;

use super::file::{create_private, read_private, replace};
use super::{
    KeyNumber, Protection, Seal, SealDescription, SealError, SealKind, associated_data, pack, unpack,
};
use crate::envelope::{EnvelopeKey, KEY_LEN, NONCE_LEN};
use crate::secret::{SecretBytes, SecretString};

/// More than a line holds: a number, base64 of 32 bytes and an end of line.
const MAX_LINE: u64 = 64;
/// The most keys in a file: old ones are to be destroyed.
const MOST_KEYS: usize = 8;

/// A key file, read anew for each call: its keys are not kept in memory, and a file taken away is noticed.
#[derive(Debug)]
pub struct SoftwareSeal {
    keys: Source,
    description: SealDescription,
}

#[derive(Debug)]
enum Source {
    File(PathBuf),
    /// The text of a file that only somebody else can read.
    Given(SecretString),
}

impl SoftwareSeal {
    /// The file need not exist yet. `label` is its name for people and part of the seal's id.
    pub fn at(path: impl Into<PathBuf>, label: &str) -> Self {
        Self::of(Source::File(path.into()), label)
    }

    /// The seal of a file that was read elsewhere, for as long as this lives: see [`SoftwareSeal::text`]. No key is made in it
    /// and none destroyed.
    pub fn given(text: SecretString, label: &str) -> Self {
        Self::of(Source::Given(text), label)
    }

    fn of(keys: Source, label: &str) -> Self {
        let description = SealDescription::new(SealKind::Software, label, Protection::Software);
        Self { keys, description }
    }

    /// Makes the file (mode 0600) unless there is one.
    pub fn create_key(&self, rng: &mut dyn CryptoRng) -> Result<(), SealError> {
        let key = SecretBytes::random(KEY_LEN, rng);
        let text = SecretString::new(STANDARD.encode(key.expose()) + "\n");
        create_private(self.path()?, text.expose()).map_err(|error| self.broken(error.to_string()))
    }

    /// The whole file, if it is a key file: for whoever may read it in the place of a server that cannot.
    pub fn text(&self) -> Result<SecretString, SealError> {
        self.read()?;
        self.load()
    }

    fn load(&self) -> Result<SecretString, SealError> {
        match &self.keys {
            Source::File(path) => read_private(path, MAX_LINE.saturating_mul(MOST_KEYS as u64))
                .map_err(|error| self.broken(error.to_string())),
            Source::Given(text) => Ok(SecretString::new(text.expose().to_owned())),
        }
    }

    fn read(&self) -> Result<BTreeMap<KeyNumber, SecretBytes>, SealError> {
        let text = self.load()?;
        let mut keys = BTreeMap::new();
        for line in text.expose().lines() {
            let (number, key) = match line.split_once(':') {
                Some((number, key)) => (number.parse().ok().filter(|number| *number > 1), key),
                None => (Some(1), line),
            };
            let number = number.ok_or_else(|| self.broken("not a key file".to_owned()))?;
            let key = STANDARD
                .decode(key.trim_ascii())
                .map(SecretBytes::new)
                .map_err(|_| self.broken("not base64".to_owned()))?;
            if key.expose().len() != KEY_LEN {
                return Err(self.broken(format!("does not hold {KEY_LEN} bytes")));
            }
            if keys.insert(number, key).is_some() {
                return Err(self.broken(format!("holds key {number} twice")));
            }
        }
        if keys.is_empty() { Err(self.broken("is empty".to_owned())) } else { Ok(keys) }
    }

    fn write(&self, keys: &BTreeMap<KeyNumber, SecretBytes>) -> Result<(), SealError> {
        let mut text =
            String::with_capacity(keys.len().saturating_mul(usize::try_from(MAX_LINE).unwrap_or_default()));
        for (number, key) in keys {
            if *number > 1 {
                text.push_str(&number.to_string());
                text.push(':');
            }
            STANDARD.encode_string(key.expose(), &mut text);
            text.push('\n');
        }
        let text = SecretString::new(text);
        replace(self.path()?, text.expose()).map_err(|error| self.broken(error.to_string()))
    }

    fn cipher(&self, key: &SecretBytes) -> Result<EnvelopeKey, SealError> {
        EnvelopeKey::new(key).map_err(|error| self.broken(error.to_string()))
    }

    fn path(&self) -> Result<&Path, SealError> {
        match &self.keys {
            Source::File(path) => Ok(path),
            Source::Given(_) => Err(self.broken("was read elsewhere and cannot be changed here".to_owned())),
        }
    }

    fn broken(&self, cause: String) -> SealError {
        let path = match &self.keys {
            Source::File(path) => path.clone(),
            Source::Given(_) => PathBuf::from(&self.description.label),
        };
        SealError::KeyFile { path, cause }
    }
}

impl Seal for SoftwareSeal {
    fn describe(&self) -> &SealDescription {
        &self.description
    }

    fn wrap(&self, context: &[u8], key: &SecretBytes, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        rng.fill_bytes(&mut nonce);
        let keys = self.read()?;
        let (number, newest) = keys.last_key_value().ok_or_else(|| self.broken("is empty".to_owned()))?;
        let ciphertext = self
            .cipher(newest)?
            .encrypt(&nonce, &associated_data(*number, context), key.expose())
            .map_err(|error| self.broken(error.to_string()))?;
        Ok(pack(*number, &nonce, &ciphertext))
    }

    fn unwrap(&self, context: &[u8], wrapped: &[u8]) -> Result<SecretBytes, SealError> {
        let parts = unpack(wrapped)?;
        let keys = self.read()?;
        let gone = || SealError::KeyGone { seal: self.description.label.clone(), number: parts.number };
        let key = self.cipher(keys.get(&parts.number).ok_or_else(gone)?)?;
        let opened = key.decrypt(parts.nonce, &associated_data(parts.number, context), parts.ciphertext);
        opened.ok_or(SealError::AuthenticationFailed)
    }

    fn probe(&self) -> Result<(), SealError> {
        self.read().map(drop)
    }

    fn keys(&self) -> Result<Vec<KeyNumber>, SealError> {
        Ok(self.read()?.into_keys().collect())
    }

    fn add_key(&self, rng: &mut dyn CryptoRng) -> Result<KeyNumber, SealError> {
        let mut keys = self.read()?;
        if keys.len() >= MOST_KEYS {
            return Err(self.broken(format!("holds {MOST_KEYS} keys already: destroy old ones first")));
        }
        let number = keys.last_key_value().map_or(1, |(newest, _)| newest.saturating_add(1));
        keys.insert(number, SecretBytes::random(KEY_LEN, rng));
        self.write(&keys).map(|()| number)
    }

    fn destroy_key(&self, number: KeyNumber) -> Result<(), SealError> {
        let mut keys = self.read()?;
        if keys.last_key_value().is_some_and(|(newest, _)| *newest == number) {
            return Err(SealError::KeyInUse { seal: self.description.label.clone(), number });
        }
        if keys.remove(&number).is_some() { self.write(&keys) } else { Ok(()) }
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
    fn a_file_that_was_read_elsewhere_wraps_and_unwraps_and_is_not_changed() {
        let (_folder, seal, mut rng) = seal();
        seal.add_key(&mut rng).unwrap();
        let given = SoftwareSeal::given(seal.text().unwrap(), "seal.key");
        assert_eq!(given.describe(), seal.describe());
        let key = SecretBytes::new(vec![5; 32]);
        for (one, other) in [(&seal, &given), (&given, &seal)] {
            let wrapped = one.wrap(b"row", &key, &mut rng).unwrap();
            assert_eq!(other.unwrap(b"row", &wrapped).unwrap().expose(), [5; 32]);
        }
        assert!(given.create_key(&mut rng).is_err() && given.add_key(&mut rng).is_err());
        assert!(given.destroy_key(1).is_err());
        assert_eq!(seal.keys().unwrap(), given.keys().unwrap());
        assert!(!format!("{given:?}").contains(seal.text().unwrap().expose().lines().next().unwrap()));
        let none = SoftwareSeal::given(SecretString::new("no key".into()), "none");
        assert!(none.text().unwrap_err().to_string().contains("none"));
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

    #[test]
    fn a_later_key_wraps_and_an_earlier_one_unwraps_until_it_is_destroyed() {
        let (folder, seal, mut rng) = seal();
        let key = SecretBytes::new(vec![5; 32]);
        let first = seal.wrap(b"row", &key, &mut rng).unwrap();
        assert_eq!(seal.add_key(&mut rng).unwrap(), 2);
        let second = seal.wrap(b"row", &key, &mut rng).unwrap();
        assert_eq!((super::super::wrapped_by(&first), super::super::wrapped_by(&second)), (Some(1), Some(2)));
        for wrapped in [&first, &second] {
            assert_eq!(seal.unwrap(b"row", wrapped).unwrap().expose(), [5; 32]);
        }
        for at in 0..second.len() {
            let mut changed = second.clone();
            changed[at] ^= 1;
            assert!(seal.unwrap(b"row", &changed).unwrap_err().is_about_the_bytes(), "byte {at}");
        }
        let path = folder.path().join("seal.key");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        let in_use = SealError::KeyInUse { seal: "seal.key".into(), number: 2 };
        assert_eq!(seal.destroy_key(2), Err(in_use));
        seal.destroy_key(1).unwrap();
        seal.destroy_key(1).unwrap();
        assert_eq!(seal.keys().unwrap(), [2]);
        let gone = SealError::KeyGone { seal: "seal.key".into(), number: 1 };
        assert_eq!(seal.unwrap(b"row", &first).unwrap_err(), gone);
        assert_eq!(seal.unwrap(b"row", &second).unwrap().expose(), [5; 32]);
        assert_eq!(seal.add_key(&mut rng).unwrap(), 3);
    }
}
