//! A file that has its name once it is whole, or never.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Written beside its place, under a name that says that it is not finished; gone unless it is published.
#[derive(Debug)]
pub(super) struct DraftFile {
    file: File,
    draft: PathBuf,
    path: PathBuf,
    published: bool,
}

impl DraftFile {
    /// Refuses where the name is taken, or another backup is being written there. What a killed one left is replaced.
    pub(super) fn begin(path: &Path) -> io::Result<Self> {
        if path.symlink_metadata().is_ok() {
            return Err(taken());
        }
        let draft = path.with_added_extension("partial");
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&draft)?;
        file.try_lock().map_err(|_| io::Error::other("another backup is being written there"))?;
        // From here on it is ours, and is taken away again.
        let begun = Self { file, draft, path: path.to_owned(), published: false };
        begun.file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        begun.file.set_len(0)?;
        Ok(begun)
    }

    /// Puts it on the disk.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Gives it its name, unless something else took it meanwhile.
    pub(super) fn publish(mut self) -> io::Result<()> {
        match std::fs::hard_link(&self.draft, &self.path) {
            Ok(()) => std::fs::remove_file(&self.draft)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(taken()),
            // File systems without links: nobody else writes backups there under this name.
            Err(_) if self.path.symlink_metadata().is_err() => std::fs::rename(&self.draft, &self.path)?,
            Err(error) => return Err(error),
        }
        self.published = true;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

fn taken() -> io::Error {
    io::Error::new(ErrorKind::AlreadyExists, "it is there already: give a new name")
}

impl Write for DraftFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for DraftFile {
    fn drop(&mut self) {
        if !self.published {
            drop(std::fs::remove_file(&self.draft)); // a rest is replaced by the next backup of this name
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_name_once_it_is_published_and_never_replaces_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.kwbackup");
        let there = || std::fs::read_dir(folder.path()).unwrap().count();
        let mut draft = DraftFile::begin(&path).unwrap();
        draft.write_all(b"half").unwrap();
        assert!(!path.exists());
        assert!(DraftFile::begin(&path).unwrap_err().to_string().contains("another backup"));
        drop(draft);
        assert_eq!(there(), 0, "a draft that is given up leaves nothing");

        std::fs::write(folder.path().join("a.kwbackup.partial"), b"what a killed server left, longer")
            .unwrap();
        let mut draft = DraftFile::begin(&path).unwrap();
        draft.write_all(b"whole").unwrap();
        draft.settle().unwrap();
        draft.publish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(there(), 1);

        assert_eq!(DraftFile::begin(&path).unwrap_err().kind(), ErrorKind::AlreadyExists);
        let other = folder.path().join("b.kwbackup");
        let draft = DraftFile::begin(&other).unwrap();
        std::fs::write(&other, b"somebody else's").unwrap();
        assert_eq!(draft.publish().unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&other).unwrap(), b"somebody else's");
    }
}
