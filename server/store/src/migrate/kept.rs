//! The copy of an SQLite file before its schema changes. It has its name only once it is whole and on the disk.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqlitePool, sqlite::SqliteConnectOptions};

use super::{MigrateError, VERSION};
use crate::folder;

/// Copies the database at `path`, whose schema has this version, to beside it.
pub(super) async fn copy(pool: &SqlitePool, path: &Path, version: i64) -> Result<(), MigrateError> {
    let to = path.with_extension(format!("before-{VERSION}-was-{version}.db"));
    if is_whole(&to, version).await {
        return Ok(()); // an earlier start made it and failed afterwards; it is the older, better copy
    }
    let draft = to.with_extension("draft");
    let refused = |cause: String| MigrateError::Copy { path: to.clone(), cause };
    match fs::remove_file(&draft) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(refused(cause.to_string())),
        _ => {}
    }
    let text = draft.to_str().ok_or_else(|| refused("its path is not UTF-8".into()))?.replace('\'', "''");
    sqlx::raw_sql(AssertSqlSafe(format!("VACUUM INTO '{text}'")))
        .execute(pool)
        .await
        .map_err(|cause| refused(cause.to_string()))?;
    name(&draft, &to).map_err(|cause| refused(cause.to_string()))?;
    tracing::info!(path = %to.display(), "copied the database before its schema changes");
    Ok(())
}

/// VACUUM INTO leaves its file to the page cache.
fn name(draft: &Path, to: &Path) -> io::Result<()> {
    File::open(draft)?.sync_all()?;
    fs::rename(draft, to)?;
    folder::sync(to)
}

/// Whether a whole database of this version lies there: programs before this one wrote under the last name at once.
async fn is_whole(copy: &Path, version: i64) -> bool {
    if !copy.exists() {
        return false;
    }
    let options = SqliteConnectOptions::new().filename(copy).read_only(true);
    let Ok(mut conn) = options.connect().await else { return false };
    let checked: Result<(String,), _> = sqlx::query_as("PRAGMA quick_check(1)").fetch_one(&mut conn).await;
    let found: Result<(i64,), _> =
        sqlx::query_as("SELECT version FROM schema_info WHERE id = 1").fetch_one(&mut conn).await;
    conn.close().await.ok();
    checked.is_ok_and(|(said,)| said == "ok") && found.is_ok_and(|(found,)| found == version)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::{
        Location, Store,
        migrate::{OLDEST_COMPATIBLE, SETTLED, SQLITE, tests::before},
    };

    const WAS: i64 = VERSION - 1;

    /// A file as the version before this one left it.
    async fn old(folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let pool = SqlitePool::connect_with(options).await.unwrap();
        before(&SQLITE, VERSION).run(&pool).await.unwrap();
        let note = "INSERT INTO schema_info (id, version, oldest_compatible) VALUES (1, $1, 1)";
        sqlx::query(note).bind(WAS).execute(&pool).await.unwrap();
        pool.close().await;
        path
    }

    fn copy_of(path: &Path) -> PathBuf {
        path.with_extension(format!("before-{VERSION}-was-{WAS}.db"))
    }

    /// Opens the database, and says which version it and its copy have then.
    async fn versions(path: &Path) -> (i64, i64) {
        let store = Store::open(&Location::Sqlite(path.into())).await.unwrap();
        let opened = crate::instance::schema(&mut store.read().await.unwrap()).await.unwrap().version;
        let copy = SqliteConnectOptions::new().filename(copy_of(path)).read_only(true);
        let mut copy = copy.connect().await.unwrap();
        let (copied,): (i64,) =
            sqlx::query_as("SELECT version FROM schema_info").fetch_one(&mut copy).await.unwrap();
        let draft = copy_of(path).with_extension("draft");
        assert!(!draft.exists(), "the draft is left over");
        (opened, copied)
    }

    #[tokio::test]
    async fn a_file_of_an_older_version_leaves_a_copy_that_opens_and_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = old(folder.path(), "a.db").await;
        assert_eq!(versions(&path).await, (VERSION, WAS));
    }

    /// The oldest version that may work with the database, once it is open.
    async fn oldest(path: &Path) -> i64 {
        let store = Store::open(&Location::Sqlite(path.into())).await.unwrap();
        crate::instance::schema(&mut store.read().await.unwrap()).await.unwrap().oldest_compatible
    }

    #[tokio::test]
    async fn older_programs_may_go_back_to_what_they_left_and_not_to_what_was_never_theirs() {
        let folder = tempfile::tempdir().unwrap();
        let left = old(folder.path(), "a.db").await;
        assert_eq!(oldest(&left).await, OLDEST_COMPATIBLE);
        assert_eq!(oldest(&folder.path().join("fresh.db")).await, SETTLED);
        let settled = old(folder.path(), "b.db").await;
        let plain = SqliteConnectOptions::new().filename(&settled);
        let mut conn = plain.connect().await.unwrap();
        let settle = "UPDATE schema_info SET oldest_compatible = 32";
        sqlx::query(settle).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        assert_eq!(oldest(&settled).await, 32, "a newer schema takes nothing back");
    }

    #[tokio::test]
    async fn what_a_start_left_that_was_killed_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let path = old(folder.path(), "a.db").await;
        let whole = fs::read(&path).unwrap();
        let half = whole[..whole.len() / 2].to_vec();
        let draft = |path: &Path| copy_of(path).with_extension("draft");
        let left: [(&str, PathBuf, &[u8]); 5] = [
            ("garbage.db", draft(&folder.path().join("garbage.db")), b"garbage"),
            ("stale.db", draft(&folder.path().join("stale.db")), &whole),
            ("named.db", copy_of(&folder.path().join("named.db")), b"garbage"),
            ("empty.db", copy_of(&folder.path().join("empty.db")), b""),
            ("half.db", copy_of(&folder.path().join("half.db")), &half),
        ];
        for (name, there, bytes) in left {
            let path = old(folder.path(), name).await;
            fs::write(there, bytes).unwrap();
            assert_eq!(versions(&path).await, (VERSION, WAS), "{name}");
        }
    }

    #[tokio::test]
    async fn a_whole_copy_of_an_earlier_start_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = old(folder.path(), "a.db").await;
        let earlier = old(folder.path(), "b.db").await;
        fs::rename(earlier, copy_of(&path)).unwrap();
        let there = fs::read(copy_of(&path)).unwrap();
        assert_eq!(versions(&path).await, (VERSION, WAS));
        assert_eq!(fs::read(copy_of(&path)).unwrap(), there);
    }
}
