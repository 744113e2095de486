//! The folder in which a file lies.

use std::{fs::File, io, path::Path};

/// Opens it.
pub(crate) fn open(file: &Path) -> io::Result<File> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))
}

/// Puts the names in it on the disk.
pub(crate) fn sync(file: &Path) -> io::Result<()> {
    open(file)?.sync_all()
}
