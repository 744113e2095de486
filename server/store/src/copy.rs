//! Carrying everything from one store to another, whatever their engines: a pilot on SQLite moves to PostgreSQL, or back.
//!
//! Both have this version's schema. Tables are copied whole, parents first, all in one transaction of the target: a copy
//! that breaks off leaves it as it was. The source must stand still meanwhile (its servers are stopped).

use sqlx::{Column, Row as _, TypeInfo, ValueRef, postgres::PgRow, sqlite::SqliteRow};

use crate::rows::marks;
use crate::{Conn, Engine, Store, StoreError, Tx, Value, backup::Target, dialect, sql, sql::assembled};

/// Rows read at once.
const PAGE: i64 = 500;

/// A table, and what its rows are ordered and told apart by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    key: &'static str,
    /// Its one row is made by the migration.
    pub(crate) single: bool,
}

const fn table(name: &'static str, key: &'static str) -> Table {
    Table { name, key, single: false }
}

const fn single(name: &'static str) -> Table {
    Table { name, key: "id", single: true }
}

/// Every table that holds something, those first that others refer to. Nodes tell of themselves anew.
pub(crate) const TABLES: &[Table] = &[
    single("instance"),
    single("change_counter"),
    table("changes", "value"),
    table("seals", "id"),
    table("keyring_keys", "id"),
    table("keyring_wraps", "key_id, seal_id"),
    table("pin_attempts", "token, salt, mark"),
    table("organizations", "id"),
    table("projects", "id"),
    table("environments", "id"),
    table("users", "id"),
    table("teams", "id"),
    table("team_members", "team_id, user_id"),
    table("role_bindings", "id"),
    table("passkeys", "id"),
    table("recovery_codes", "user_id, position"),
    table("one_time_links", "id"),
    table("ceremonies", "id"),
    table("sessions", "id"),
    table("pending_posts", "id"),
    table("unseen_codes", "session_id"),
    table("device_grants", "id"),
    table("messages", "id"),
    table("notices", "id"),
    table("channels", "id"),
    table("deliveries", "id"),
    table("silenced_kinds", "user_id, kind"),
    single("policy_set"),
    table("policies", "id"),
    table("policy_versions", "policy_id, number"),
    table("policy_tests", "id"),
    table("standards", "id"),
    table("standard_versions", "standard_id, number"),
    table("policy_proofs", "policy_id, number"),
    table("workloads", "id"),
    table("access_rules", "scope, version"),
    table("access_requests", "id"),
    table("access_approvals", "request_id, revision, approver"),
    table("access_grants", "id"),
    table("service_tokens", "id"),
    table("trust_rules", "id"),
    table("refused_tokens", "rule_id"),
    table("exchanged_tokens", "digest"),
    table("api_keys", "id"),
    table("key_tags", "tag, key_id"),
    table("key_values", "id"),
    table("key_usage", "hour, value_id, address, agent, workload_id, outcome"),
    table("rate_windows", "key_id, window_start"),
    table("rate_reserves", "key_id, window_start, window_seconds"),
    table("offered_seals", "id"),
    table("project_seals", "project_id"),
    table("project_keys", "id"),
    table("secrets", "id"),
    table("secret_tags", "tag, secret_id"),
    table("secret_versions", "id"),
    table("secret_references", "version_id, position"),
    table("secret_labels", "secret_id, label"),
    table("secret_aliases", "secret_id, dialect"),
    table("secret_history", "secret_id, seq"),
    table("secret_shares", "id"),
    table("rewraps", "id"),
    table("events", "id"),
    table("event_personal", "event_id, subject_id"),
    table("subjects", "id"),
    table("decision_log", "digest"),
    table("idempotency", "caller, key_hash"),
    table("backup_recipients", "id"),
    table("backups", "id"),
    table("drill_keys", "id"),
    table("drills", "id"),
    table("restores", "id"),
];

/// What is there once in each database and never copied.
pub(crate) const NOT_COPIED: &[&str] = &["_sqlx_migrations", "nodes", "schema_info"];

/// Why nothing was carried over, or not everything.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The target holds something.
    #[error("the target is not empty: its table `{0}` has rows; give a fresh database")]
    NotEmpty(&'static str),
    /// The two do not agree afterwards.
    #[error(
        "`{table}` has {copied} rows in the target and {there} in the source: is a server still writing?"
    )]
    Counts {
        /// The table.
        table: &'static str,
        /// Rows in the source.
        there: i64,
        /// Rows in the target.
        copied: i64,
    },
    /// The source has a table that this version does not know.
    #[error("the source has a table `{0}` that this version does not know: use the version that made it")]
    UnknownTable(String),
    /// Either database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How many rows each table had.
pub type Copied = Vec<(&'static str, i64)>;

/// Carries everything from `source` into this write's database, which must be empty, and counts the rows of both
/// afterwards.
pub async fn copy_within(tx: &mut Tx, source: &Store) -> Result<Copied, CopyError> {
    for name in tables(&mut source.read().await?).await? {
        if !NOT_COPIED.contains(&name.as_str()) && !TABLES.iter().any(|table| table.name == name) {
            return Err(CopyError::UnknownTable(name));
        }
    }
    for table in TABLES.iter().filter(|table| !table.single) {
        if count(tx, *table).await? > 0 {
            return Err(CopyError::NotEmpty(table.name));
        }
    }
    for table in TABLES {
        let columns = columns(&mut source.read().await?, table.name).await?;
        carry_within(tx, *table, &columns, source).await?;
    }
    let mut copied = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let there = count(&mut source.read().await?, *table).await?;
        let here = count(tx, *table).await?;
        if there != here {
            return Err(CopyError::Counts { table: table.name, there, copied: here });
        }
        copied.push((table.name, there));
    }
    look_it_over(tx).await?;
    Ok(copied)
}

async fn carry_within(
    tx: &mut Tx,
    table: Table,
    columns: &[ColumnType],
    source: &Store,
) -> Result<(), StoreError> {
    if table.single {
        assembled(format!("DELETE FROM {}", table.name)).execute(tx).await?;
    }
    let target = Target::new(table, columns.to_vec());
    let mut pages = Pages::of(table, columns);
    loop {
        let page = pages.next(&mut source.read().await?).await?;
        if page.is_empty() {
            return Ok(());
        }
        target.put(tx, page).await?;
    }
}

/// Has the engine look at what was put into a store that was empty.
pub(crate) async fn look_it_over(tx: &mut Tx) -> Result<(), StoreError> {
    for table in TABLES {
        dialect::look_over(tx, table.name).await?;
    }
    Ok(())
}

/// A table's rows along its key, some at a time.
pub(crate) struct Pages {
    table: Table,
    list: String,
    keys: Vec<usize>,
    last: Option<Vec<Value>>,
}

impl Pages {
    pub(crate) fn of(table: Table, columns: &[ColumnType]) -> Self {
        let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
        let keys = table.key.split(", ");
        let keys = keys.filter_map(|key| names.iter().position(|name| *name == key)).collect();
        Self { table, list: names.join(", "), keys, last: None }
    }

    /// The next rows; none at the end.
    pub(crate) async fn next(&mut self, conn: &mut Conn) -> Result<Vec<Vec<Value>>, StoreError> {
        let (list, Table { name, key, .. }) = (&self.list, self.table);
        let after = match &self.last {
            Some(_) => format!("WHERE ({key}) > ({})", marks(self.keys.len())),
            None => String::new(),
        };
        let select = format!("SELECT {list} FROM {name} {after} ORDER BY {key} LIMIT {PAGE}");
        let select = self.last.take().into_iter().flatten().fold(assembled(select), crate::Sql::bind);
        let page: Vec<Cells> = select.all(conn).await?;
        self.last =
            page.last().map(|end| self.keys.iter().filter_map(|at| end.0.get(*at).cloned()).collect());
        Ok(page.into_iter().map(|cells| cells.0).collect())
    }
}

/// A column, as the source declares it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct ColumnType {
    pub(crate) name: String,
    kind: String,
    truth: bool,
}

impl ColumnType {
    /// The value as the target takes it: an absent one has its column's type, a truth value its engine's.
    pub(crate) fn fit(&self, value: Value, engine: Engine) -> Value {
        let truth = self.truth || TRUTHS.contains(&self.name.as_str());
        match (value, engine) {
            (Value::Int(Some(it)), Engine::Postgres) if truth => Value::Bool(Some(it != 0)),
            (Value::Bool(it), Engine::Sqlite) => Value::Int(it.map(i64::from)),
            (Value::Text(None), _) => match self.kind.to_ascii_uppercase().as_str() {
                "BLOB" | "BYTEA" => Value::Bytes(None),
                "INTEGER" | "BIGINT" if truth => Value::Bool(None),
                "BOOLEAN" => Value::Bool(None),
                "INTEGER" | "BIGINT" => Value::Int(None),
                _ => Value::Text(None),
            },
            (value, _) => value,
        }
    }
}

/// Columns that SQLite keeps as whole numbers and PostgreSQL as truth values.
const TRUTHS: &[&str] =
    &["allowed", "imported", "purge_protection", "reads_need_reason", "single_use", "synced", "template"];

/// One row, whatever it holds.
struct Cells(Vec<Value>);

impl<'r> sqlx::FromRow<'r, SqliteRow> for Cells {
    fn from_row(row: &'r SqliteRow) -> Result<Self, sqlx::Error> {
        let cell = |at: usize| {
            let raw = row.try_get_raw(at)?;
            let kind = raw.type_info().name().to_owned();
            Ok(match kind.as_str() {
                _ if raw.is_null() => Value::Text(None),
                "INTEGER" => Value::Int(row.try_get(at)?),
                "BLOB" => Value::Bytes(row.try_get(at)?),
                _ => Value::Text(row.try_get(at)?),
            })
        };
        (0..row.columns().len()).map(cell).collect::<Result<_, sqlx::Error>>().map(Self)
    }
}

impl<'r> sqlx::FromRow<'r, PgRow> for Cells {
    fn from_row(row: &'r PgRow) -> Result<Self, sqlx::Error> {
        let cell = |(at, column): (usize, &sqlx::postgres::PgColumn)| {
            Ok(match column.type_info().name() {
                _ if row.try_get_raw(at)?.is_null() => Value::Text(None),
                "INT8" => Value::Int(row.try_get(at)?),
                "BYTEA" => Value::Bytes(row.try_get(at)?),
                "BOOL" => Value::Bool(row.try_get(at)?),
                _ => Value::Text(row.try_get(at)?),
            })
        };
        row.columns().iter().enumerate().map(cell).collect::<Result<_, sqlx::Error>>().map(Self)
    }
}

#[derive(sqlx::FromRow)]
struct Name {
    name: String,
}

#[derive(sqlx::FromRow)]
struct Number {
    number: i64,
}

pub(crate) async fn tables(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    let names: Vec<Name> = match conn.engine() {
        Engine::Postgres => {
            sql("SELECT tablename::text AS name FROM pg_tables WHERE schemaname = current_schema()")
        }
        Engine::Sqlite => sql(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'",
        ),
    }
    .all(conn)
    .await?;
    Ok(names.into_iter().map(|it| it.name).collect())
}

pub(crate) async fn columns(conn: &mut Conn, table: &'static str) -> Result<Vec<ColumnType>, StoreError> {
    match conn.engine() {
        Engine::Postgres => sql("SELECT column_name::text AS name, data_type::text AS kind, data_type = 'boolean' AS truth
                                 FROM information_schema.columns
                                 WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position"),
        Engine::Sqlite => sql("SELECT name, type AS kind, false AS truth FROM pragma_table_info($1) ORDER BY cid"),
    }
    .bind(table)
    .all(conn)
    .await
}

pub(crate) async fn count(conn: &mut Conn, table: Table) -> Result<i64, StoreError> {
    let counted: Number =
        assembled(format!("SELECT count(*) AS number FROM {}", table.name)).one(conn).await?;
    Ok(counted.number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Location;

    #[tokio::test]
    async fn every_table_is_copied_or_known_not_to_be_and_truth_values_are_known() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Location::Sqlite(folder.path().join("a.db"))).await.unwrap();
        let mut conn = store.read().await.unwrap();
        for name in tables(&mut conn).await.unwrap() {
            let known = NOT_COPIED.contains(&name.as_str()) || TABLES.iter().any(|table| table.name == name);
            assert!(known, "`{name}` is neither copied nor left out");
        }
        for table in TABLES {
            let columns = columns(&mut conn, table.name).await.unwrap();
            let keys = table.key.split(", ");
            assert!(keys.clone().all(|key| columns.iter().any(|it| it.name == key)), "{table:?}");
        }
        let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/postgres");
        let files = std::fs::read_dir(migrations).unwrap().map(|file| file.unwrap().path());
        let postgres: String = files.map(|path| std::fs::read_to_string(path).unwrap()).collect();
        for line in postgres.lines().filter(|line| line.contains("BOOLEAN")) {
            let column = line.split_once(" ADD COLUMN ").map_or(line, |(_, column)| column);
            let name = column.split_whitespace().next().unwrap();
            assert!(TRUTHS.contains(&name), "`{name}` is a truth value");
        }
    }
}
