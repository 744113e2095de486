//! What migrations leave behind is alike on both engines, and one schema however many nodes make it at once.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::{POSTGRES, SETTLED, VERSION};
use crate::{Conn, Engine, Location, Store, count::number, instance, sql};

/// Indexes that PostgreSQL alone needs: by trigrams.
const POSTGRES_ALONE: [&str; 1] = ["api_keys.api_keys_by_part_of_name"];

#[derive(sqlx::FromRow)]
struct Column {
    place: String,
    kind: String,
    required: bool,
}

#[derive(sqlx::FromRow)]
struct Index {
    place: String,
    single: bool,
}

/// Table and name of each column; what it holds, and whether it must hold something.
async fn columns(conn: &mut Conn) -> BTreeMap<String, (&'static str, bool)> {
    let columns: Vec<Column> = match conn.engine() {
        Engine::Postgres => {
            sql("SELECT table_name::text || '.' || column_name::text AS place, data_type::text AS kind,
                                        is_nullable::text = 'NO' AS required
                                 FROM information_schema.columns WHERE table_schema = current_schema()")
        }
        Engine::Sqlite => sql("SELECT t.name || '.' || c.name AS place, c.type AS kind,
                                      c.\"notnull\" = 1 OR c.pk > 0 AS required
                               FROM sqlite_master t JOIN pragma_table_info(t.name) c
                               WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!'"),
    }
    .all(conn)
    .await
    .unwrap();
    let ours = columns.into_iter().filter(|it| !it.place.starts_with("_sqlx_migrations."));
    ours.map(|Column { place, kind, required }| (place, (held(&kind), required))).collect()
}

/// SQLite keeps truth values as whole numbers.
fn held(kind: &str) -> &'static str {
    match kind.to_ascii_lowercase().as_str() {
        "integer" | "bigint" | "boolean" => "number",
        "text" => "text",
        "blob" | "bytea" => "bytes",
        other => panic!("a column of type {other}: say here what stands for it on the other engine"),
    }
}

/// Table and name of each index that is no key's, and whether a value is in it once.
async fn indexes(conn: &mut Conn) -> BTreeSet<(String, bool)> {
    let indexes: Vec<Index> = match conn.engine() {
        Engine::Postgres => sql("SELECT tablename::text || '.' || indexname::text AS place,
                                        indexdef LIKE 'CREATE UNIQUE %' AS single
                                 FROM pg_indexes WHERE schemaname = current_schema()
                                 AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname)"),
        Engine::Sqlite => sql("SELECT tbl_name || '.' || name AS place, sql LIKE 'CREATE UNIQUE %' AS single
                               FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"),
    }
    .all(conn)
    .await
    .unwrap();
    indexes.into_iter().map(|Index { place, single }| (place, single)).collect()
}

/// An empty PostgreSQL of this test's own, where there is a server.
async fn postgres(name: &str) -> Option<Location> {
    let name = format!("kw_{name}_{}", std::process::id());
    Some(crate::cast::fresh_postgres(&crate::explain::server()?, &name).await.unwrap())
}

#[tokio::test]
async fn both_engines_have_the_same_tables_columns_and_indexes() {
    let Some(location) = postgres("alike").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Store::open(&Location::Sqlite(folder.path().join("a.db"))).await.unwrap();
    let postgres = Store::open(&location).await.unwrap();
    let (mut one, mut other) = (sqlite.read().await.unwrap(), postgres.read().await.unwrap());
    let here = columns(&mut one).await;
    assert!(here.len() > 300, "{here:?}");
    assert_eq!(here, columns(&mut other).await);
    let mut there = indexes(&mut other).await;
    there.retain(|(place, _)| !POSTGRES_ALONE.contains(&place.as_str()));
    assert_eq!(indexes(&mut one).await, there);
}

#[tokio::test]
async fn nodes_that_start_at_once_on_an_empty_database_make_one_schema() {
    let Some(location) = postgres("at_once").await else { return };
    let nodes = join_all((0..4).map(|_| Store::open(&location))).await;
    for node in nodes {
        let mut conn = node.unwrap().read().await.unwrap();
        let schema = instance::schema(&mut conn).await.unwrap();
        assert_eq!((schema.version, schema.oldest_compatible), (VERSION, SETTLED));
        let run =
            number(sql("SELECT count(*) AS number FROM _sqlx_migrations WHERE success"), &mut conn).await;
        assert_eq!(usize::try_from(run.unwrap()).unwrap(), POSTGRES.iter().count());
    }
}
