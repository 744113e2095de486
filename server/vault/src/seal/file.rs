//! Small private files, written durably and as a whole.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;
use zeroize::Zeroizing;

use crate::secret::SecretString;

/// Writes a new file that only its owner may read; one that exists is left as it is.
pub(crate) fn create_private(path: &Path, text: &str) -> io::Result<()> {
    // Under another name first: a crash never leaves half a file under the right one.
    let (draft, _) = write_draft(path, text.as_bytes())?;
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(path),
    }
}

/// Puts a file that only its owner may read in the place of another, or where there is none.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    replace_bytes(path, text.as_bytes())
}

/// The same with any bytes.
pub(super) fn replace_bytes(path: &Path, text: &[u8]) -> io::Result<()> {
    let (draft, file) = write_draft(path, text)?;
    // Where there was none, the folder says whose it is.
    let owner = std::fs::symlink_metadata(path).or_else(|_| std::fs::metadata(folder(path)));
    let named = owner.and_then(|owner| give(&file, &owner)).and_then(|()| std::fs::rename(&draft, path));
    named.inspect_err(|_| {
        std::fs::remove_file(&draft).ok();
    })?;
    sync_folder(path)
}

/// A file that is there to be locked; made, for nobody but its owner, if it is not there.
pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    match create(path) {
        Ok(file) => give(&file, &std::fs::metadata(folder(path))?).map(|()| file),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            OpenOptions::new().write(true).open(path)
        }
        Err(error) => Err(error),
    }
}

/// As [`replace`], where other processes may do the same at this moment: each has a draft of its own, and the last one's
/// stays.
pub fn replace_beside(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_added_extension(format!("{}.new", std::process::id()));
    let mut file = create_anew(&draft)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.and_then(|()| std::fs::rename(&draft, path)).inspect_err(|_| {
        std::fs::remove_file(&draft).ok();
    })?;
    sync_folder(path)
}

fn write_draft(path: &Path, text: &[u8]) -> io::Result<(PathBuf, File)> {
    let draft = path.with_added_extension("new");
    let mut file = create_anew(&draft)?;
    let written = file.write_all(text).and_then(|()| file.sync_all());
    written.inspect_err(|_| {
        std::fs::remove_file(&draft).ok();
    })?;
    Ok((draft, file))
}

/// In the place of what a process left there that died; a link that somebody put there is not followed.
fn create_anew(draft: &Path) -> io::Result<File> {
    std::fs::remove_file(draft).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    create(draft)
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// What root makes beside a server that runs as another user (`sudo keywarden doctor`) is that user's. `file` was made just
/// now, so that it was nobody else's.
fn give(file: &File, owner: &Metadata) -> io::Result<()> {
    let is_roots = owner.uid() == 0 || !geteuid().is_root();
    if is_roots { Ok(()) } else { fchown(file, Some(owner.uid()), Some(owner.gid())) }
}

/// Puts the name of a file on the disk.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Puts on the disk whatever others wrote below a folder.
pub(super) fn sync_below(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_below(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    File::open(folder)?.sync_all()
}

/// Reads a secret of at most `limit` bytes from a file that nobody but its owner may read.
pub fn read_private(path: &Path, limit: u64) -> io::Result<SecretString> {
    if std::fs::metadata(path)?.mode() & 0o077 != 0 {
        return Err(io::Error::other("readable by group or others: set its mode to 0600"));
    }
    read_secret(path, limit)
}

/// Reads a secret of at most `limit` bytes, whatever the file's mode: orchestrators mount secrets with their own.
pub(super) fn read_secret(path: &Path, limit: u64) -> io::Result<SecretString> {
    // Reserved in full, so that growing leaves no copy behind.
    let mut bytes =
        Zeroizing::new(Vec::with_capacity(usize::try_from(limit).unwrap_or_default().saturating_add(64)));
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("longer than {limit} bytes")));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| io::Error::other("not UTF-8"))?;
    Ok(SecretString::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_have_its_name_leaves_no_draft() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        std::fs::create_dir(&taken).unwrap();
        replace(&taken, "a key").unwrap_err();
        replace_beside(&taken, "a key").unwrap_err();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the folder alone");
    }
}
