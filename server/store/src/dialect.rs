//! What really differs between the engines.

use sqlx::{
    error::DatabaseError,
    postgres::{PgDatabaseError, PgSeverity},
};

use crate::{Engine, StoreError, Tx, sql};

/// The column behind a unique violation, from SQLite's words (`UNIQUE constraint failed: users.handle`).
pub(crate) fn constraint(message: &str) -> String {
    message.rsplit(": ").next().unwrap_or(message).chars().take(120).collect()
}

/// PostgreSQL's class 08 (connection), 57 (shut down), 53 (resources, a full disk), a lock or statement that waited too long;
/// SQLite's busy and locked, no room on the disk (13); and what a disk did not do.
pub(crate) fn is_passing(said: &dyn DatabaseError) -> bool {
    gave_itself_up(said)
        || said.code().is_some_and(|code| {
            matches!(&*code, "5" | "6" | "13" | "261" | "517" | "55P03" | "57014")
                || is_of_the_disk(&code)
                || code.starts_with("08")
                || code.starts_with("57P")
                || code.starts_with("53")
        })
}

/// PostgreSQL panicked, be it because its disk failed: all of it ends, recovers and comes back. What it was about to commit may
/// lie in its log.
fn gave_itself_up(said: &dyn DatabaseError) -> bool {
    said.try_downcast_ref::<PgDatabaseError>().is_some_and(|said| said.severity() == PgSeverity::Panic)
}

/// PostgreSQL's `io_error`; `SQLITE_IOERR` (10), `SQLITE_CANTOPEN` (14) and their kin, in whose lowest byte they stand. Codes of
/// PostgreSQL have five characters.
fn is_of_the_disk(code: &str) -> bool {
    code == "58030"
        || (code.len() < 5 && code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 10 | 14)))
}

/// SQLite could not sync its file or its log (`SQLITE_IOERR_FSYNC`, `SQLITE_IOERR_DIR_FSYNC`). Linux tells of that once and
/// counts as written what it gave up: a second sync would succeed and keep nothing.
pub(crate) fn is_unsynced(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(said)
        if said.code().is_some_and(|code| matches!(&*code, "1034" | "1290")))
}

/// There is no room on SQLite's disk.
pub(crate) fn is_full(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(said) if said.code().is_some_and(|code| code == "13"))
}

/// Another connection holds SQLite's file, or did when this one began to read.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(said)
        if said.code().is_some_and(|code| matches!(&*code, "5" | "6" | "261" | "517")))
}

/// PostgreSQL gave up one of two transactions that got in each other's way: run it again.
pub(crate) fn is_collision(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(said) = error else { return false };
    said.code().is_some_and(|code| collides(&code, routine(&**said), said.message()))
}

/// The function of PostgreSQL's that an error came from.
fn routine(said: &dyn DatabaseError) -> Option<&str> {
    said.try_downcast_ref::<PgDatabaseError>()?.routine()
}

/// Where one of several transactions that lock a row is just being aborted, PostgreSQL says so by an internal error, as it says
/// much else: what tells is which of its functions it came from. What stands between may keep that back, and then it is the
/// words, which are never translated (`elog`).
fn collides(code: &str, routine: Option<&str>, message: &str) -> bool {
    match (code, routine) {
        ("40001" | "40P01", _) => true,
        ("XX000", Some(routine)) => routine == "MultiXactIdCreateFromMembers",
        ("XX000", None) => message.starts_with("new multixact has more than one updating member: "),
        _ => false,
    }
}

/// `%needle%` with LIKE's own characters taken as themselves; use with `ESCAPE '\'`.
pub fn containing(needle: &str) -> String {
    let mut pattern = String::with_capacity(needle.len().saturating_add(2));
    pattern.push('%');
    for c in needle.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// What time it is on the database's machine, now and not when the transaction began, as `at` in microseconds. SQLite's
/// machine is this one.
pub(crate) const fn clock(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) AS at",
        Engine::Sqlite => "SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER) AS at",
    }
}

/// How many tables of a name there are, as `tables`: one or none.
pub(crate) const fn tables(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => "SELECT count(*) AS tables FROM pg_class WHERE oid = to_regclass($1)",
        Engine::Sqlite => "SELECT count(*) AS tables FROM sqlite_schema WHERE type = 'table' AND name = $1",
    }
}

/// Lets the writes that name the same thing on one after the other: each waits here until the one before it has ended. SQLite
/// has one writer anyway; PostgreSQL has a lock that its transaction lets go of (names that hash alike wait for each other, which harms nobody).
pub(crate) async fn take_turns(tx: &mut Tx, name: &str) -> Result<(), StoreError> {
    match tx.engine() {
        Engine::Sqlite => Ok(()),
        Engine::Postgres => {
            let lock = sql("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))");
            lock.bind(name).execute(tx).await.map(drop)
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;

    use super::*;

    #[test]
    fn what_a_disk_did_not_do_is_told_from_what_postgres_says() {
        // A read, a write, a sync, a truncation, no room for the log's index; a file that cannot be opened.
        assert!(["10", "266", "778", "1034", "1546", "4874", "14", "1038"].into_iter().all(is_of_the_disk));
        assert!(is_of_the_disk("58030"), "PostgreSQL's disk");
        // A constraint, corruption; PostgreSQL's, of which the last has a 10 in its lowest byte as well.
        assert!(!["19", "11", "2067", "23505", "22P02", "42506"].into_iter().any(is_of_the_disk));
    }

    #[test]
    fn of_internal_errors_only_the_one_about_locks_of_a_row_is_a_collision() {
        let words = "new multixact has more than one updating member: 0 2[7 (nokeyupd), 8 (upd)]";
        assert!(collides("40001", Some("ExecUpdate"), "") && collides("40P01", Some("DeadLockReport"), ""));
        assert!(
            collides("XX000", Some("MultiXactIdCreateFromMembers"), words) && collides("XX000", None, words)
        );
        // The same words from elsewhere, other words, another code.
        assert!(!collides("XX000", Some("exec_stmt_raise"), words));
        assert!(!collides("XX000", Some("heap_update"), "tuple concurrently updated"));
        assert!(!collides(
            "XX000",
            None,
            "could not open relation: new multixact has more than one updating member"
        ));
        assert!(
            !collides("P0001", None, words)
                && !collides("XX001", Some("MultiXactIdCreateFromMembers"), words)
        );
    }

    #[tokio::test]
    async fn postgresql_says_which_of_its_functions_an_error_came_from() {
        let Some(server) = crate::explain::server() else { return };
        let mut conn = sqlx::PgConnection::connect(&server).await.unwrap();
        let failed = sqlx::query("SELECT 1 / 0").execute(&mut conn).await;
        let Err(sqlx::Error::Database(said)) = failed else { panic!("{failed:?}") };
        assert_eq!(routine(&*said), Some("int4div"));
    }
}
