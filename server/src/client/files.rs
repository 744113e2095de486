//! Values that are no text, as files that never touch a disk.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use nix::sys::statfs::{TMPFS_MAGIC, statfs};

/// A folder in memory, only its user's, gone with its owner.
#[derive(Debug)]
pub(crate) struct Files {
    folder: PathBuf,
}

impl Files {
    /// Makes the folder.
    #[expect(
        clippy::disallowed_methods,
        reason = "the session says where its folder is; that is no setting of ours"
    )]
    pub(crate) fn new() -> io::Result<Self> {
        let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let shared = PathBuf::from("/dev/shm");
        let parent = own.into_iter().chain([shared]).find(|folder| is_in_memory(folder));
        let parent = parent.ok_or_else(|| {
            io::Error::other(
                "there is no folder in memory: mount a tmpfs on /dev/shm, or set XDG_RUNTIME_DIR to one",
            )
        })?;
        let folder = parent.join(format!("keywarden-{}-{:016x}", std::process::id(), rand::random::<u64>()));
        DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Self { folder })
    }

    /// Writes one.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
        let path = self.folder.join(name);
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?.write_all(bytes)?;
        Ok(path)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if let Err(cause) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!(%cause, folder = %self.folder.display(), "files with values are left in memory");
        }
    }
}

fn is_in_memory(folder: &Path) -> bool {
    statfs(folder).is_ok_and(|of| of.filesystem_type() == TMPFS_MAGIC)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn files_are_private_in_memory_and_gone_in_the_end() {
        let files = Files::new().unwrap();
        let path = files.put("KEYSTORE", &[0, 159, 146, 150]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), [0, 159, 146, 150]);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let folder = path.parent().unwrap().to_owned();
        assert!(is_in_memory(&folder));
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(files.put("KEYSTORE", &[1]).is_err(), "nothing is overwritten");
        drop(files);
        assert!(!folder.exists());
    }
}
