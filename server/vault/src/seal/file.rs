//! Small private files, written durably and as a whole.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use zeroize::Zeroizing;

use crate::secret::SecretString;

/// Writes a new file that only its owner may read; one that exists is left as it is.
pub(crate) fn create_private(path: &Path, text: &str) -> io::Result<()> {
    // Under another name first: a crash never leaves half a file under the right one.
    let draft = write_draft(path, text)?;
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(path),
    }
}

/// Puts a file that only its owner may read in the place of another.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    std::fs::rename(write_draft(path, text)?, path)?;
    sync_folder(path)
}

/// As [`replace`], where other processes may do the same at this moment: each has a draft of its own, and the last one's
/// stays.
pub fn replace_beside(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_added_extension(format!("{}.new", std::process::id()));
    // Of a process that had this number before; a link that somebody put there is not followed.
    std::fs::remove_file(&draft).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.and_then(|()| std::fs::rename(&draft, path)).inspect_err(|_| {
        std::fs::remove_file(&draft).ok();
    })?;
    sync_folder(path)
}

fn write_draft(path: &Path, text: &str) -> io::Result<std::path::PathBuf> {
    let draft = path.with_added_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.set_permissions(Permissions::from_mode(0o600))?; // a draft left behind may have had another
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(draft)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
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
