//! What lies on the disk of whoever keeps the records.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::house::told;

/// What lies in a folder, whole.
pub(super) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut folders, mut files) = (vec![folder.to_path_buf()], BTreeMap::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = fs::read(&path) {
                files.insert(path.display().to_string(), bytes);
            }
        }
    }
    files
}

/// Every row of a PostgreSQL database, as somebody who steals it reads it.
pub(super) fn rows(url: &str) -> Vec<u8> {
    let all = "SET xmlbinary = 'hex'; SELECT query_to_xml('SELECT * FROM ' || quote_ident(table_name), true, false, '')
               FROM information_schema.tables WHERE table_schema = 'public'";
    asked(url, all)
}

/// What `psql` printed.
fn asked(url: &str, sql: &str) -> Vec<u8> {
    let read = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", url, "--command", sql])
        .output()
        .unwrap();
    assert!(read.status.success(), "{}", told(&read));
    read.stdout
}

fn line(url: &str, sql: &str) -> String {
    String::from_utf8(asked(url, sql)).unwrap().trim().to_owned()
}

/// A cluster whose folder is on this machine.
pub(super) struct Cluster {
    url: String,
    folder: PathBuf,
}

/// Bytes of a segment of its log.
const SEGMENT: usize = 1 << 24;

impl Cluster {
    /// None, and a sentence that says so, where the cluster is elsewhere or only its own user may read its folder.
    pub(super) fn of(url: &str) -> Option<Self> {
        let folder = PathBuf::from(line(url, "SHOW data_directory"));
        if let Err(cause) = fs::read_dir(&folder) {
            println!("SKIPPED: the folder {} of PostgreSQL cannot be read here: {cause}", folder.display());
            return None;
        }
        Some(Self { url: url.to_owned(), folder })
    }

    /// The files of the database's tables.
    pub(super) fn tables(&self) -> Vec<u8> {
        asked(&self.url, "CHECKPOINT");
        let database = line(&self.url, "SELECT oid FROM pg_database WHERE datname = current_database()");
        files(&self.folder.join("base").join(database)).into_values().flatten().collect()
    }

    /// What its log tells of an act; and of what others did meanwhile.
    pub(super) fn log_of(&self, act: impl FnOnce()) -> Vec<u8> {
        let at = || line(&self.url, "SELECT pg_current_wal_lsn()");
        let began = at();
        act();
        let ended = at();
        let (first, offset) = self.place(&began, 0);
        let length: usize =
            line(&self.url, &format!("SELECT '{ended}'::pg_lsn - '{began}'::pg_lsn")).parse().unwrap();
        let segments = (offset + length).div_ceil(SEGMENT).max(1);
        let rest = (1..segments).map(|number| self.place(&began, number * SEGMENT).0);
        let told = [first]
            .into_iter()
            .chain(rest)
            .flat_map(|name| fs::read(self.folder.join("pg_wal").join(name)).unwrap());
        told.skip(offset).take(length).collect()
    }

    /// The segment, and the place in it, so many bytes behind a place of the log.
    fn place(&self, at: &str, behind: usize) -> (String, usize) {
        let found = line(
            &self.url,
            &format!(
                "SELECT file_name || ' ' || file_offset FROM pg_walfile_name_offset('{at}'::pg_lsn + {behind})"
            ),
        );
        let (name, offset) = found.split_once(' ').unwrap();
        (name.to_owned(), offset.parse().unwrap())
    }
}
