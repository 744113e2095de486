//! The data folder: ours alone (0700, whatever the umask), and one server's at a time.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    sys::stat::{Mode, umask},
};

const LOCK: &str = "keywarden.lock";

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataDirError {
    #[error("{path} is in use by {by}; stop it first, or choose another folder with KEYWARDEN_DATA_DIR")]
    Held { path: PathBuf, by: String },
    #[error("cannot use the data folder {path}: {cause}; choose another with KEYWARDEN_DATA_DIR")]
    Unusable { path: PathBuf, cause: io::Error },
}

/// Held while the server runs; the kernel lets go of it however the process ends.
#[derive(Debug)]
pub(crate) struct DataLock {
    _file: Flock<File>,
}

/// Whatever this process makes is its own user's alone.
pub(crate) fn keep_files_private() {
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
}

/// Makes the folder if there is none and takes other users' rights from it.
pub(crate) fn prepare(path: &Path) -> Result<(), DataDirError> {
    make(path).map_err(|cause| DataDirError::Unusable { path: path.into(), cause })
}

fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o700))?;
        tracing::warn!(path = %path.display(), "took other users' rights from the data folder");
    }
    Ok(())
}

/// Takes the lock, or says which process has it.
pub(crate) fn lock(path: &Path) -> Result<DataLock, DataDirError> {
    let unusable = |cause| DataDirError::Unusable { path: path.into(), cause };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(path.join(LOCK))
        .map_err(unusable)?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut file) => {
            sign(&mut file).map_err(unusable)?;
            Ok(DataLock { _file: file })
        }
        Err((file, Errno::EWOULDBLOCK)) => Err(DataDirError::Held { path: path.into(), by: holder(file) }),
        Err((_, cause)) => Err(unusable(cause.into())),
    }
}

fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "{}", std::process::id())
}

fn holder(mut file: File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text) {
        Ok(_) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => format!("process {text}"),
        _ => "another process".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_folder_and_its_lock_are_ours_alone() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("a/data");
        prepare(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        prepare(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        let _lock = lock(&path).unwrap();
        assert_eq!(mode(&path.join(LOCK)), 0o600);
    }

    #[test]
    fn a_second_server_is_told_who_has_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let held = lock(folder.path()).unwrap();
        let refused = lock(folder.path()).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(held);
        assert!(lock(folder.path()).is_ok());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let refused = prepare(Path::new("/proc/keywarden")).unwrap_err().to_string();
        assert!(refused.contains("/proc/keywarden") && refused.contains("KEYWARDEN_DATA_DIR"), "{refused}");
    }
}
