//! Recovery keys and shares in files.

use std::io;
use std::path::{Path, PathBuf};

use super::{RecoveryKey, RecoveryTextError, Share, ShareError, Shares};
use crate::seal::file::{create_private, read_private};
use crate::secret::SecretString;

/// More than any of these files holds.
const MAX_FILE: u64 = 4_096;

/// Why a file was not written, or holds no key.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The disk.
    #[error("`{}`: {cause}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        cause: io::Error,
    },
    /// Several keys, or a key among shares.
    #[error("give one recovery key, or shares of one")]
    Mixed,
    /// The shares make no key.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// The text is no key.
    #[error("`{}`: {cause}", path.display())]
    Text {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        cause: RecoveryTextError,
    },
}

/// Writes a key's or share's text to a new file that only its owner may read, below a line for people.
pub fn keep(path: &Path, note: &str, text: &SecretString) -> Result<(), KeptError> {
    let failed = |cause| KeptError::File { path: path.to_owned(), cause };
    if path.symlink_metadata().is_ok() {
        return Err(failed(io::Error::other("is there already: give a new name")));
    }
    let content = SecretString::new(format!("# {note}\n{}\n", text.expose()));
    create_private(path, content.expose()).map_err(failed)?;
    // Whoever lost a race for the name must not believe that the key is kept.
    let kept = read_private(path, MAX_FILE).map_err(failed)?;
    let same = kept.expose() == content.expose();
    same.then_some(()).ok_or_else(|| failed(io::Error::other("something else was written there")))
}

/// Reads a recovery key from its file, or puts it together from the files of its shares.
pub fn load(paths: &[PathBuf]) -> Result<RecoveryKey, KeptError> {
    let mut keys = Vec::new();
    let mut shares = Vec::new();
    for path in paths {
        let text = line_of(path).map_err(|cause| KeptError::File { path: path.clone(), cause })?;
        if Share::is_meant_by(&text) {
            shares.push(Share::parse(&text).map_err(|error| match error {
                ShareError::Text(cause) => KeptError::Text { path: path.clone(), cause },
                other => other.into(),
            })?);
        } else {
            let key = RecoveryKey::parse(&text);
            keys.push(key.map_err(|cause| KeptError::Text { path: path.clone(), cause })?);
        }
    }
    match (keys.pop(), keys.is_empty(), shares.is_empty()) {
        (Some(key), true, true) => Ok(key),
        (None, _, false) => Ok(Shares::combine(&shares)?),
        _ => Err(KeptError::Mixed),
    }
}

/// The last line that is no remark.
pub(crate) fn line_of(path: &Path) -> io::Result<SecretString> {
    let whole = read_private(path, MAX_FILE)?;
    let line = whole.expose().lines().map(str::trim).rfind(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(SecretString::new(line.unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    #[test]
    fn a_key_and_its_shares_come_back_from_their_files_and_none_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let key = RecoveryKey::generate(&mut rng).unwrap();
        let at = |name: &str| folder.path().join(name);
        keep(&at("key"), "a key", &key.text()).unwrap();
        assert!(keep(&at("key"), "another", &key.text()).is_err());
        for (number, share) in Shares::of(&key, 2, 3, &mut rng).unwrap().iter().enumerate() {
            keep(&at(&format!("share-{number}")), "a share", &share.text()).unwrap();
        }
        let id = |paths: &[&str]| {
            let paths: Vec<_> = paths.iter().map(|name| at(name)).collect();
            load(&paths).map(|key| key.recipient().id())
        };
        assert_eq!(id(&["key"]).unwrap(), key.recipient().id());
        assert_eq!(id(&["share-2", "share-0"]).unwrap(), key.recipient().id());
        assert!(matches!(id(&["share-2"]), Err(KeptError::Share(ShareError::TooFew { .. }))));
        assert!(matches!(id(&["key", "share-0"]), Err(KeptError::Mixed)));
        assert!(matches!(id(&["key", "key"]), Err(KeptError::Mixed)));
        assert!(matches!(id(&[]), Err(KeptError::Mixed)));
        std::fs::write(at("empty"), "# nothing\n").unwrap();
        assert!(id(&["empty"]).is_err());
    }
}
