//! What really differs between the engines.

use sqlx::{
    error::DatabaseError,
    postgres::{PgDatabaseError, PgSeverity},
};

use crate::{Engine, StoreError, Tx, sql, sql::assembled};

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

/// Has a session of PostgreSQL's take the turn at what is called `$1`, if no other one has it: a truth value. It ends with the
/// session, or by [`END_TURNS`].
pub(crate) const TAKE_TURN: &str = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))";

/// Ends all turns of a session of PostgreSQL's.
pub(crate) const END_TURNS: &str = "SELECT pg_advisory_unlock_all()";

/// Reads the change counter, as `value` and `authority`, and lets nobody move it until the commit; with `restricts`, nobody
/// read it so either. SQLite has one writer anyway. On PostgreSQL who shares a row's lock overtakes who waits for it, without end
/// under load; who waits for an advisory lock has a place in a queue. What was read before the wait is read again when the
/// row is locked.
pub(crate) const fn hold_counter(engine: Engine, restricts: bool) -> &'static str {
    match (engine, restricts) {
        (Engine::Sqlite, _) => "SELECT value, authority FROM change_counter WHERE id = 1",
        (Engine::Postgres, false) => {
            "SELECT value, authority FROM change_counter
             WHERE id = 1 AND pg_advisory_xact_lock_shared(hashtextextended('change counter', 0)) IS NOT NULL
             FOR SHARE"
        }
        (Engine::Postgres, true) => {
            "SELECT value, authority FROM change_counter
             WHERE id = 1 AND pg_advisory_xact_lock(hashtextextended('change counter', 0)) IS NOT NULL
             FOR NO KEY UPDATE"
        }
    }
}

/// Moves the change counter by one, as `value` and `authority`; `$1` is whether the change is of who may do what. A write without
/// a permit, as signing in is, has not held it before, and gets its place in PostgreSQL's queue here: see [`hold_counter`].
pub(crate) const fn step_counter(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => {
            "UPDATE change_counter
             SET value = value + 1, authority = CASE WHEN $1 THEN value + 1 ELSE authority END
             WHERE id = 1 RETURNING value, authority"
        }
        Engine::Postgres => {
            "UPDATE change_counter
             SET value = value + 1, authority = CASE WHEN $1 THEN value + 1 ELSE authority END
             WHERE id = 1 AND pg_advisory_xact_lock(hashtextextended('change counter', 0)) IS NOT NULL
             RETURNING value, authority"
        }
    }
}

/// Wakes the nodes that listen for changes, once this is committed; on SQLite there is one node, which looks by itself.
pub(crate) async fn announce_change(tx: &mut Tx) -> Result<(), StoreError> {
    match tx.engine() {
        Engine::Sqlite => Ok(()),
        Engine::Postgres => tx.control("NOTIFY keywarden_change").await,
    }
}

/// Has PostgreSQL look at a table that was just filled. It does so by itself only minutes later, and plans until then as if
/// hardly anything were there. SQLite plans by its schema.
pub(crate) async fn look_over(tx: &mut Tx, table: &'static str) -> Result<(), StoreError> {
    match tx.engine() {
        Engine::Sqlite => Ok(()),
        Engine::Postgres => assembled(format!("ANALYZE {table}")).execute(tx).await.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use sqlx::Connection as _;

    use super::*;

    /// The sources below a folder, with their names.
    fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(sources(&path));
            } else {
                found.push((path.clone(), std::fs::read_to_string(&path).unwrap()));
            }
        }
        found
    }

    #[test]
    fn postgresqls_locks_its_word_to_others_and_its_statistics_are_here_alone() {
        let words = ["pg_advisory", "pg_try_advisory", "NOTIFY ", "ANALYZE {"];
        let all = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
        for word in words {
            let files = all.iter().filter(|(_, text)| text.contains(word)).map(|(path, _)| path);
            let names: Vec<_> = files.map(|path| path.file_name().unwrap()).collect();
            assert_eq!(names, ["dialect.rs"], "{word}");
        }
    }

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
