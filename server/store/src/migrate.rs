//! Bringing the schema up to date: embedded, under a lock, with a copy of an SQLite file first.
//!
//! `schema_info` says which version the schema has and the oldest one that can still work with it, so that two
//! neighbouring versions can run side by side while nodes are replaced one by one.

#[cfg(test)]
mod alike;
mod kept;

use std::path::{Path, PathBuf};

use sqlx::{PgPool, SqlitePool, migrate::Migrator};

/// The schema of this version: the number of its newest migration.
pub const VERSION: i64 = 41;
/// The oldest schema version whose program still works with this schema: before 25 none knows of seals of projects, and would
/// make keys for such a project that the project's seal does not wrap.
pub(crate) const OLDEST_COMPATIBLE: i64 = 25;
/// The oldest schema version whose program understands all that this one would write: before 33 none opens what keys sealed that
/// are derived from a subject's, before 35 none decides by policies that people wrote, before 38 none holds anything to
/// standards, and before 41 none reads notices that are made of messages. While an older one may run, it is not written. Once none does ([`crate::node::note`]), and in records that are
/// made now, this is the oldest compatible one.
pub(crate) const SETTLED: i64 = 41;

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
    let mut oldest_compatible = SETTLED;
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
            kept::copy(pool, path, found.0).await?;
            oldest_compatible = OLDEST_COMPATIBLE.max(found.1);
        }
    }
    SQLITE.run(pool).await.map_err(failed)?;
    let note = "INSERT INTO schema_info (id, version, oldest_compatible) VALUES (1, $1, $2)
                ON CONFLICT (id) DO UPDATE SET version = excluded.version, oldest_compatible = excluded.oldest_compatible";
    sqlx::query(note).bind(VERSION).bind(oldest_compatible).execute(pool).await.map_err(failed)?;
    Ok(())
}

/// Several nodes may start at once: sqlx holds an advisory lock while it migrates.
pub(crate) async fn postgres(pool: &PgPool) -> Result<(), MigrateError> {
    let known: (bool,) = sqlx::query_as("SELECT to_regclass('schema_info') IS NOT NULL")
        .fetch_one(pool)
        .await
        .map_err(failed)?;
    let mut oldest_compatible = SETTLED;
    if known.0 {
        let found: Option<(i64, i64)> =
            sqlx::query_as("SELECT version, oldest_compatible FROM schema_info WHERE id = 1")
                .fetch_optional(pool)
                .await
                .map_err(failed)?;
        if let Some(found) = found {
            if !is_due(found)? {
                return Ok(());
            }
            oldest_compatible = OLDEST_COMPATIBLE;
        }
    }
    POSTGRES.run(pool).await.map_err(failed)?;
    let note = "INSERT INTO schema_info (id, version, oldest_compatible) VALUES (1, $1, $2)
                ON CONFLICT (id) DO UPDATE SET version = greatest(schema_info.version, excluded.version),
                    oldest_compatible = greatest(schema_info.oldest_compatible, excluded.oldest_compatible)";
    sqlx::query(note).bind(VERSION).bind(oldest_compatible).execute(pool).await.map_err(failed)?;
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
    use sqlx::AssertSqlSafe;

    use super::*;
    use crate::Location;

    #[test]
    fn both_engines_have_the_same_migrations_and_the_version_is_the_newest() {
        let names = |migrator: &Migrator| -> Vec<_> {
            migrator.iter().map(|one| (one.version, one.description.clone())).collect()
        };
        assert_eq!(names(&SQLITE), names(&POSTGRES));
        assert_eq!(SQLITE.iter().map(|one| one.version).max(), Some(VERSION));
    }

    #[test]
    fn an_older_program_starts_on_this_schema_until_it_is_settled_and_not_after() {
        // This program in the older one's place.
        let newer = VERSION + 2;
        assert!(!is_due((newer, VERSION)).unwrap());
        assert!(matches!(is_due((newer, newer)), Err(MigrateError::TooNew { .. })));
        const { assert!(OLDEST_COMPATIBLE < SETTLED && SETTLED <= VERSION) };
    }

    /// A statement of SQL without its comments, in one line.
    fn statements(sql: &str) -> Vec<String> {
        let code: Vec<_> = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
        let code = code.join(" ");
        let plain = code.split(';').map(|one| one.split_whitespace().collect::<Vec<_>>().join(" "));
        plain.filter(|one| !one.is_empty()).collect()
    }

    /// Whether a program that does not know of a statement goes on beside its outcome.
    fn only_adds(statement: &str, tables: &mut Vec<String>) -> bool {
        let words: Vec<_> = statement.split(' ').collect();
        match words[..] {
            ["CREATE", "TABLE", name, ..] => {
                tables.push(name.to_owned());
                true
            }
            ["CREATE", "INDEX", ..] => true,
            ["INSERT", "INTO", table, ..] => tables.iter().any(|it| it == table),
            ["CREATE", "UNIQUE", "INDEX", _, "ON", table, ..] => tables.iter().any(|it| it == table),
            ["ALTER", "TABLE", _, "ADD", "COLUMN", ..] => {
                !statement.contains(" NOT NULL") || statement.contains(" DEFAULT ")
            }
            _ => false,
        }
    }

    #[test]
    fn a_program_of_the_oldest_compatible_schema_goes_on_beside_what_later_ones_added() {
        for migrator in [&SQLITE, &POSTGRES] {
            let mut tables = Vec::new();
            for one in migrator.iter().filter(|one| one.version > OLDEST_COMPATIBLE) {
                for statement in statements(one.sql.as_str()) {
                    assert!(
                        only_adds(&statement, &mut tables),
                        "migration {}: is OLDEST_COMPATIBLE still right? {statement}",
                        one.version
                    );
                }
            }
        }
        let mut none = Vec::new();
        for breaks in [
            "DROP TABLE keys",
            "ALTER TABLE keys RENAME COLUMN a TO b",
            "ALTER TABLE keys ADD COLUMN a TEXT NOT NULL",
            "CREATE UNIQUE INDEX once ON keys (name)",
            "INSERT INTO keys (id) VALUES (1)",
        ] {
            assert!(!only_adds(breaks, &mut none), "{breaks}");
        }
    }

    /// What was there before secrets had owners: one that a person made, one that a machine made in a project with a
    /// manager, one in a project without.
    const BEFORE_OWNERS: [&str; 7] = [
        "INSERT INTO users (id, name, folded_name, handle, state, created_at, created_by, row_version)
         VALUES ('usr_a', 'Ada', 'ada', CAST('1' AS BYTES), 'active', 1, 'x', 1), ('usr_b', 'Bo', 'bo', CAST('2' AS BYTES), 'deactivated', 1, 'x', 1),
                ('usr_o', 'Olga', 'olga', CAST('3' AS BYTES), 'active', 1, 'x', 1)",
        "INSERT INTO teams (id, slug, name, folded_name, created_at, created_by, row_version)
         VALUES ('team_p', 'pay', 'Pay', 'pay', 1, 'x', 1)",
        "INSERT INTO projects (id, slug, name, folded_name, created_at, created_by, row_version)
         VALUES ('prj_1', 'a', 'a', 'a', 1, 'x', 1), ('prj_2', 'b', 'b', 'b', 1, 'x', 1)",
        "INSERT INTO environments (id, project_id, slug, name, folded_name, label, overlap_seconds, created_at, created_by,
                                   row_version)
         VALUES ('env_1', 'prj_1', 'l', 'l', 'l', 'l', 0, 1, 'x', 1), ('env_2', 'prj_2', 'l', 'l', 'l', 'l', 0, 1, 'x', 1)",
        "INSERT INTO role_bindings (id, principal_kind, principal_id, role, project_id, created_at, created_by)
         VALUES ('rbd_1', 'person', 'usr_b', 'manager', 'prj_1', 1, 'x'), ('rbd_2', 'team', 'team_p', 'manager', 'prj_1', 2, 'x'),
                ('rbd_3', 'person', 'usr_o', 'owner', NULL, 3, 'x')",
        "INSERT INTO secrets (id, project_id, environment_id, path, folded_path, description, tags, last_version, created_at,
                              created_by, row_version)
         VALUES ('sec_1', 'prj_1', 'env_1', 'a', 'a', '', '[\"team=Shop\",\"pci\"]', 1, 1, 'usr_a', 1),
                ('sec_2', 'prj_1', 'env_1', 'b', 'b', '', '[]', 1, 1, 'wkl_1', 1),
                ('sec_3', 'prj_1', 'env_1', 'c', 'c', '', '[]', 1, 1, 'usr_b', 1),
                ('sec_4', 'prj_2', 'env_2', 'd', 'd', '', '[]', 1, 1, 'wkl_1', 1)",
        "UPDATE instance SET clock_high_water = 7",
    ];

    /// The migrations before a number.
    pub(super) fn before(migrator: &Migrator, number: i64) -> Migrator {
        let old: Vec<_> = migrator.iter().filter(|one| one.version < number).cloned().collect();
        Migrator { migrations: old.into(), ..Migrator::DEFAULT }
    }

    type Owners = Vec<(String, String, String)>;
    type Tags = Vec<(String, String)>;

    macro_rules! owners_after {
        ($pool:expr, $migrator:expr, $bytes:literal, $rows:expr) => {{
            let pool = $pool;
            before(&$migrator, 16).run(&pool).await.unwrap();
            for row in $rows {
                sqlx::raw_sql(AssertSqlSafe(row.replace("BYTES", $bytes))).execute(&pool).await.unwrap();
            }
            $migrator.run(&pool).await.unwrap();
            let owners = "SELECT id, owner_kind, owner_id FROM secrets ORDER BY id";
            let tags = "SELECT tag, folded_tag FROM secret_tags ORDER BY tag";
            let owners: Owners = sqlx::query_as(owners).fetch_all(&pool).await.unwrap();
            let tags: Tags = sqlx::query_as(tags).fetch_all(&pool).await.unwrap();
            (owners, tags)
        }};
    }

    async fn owners_on_each(rows: &[&'static str], name: &str) -> Vec<(Owners, Tags)> {
        let one = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
        let pool = one.connect("sqlite::memory:").await.unwrap();
        let mut found = vec![owners_after!(pool, SQLITE, "BLOB", rows)];
        if let Some(server) = crate::explain::server() {
            let name = format!("kw_owners_{name}_{}", std::process::id());
            let Location::Postgres(url) = crate::cast::fresh_postgres(&server, &name).await.unwrap() else {
                unreachable!()
            };
            let pool = PgPool::connect(&url).await.unwrap();
            found.push(owners_after!(pool, POSTGRES, "BYTEA", rows));
        }
        found
    }

    #[tokio::test]
    async fn secrets_from_before_they_had_owners_get_one_that_is_there() {
        for (owners, tags) in owners_on_each(&BEFORE_OWNERS, "people").await {
            let told: Vec<_> =
                owners.iter().map(|(id, kind, owner)| format!("{id} {kind} {owner}")).collect();
            assert_eq!(
                told,
                ["sec_1 person usr_a", "sec_2 team team_p", "sec_3 team team_p", "sec_4 person usr_o"],
                "its maker, if active; else the project's manager; else the organization's owner"
            );
            let tag = |tag: &str, folded: &str| (tag.to_owned(), folded.to_owned());
            assert_eq!(tags, [tag("pci", "pci"), tag("team=Shop", "team=shop")]);
        }
        let nobody =
            |row: &&'static str| ![" users ", " teams ", " role_bindings "].iter().any(|it| row.contains(it));
        let machines: Vec<_> = BEFORE_OWNERS.into_iter().filter(nobody).collect();
        for (owners, _) in owners_on_each(&machines, "machines").await {
            assert_eq!(owners.len(), 4);
            let made: keywarden_model::TeamId = owners[0].2.parse().unwrap();
            assert!(
                owners.iter().all(|(_, kind, id)| kind == "team" && *id == made.to_string()),
                "{owners:?}"
            );
        }
    }

    /// What was there before history was kept: a secret that changed, one that was never in force, one that is purged, and
    /// one whose events of one moment stand in the record in another order than they were made in.
    const BEFORE_HISTORY: [&str; 6] = [
        "INSERT INTO projects (id, slug, name, folded_name, created_at, created_by, row_version)
         VALUES ('prj_1', 'a', 'a', 'a', 1, 'x', 1)",
        "INSERT INTO environments (id, project_id, slug, name, folded_name, label, overlap_seconds, created_at, created_by,
                                   row_version)
         VALUES ('env_1', 'prj_1', 'l', 'l', 'l', 'l', 0, 1, 'x', 1)",
        "INSERT INTO secrets (id, project_id, environment_id, path, folded_path, description, tags, last_version, created_at,
                              created_by, deleted_at, purge_at, purged_at, row_version)
         VALUES ('sec_1', 'prj_1', 'env_1', 'a', 'a', '', '[]', 2, 10, 'x', 50, 90, NULL, 9),
                ('sec_2', 'prj_1', 'env_1', 'b', 'b', '', '[]', 1, 10, 'x', NULL, NULL, NULL, 1),
                ('sec_3', 'prj_1', 'env_1', 'c', 'c', '', '[]', 1, 10, 'x', 20, 30, 40, 3),
                ('sec_4', 'prj_1', 'env_1', 'd', 'd', '', '[]', 3, 10, 'x', NULL, NULL, NULL, 3)",
        "INSERT INTO secret_versions (id, secret_id, number, state, kind, content_type, size, created_at, created_by)
         SELECT s.id || n.number, s.id, n.number, 'disabled', 'text', 't', 1, 10, 'x'
         FROM secrets s, (SELECT 1 AS number UNION ALL SELECT 2 UNION ALL SELECT 3) n",
        "INSERT INTO secret_labels (secret_id, label, number)
         VALUES ('sec_1', 'current', 1), ('sec_2', 'pending', 1), ('sec_4', 'current', 3), ('sec_4', 'previous', 2)",
        "INSERT INTO events (id, at, action, outcome, actor_kind, actor_id, resource_kind, resource_id, request_id, bytes)
         SELECT id, at, 'secret.' || action, outcome, 'person', 'x', 'secret', secret, 'r', CAST(told AS BYTES) FROM (
             SELECT 'e01' AS id, 10 AS at, 'create' AS action, 'allowed' AS outcome, 'sec_1' AS secret,
                    '{\"changes\":{},\"facts\":{\"label\":\"current\",\"version\":1}}' AS told
             UNION ALL SELECT 'e02', 20, 'put', 'allowed', 'sec_1',
                    '{\"changes\":{\"current\":{\"from\":1,\"to\":2}},\"facts\":{\"label\":\"current\"}}'
             UNION ALL SELECT 'e03', 25, 'put', 'allowed', 'sec_1', '{\"changes\":{},\"facts\":{\"label\":\"pending\"}}'
             UNION ALL SELECT 'e04', 26, 'label', 'refused', 'sec_1',
                    '{\"changes\":{\"version\":{\"from\":null,\"to\":7}},\"facts\":{\"label\":\"current\"}}'
             UNION ALL SELECT 'e05', 30, 'label', 'allowed', 'sec_1',
                    '{\"changes\":{\"version\":{\"from\":null,\"to\":2}},\"facts\":{\"label\":\"blue\"}}'
             UNION ALL SELECT 'e06', 40, 'label', 'allowed', 'sec_1',
                    '{\"changes\":{\"version\":{\"from\":2,\"to\":1}},\"facts\":{\"label\":\"current\"}}'
             UNION ALL SELECT 'e07', 45, 'read', 'allowed', 'sec_1', '{\"changes\":{},\"facts\":{\"version\":1}}'
             UNION ALL SELECT 'e08', 50, 'delete', 'allowed', 'sec_1', '{\"changes\":{},\"facts\":{}}'
             UNION ALL SELECT 'e11', 10, 'create', 'allowed', 'sec_2', '{\"changes\":{},\"facts\":{\"label\":\"pending\"}}'
             UNION ALL SELECT 'e21', 10, 'create', 'allowed', 'sec_3', '{\"changes\":{},\"facts\":{\"label\":\"current\"}}'
             UNION ALL SELECT 'e22', 20, 'delete', 'allowed', 'sec_3', '{\"changes\":{},\"facts\":{}}'
             UNION ALL SELECT 'e23', 40, 'purge', 'allowed', 'sec_3', '{\"changes\":{},\"facts\":{}}'
             UNION ALL SELECT 'e31', 10, 'create', 'allowed', 'sec_4', '{\"changes\":{},\"facts\":{\"label\":\"current\"}}'
             UNION ALL SELECT 'e32', 20, 'put', 'allowed', 'sec_4',
                    '{\"changes\":{\"current\":{\"from\":2,\"to\":3}},\"facts\":{\"label\":\"current\"}}'
             UNION ALL SELECT 'e33', 20, 'rotate-data-key', 'allowed', 'sec_4',
                    '{\"changes\":{\"current\":{\"from\":1,\"to\":2}},\"facts\":{}}') t",
    ];

    type History = Vec<(String, i64, i64, Option<i64>, String)>;

    macro_rules! history_after {
        ($pool:expr, $migrator:expr, $bytes:literal) => {{
            let pool = $pool;
            before(&$migrator, 19).run(&pool).await.unwrap();
            for row in BEFORE_HISTORY {
                sqlx::raw_sql(AssertSqlSafe(row.replace("BYTES", $bytes))).execute(&pool).await.unwrap();
            }
            $migrator.run(&pool).await.unwrap();
            let kept = "SELECT secret_id, seq, at, number, state FROM secret_history ORDER BY secret_id, seq";
            let kept: History = sqlx::query_as(kept).fetch_all(&pool).await.unwrap();
            kept
        }};
    }

    #[tokio::test]
    async fn what_secrets_were_before_history_was_kept_is_told_by_their_record() {
        let one = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
        let pool = one.connect("sqlite::memory:").await.unwrap();
        let mut each = vec![history_after!(pool, SQLITE, "BLOB")];
        if let Some(server) = crate::explain::server() {
            let name = format!("kw_history_{}", std::process::id());
            let Location::Postgres(url) = crate::cast::fresh_postgres(&server, &name).await.unwrap() else {
                unreachable!()
            };
            each.push(history_after!(PgPool::connect(&url).await.unwrap(), POSTGRES, "BYTEA"));
        }
        for kept in each {
            let told: Vec<_> = kept
                .iter()
                .map(|(id, seq, at, number, state)| format!("{id} {seq} {at} {number:?} {state}"))
                .collect();
            assert_eq!(
                told,
                [
                    "sec_1 1 10 Some(1) there",
                    "sec_1 2 20 Some(2) there",
                    "sec_1 3 25 Some(2) there",
                    "sec_1 4 30 Some(2) there",
                    "sec_1 5 40 Some(1) there",
                    "sec_1 6 50 Some(1) deleted",
                    "sec_2 1 10 None there",
                    "sec_3 1 10 Some(1) there",
                    "sec_3 2 20 Some(1) deleted",
                    "sec_3 3 40 None purged",
                    "sec_4 1 10 Some(1) there",
                    "sec_4 2 20 Some(3) there",
                    "sec_4 3 20 Some(3) there",
                ]
            );
        }
    }

    #[test]
    fn a_newer_schema_is_used_only_while_it_says_that_it_may_be() {
        assert!(is_due((VERSION - 1, 1)).unwrap());
        assert!(!is_due((VERSION, VERSION)).unwrap());
        assert!(!is_due((VERSION + 1, VERSION)).unwrap());
        assert!(is_due((VERSION + 1, VERSION + 1)).is_err());
    }
}
