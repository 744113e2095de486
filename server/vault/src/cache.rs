//! Last-known-good values of a client, in a file sealed under a key of its own: AES-256-GCM as everywhere
//! ([`crate::envelope`]), in base64.
//!
//! The key lies in a file beside no backup of the values: whoever has one of the two has nothing. It seals once for each time
//! that a client reads, which nobody counts.
//!
//! Clients of two neighbouring versions share such files, where one is rolled back or a machine has both, and the older one is
//! to start its program with them when the server is away. So files are written as the older one reads them
//! ([`DerivingKey::as_older_programs`]), and read as a newer one writes them, too: each under a key derived for it. The next
//! version derives, as its neighbour, this one, reads that.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::CryptoRng;

use crate::deriving::DerivingKey;
use crate::envelope::{KEY_LEN, OpenError};
use crate::recovery::{KeptError, keep, line_of};
use crate::seal::file::{read_private, replace_beside};
use crate::secret::{SecretBytes, SecretString};

const PURPOSE: &str = "client-cache";
/// Envelopes name their key: this is all there is to say of one that lies in a file.
const KEY_ID: &str = "cache-key";
/// What a key's file says to people.
const NOTE: &str =
    "Keywarden cache key: opens the values that `keywarden run --cache` keeps. Keep it apart from them.";
/// More than the values of any environment.
const MAX_FILE: u64 = 256 * 1024 * 1024;

/// Why kept values are of no use.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// It was changed, or sealed under another key, or for something else; which, cannot be known.
    #[error("it was changed, or belongs to another server, project, environment, choice of secrets or key")]
    Foreign,
    /// The disk.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Written by a newer version.
    #[error(transparent)]
    Newer(OpenError),
}

/// A key's file that holds none.
#[derive(Debug, thiserror::Error)]
#[error("`{}` holds no cache key: {cause}; make one with `keywarden cache-key`", path.display())]
pub struct CacheKeyError {
    path: PathBuf,
    cause: io::Error,
}

/// The key of a client's cache.
pub struct CacheKey(DerivingKey);

impl CacheKey {
    /// Writes a fresh key to a new file that only its owner may read.
    pub fn create(path: &Path, rng: &mut dyn CryptoRng) -> Result<(), KeptError> {
        let key = SecretBytes::random(KEY_LEN, rng);
        keep(path, NOTE, &SecretString::new(STANDARD.encode(key.expose())))
    }

    /// Reads a key from its file, which nobody but its owner may read.
    pub fn load(path: &Path) -> Result<Self, CacheKeyError> {
        let refuse = |cause| CacheKeyError { path: path.to_owned(), cause };
        let text = line_of(path).map_err(refuse)?;
        let key = STANDARD.decode(text.expose()).map(SecretBytes::new);
        let key = key.map_err(|_| refuse(io::Error::other("not base64")))?;
        DerivingKey::new(key)
            .map(|key| Self(key.as_older_programs()))
            .map_err(|error| refuse(io::Error::other(error)))
    }

    /// Seals `plaintext` for `context` into a file (mode 0600), which takes another one's place as a whole.
    pub fn write(
        &self,
        path: &Path,
        context: &[u8],
        plaintext: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<(), CacheError> {
        let sealed = self.0.seal(KEY_ID, PURPOSE, context, plaintext, rng).map_err(io::Error::other)?;
        Ok(replace_beside(path, &(STANDARD.encode(sealed) + "\n"))?)
    }

    /// Opens what was sealed for the same `context` under this key.
    pub fn read(&self, path: &Path, context: &[u8]) -> Result<SecretBytes, CacheError> {
        let text = read_private(path, MAX_FILE)?;
        let sealed = STANDARD.decode(text.expose().trim_ascii()).map_err(|_| CacheError::Foreign)?;
        self.0.open(PURPOSE, context, &sealed).map_err(|error| match error {
            OpenError::UnknownAlgorithm(_) | OpenError::UnknownVersion(_) => CacheError::Newer(error),
            _ => CacheError::Foreign,
        })
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheKey")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;
    use crate::envelope::EnvelopeKey;

    struct Desk {
        folder: tempfile::TempDir,
        rng: ChaCha20Rng,
    }

    impl Desk {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().unwrap(), rng: ChaCha20Rng::seed_from_u64(1) }
        }

        fn at(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn key(&mut self, name: &str) -> CacheKey {
            CacheKey::create(&self.at(name), &mut self.rng).unwrap();
            CacheKey::load(&self.at(name)).unwrap()
        }
    }

    #[test]
    fn what_is_kept_opens_under_its_key_and_for_what_it_was_kept() {
        let mut desk = Desk::new();
        let (key, other) = (desk.key("key"), desk.key("other"));
        let file = desk.at("cache");
        key.write(&file, b"pay/live", b"one", &mut desk.rng).unwrap();
        key.write(&file, b"pay/live", b"two", &mut desk.rng).unwrap();
        assert_eq!(key.read(&file, b"pay/live").unwrap().expose(), b"two");
        assert!(matches!(key.read(&file, b"pay/test"), Err(CacheError::Foreign)));
        assert!(matches!(other.read(&file, b"pay/live"), Err(CacheError::Foreign)));
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(desk.folder.path()).unwrap().count(), 3, "no draft stays behind");
    }

    #[test]
    fn a_file_is_written_as_an_older_client_reads_it_and_what_a_newer_one_writes_is_read() {
        let mut desk = Desk::new();
        let (key, file) = (desk.key("key"), desk.at("cache"));
        key.write(&file, b"pay/live", b"hunter2", &mut desk.rng).unwrap();
        // The older client: the key itself opens, and of keys that are derived it knows nothing.
        let secret =
            || SecretBytes::new(STANDARD.decode(line_of(&desk.at("key")).unwrap().expose()).unwrap());
        let sealed = STANDARD.decode(std::fs::read(&file).unwrap().trim_ascii()).unwrap();
        let older = EnvelopeKey::new(&secret()).unwrap();
        assert_eq!(older.open(PURPOSE, b"pay/live", &sealed).unwrap().expose(), b"hunter2");

        let newer = CacheKey(DerivingKey::new(secret()).unwrap());
        newer.write(&file, b"pay/live", b"hunter3", &mut desk.rng).unwrap();
        let sealed = STANDARD.decode(std::fs::read(&file).unwrap().trim_ascii()).unwrap();
        assert!(older.open(PURPOSE, b"pay/live", &sealed).is_err());
        assert_eq!(key.read(&file, b"pay/live").unwrap().expose(), b"hunter3");
    }

    #[test]
    fn a_file_that_was_changed_anywhere_or_is_open_to_others_is_refused() {
        let mut desk = Desk::new();
        let key = desk.key("key");
        let file = desk.at("cache");
        key.write(&file, b"pay/live", b"hunter2", &mut desk.rng).unwrap();
        let sealed = STANDARD.decode(std::fs::read(&file).unwrap().trim_ascii()).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            std::fs::write(&file, STANDARD.encode(&changed)).unwrap();
            assert!(key.read(&file, b"pay/live").is_err(), "byte {at}");
            std::fs::write(&file, STANDARD.encode(&sealed[..at])).unwrap();
            assert!(matches!(key.read(&file, b"pay/live"), Err(CacheError::Foreign | CacheError::Newer(_))));
        }
        std::fs::write(&file, STANDARD.encode(&sealed)).unwrap();
        assert_eq!(key.read(&file, b"pay/live").unwrap().expose(), b"hunter2");
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
        assert!(key.read(&file, b"pay/live").unwrap_err().to_string().contains("0600"));
    }

    #[test]
    fn a_file_that_holds_no_key_is_named_and_no_key_is_overwritten() {
        let mut desk = Desk::new();
        let path = desk.at("key");
        assert!(CacheKey::load(&path).unwrap_err().to_string().contains("keywarden cache-key"));
        for text in ["", "short", "AAAA", "!"] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
            assert!(CacheKey::load(&path).is_err(), "{text}");
        }
        assert!(CacheKey::create(&path, &mut desk.rng).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"!");
    }
}
