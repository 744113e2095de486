//! Bringing the schema up to date: embedded, under a lock, with a copy of an SQLite file first.
//!
//! `schema_info` says which version the schema has and the oldest one that can still work with it, so that two
//! neighbouring versions can run side by side while nodes are replaced one by one.

use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, PgPool, SqlitePool, migrate::Migrator};

/// The schema of this version: the number of its newest migration.
pub const VERSION: i64 = 18;
/// The oldest schema version whose program still works with this schema.
pub(crate) const OLDEST_COMPATIBLE: i64 = 9;

static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// Why the schema could not be brought up to date. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// There is no schema.
    #[error("the database is empty: `keywarden serve` makes its schema")]
    Empty,
    /// The copy of the file could not be made.
    #[error("cannot copy the database to {path} before its schema changes: {cause}")]
    Copy {
        /// Where to.
        path: PathBuf,
        /// What went wrong.
        cause: String,
    },
    /// A statement failed.
    #[error("cannot bring the database's schema up to date: {0}")]
    Failed(String),
    /// An older program made it, and it was not brought up to date.
    #[error(
        "the database's schema has version {found}, this program needs {own}: start `keywarden serve` once"
    )]
    TooOld {
        /// The schema's version.
        found: i64,
        /// This program's.
        own: i64,
    },
    /// A newer program made it, and it cannot be used by an older one.
    #[error(
        "the database's schema has version {found} and needs at least a program of version {needed}, this one is {own}: \
         start the newer program"
    )]
    TooNew {
        /// The schema's version.
        found: i64,
        /// The oldest program that fits.
        needed: i64,
        /// This program's.
        own: i64,
    },
}

fn failed(cause: impl std::fmt::Display) -> MigrateError {
    MigrateError::Failed(cause.to_string())
}

pub(crate) async fn sqlite(pool: &SqlitePool, path: &Path) -> Result<(), MigrateError> {
    let known: Option<(i64,)> = sqlx::query_as("SELECT 1 FROM sqlite_master WHERE name = 'schema_info'")
        .fetch_optional(pool)
        .await
        .map_err(failed)?;
    if known.is_some() {
        let found: Option<(i64, i64)> =
            sqlx::query_as("SELECT version, oldest_compatible FROM schema_info WHERE id = 1")
                .fetch_optional(pool)
                .await
                .map_err(failed)?;
        if let Some(found) = found {
            if !is_due(found)? {
                return Ok(());
            }
            copy(pool, path, found.0).await?;
        }
    }
    SQLITE.run(pool).await.map_err(failed)?;
    let note = "INSERT INTO schema_info (id, version, oldest_compatible) VALUES (1, $1, $2)
                ON CONFLICT (id) DO UPDATE SET version = excluded.version, oldest_compatible = excluded.oldest_compatible";
    sqlx::query(note).bind(VERSION).bind(OLDEST_COMPATIBLE).execute(pool).await.map_err(failed)?;
    Ok(())
}

async fn copy(pool: &SqlitePool, path: &Path, version: i64) -> Result<(), MigrateError> {
    let to = path.with_extension(format!("before-{VERSION}-was-{version}.db"));
    if to.exists() {
        return Ok(()); // an earlier start made it and failed afterwards; it is the older, better copy
    }
    let refused = |cause: String| MigrateError::Copy { path: to.clone(), cause };
    let text = to.to_str().ok_or_else(|| refused("its path is not UTF-8".into()))?.replace('\'', "''");
    sqlx::raw_sql(AssertSqlSafe(format!("VACUUM INTO '{text}'")))
        .execute(pool)
        .await
        .map_err(|cause| refused(cause.to_string()))?;
    tracing::info!(path = %to.display(), "copied the database before its schema changes");
    Ok(())
}

/// Several nodes may start at once: sqlx holds an advisory lock while it migrates.
pub(crate) async fn postgres(pool: &PgPool) -> Result<(), MigrateError> {
    let known: (bool,) = sqlx::query_as("SELECT to_regclass('schema_info') IS NOT NULL")
        .fetch_one(pool)
        .await
        .map_err(failed)?;
    if known.0 {
        let found: Option<(i64, i64)> =
            sqlx::query_as("SELECT version, oldest_compatible FROM schema_info WHERE id = 1")
                .fetch_optional(pool)
                .await
                .map_err(failed)?;
        if let Some(found) = found
            && !is_due(found)?
        {
            return Ok(());
        }
    }
    POSTGRES.run(pool).await.map_err(failed)?;
    let note = "INSERT INTO schema_info (id, version, oldest_compatible) VALUES (1, $1, $2)
                ON CONFLICT (id) DO UPDATE SET version = greatest(schema_info.version, excluded.version),
                    oldest_compatible = greatest(schema_info.oldest_compatible, excluded.oldest_compatible)";
    sqlx::query(note).bind(VERSION).bind(OLDEST_COMPATIBLE).execute(pool).await.map_err(failed)?;
    Ok(())
}

/// Whether this program can read a schema of this version as it is.
pub(crate) fn fits((version, oldest_compatible): (i64, i64)) -> Result<(), MigrateError> {
    if is_due((version, oldest_compatible))? {
        return Err(MigrateError::TooOld { found: version, own: VERSION });
    }
    Ok(())
}

/// Whether migrations have to run on a schema of this version.
fn is_due((version, oldest_compatible): (i64, i64)) -> Result<bool, MigrateError> {
    if version > VERSION && oldest_compatible > VERSION {
        return Err(MigrateError::TooNew { found: version, needed: oldest_compatible, own: VERSION });
    }
    Ok(version < VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines_have_the_same_migrations_and_the_version_is_the_newest() {
        let names = |migrator: &Migrator| -> Vec<_> {
            migrator.iter().map(|one| (one.version, one.description.clone())).collect()
        };
        assert_eq!(names(&SQLITE), names(&POSTGRES));
        assert_eq!(SQLITE.iter().map(|one| one.version).max(), Some(VERSION));
    }

    #[test]
    fn a_newer_schema_is_used_only_while_it_says_that_it_may_be() {
        assert!(is_due((VERSION - 1, 1)).unwrap());
        assert!(!is_due((VERSION, VERSION)).unwrap());
        assert!(!is_due((VERSION + 1, VERSION)).unwrap());
        assert!(is_due((VERSION + 1, VERSION + 1)).is_err());
    }
}
