use super::*;
use crate::{WriteError, sql};

#[derive(sqlx::FromRow)]
struct Journal {
    journal_mode: String,
}

#[derive(sqlx::FromRow)]
struct Synchronous {
    synchronous: i64,
}

/// How a connection keeps what was written.
async fn lasting(conn: &mut Conn) -> Result<(String, i64), StoreError> {
    let Journal { journal_mode } = sql("PRAGMA journal_mode").one(conn).await?;
    let Synchronous { synchronous } = sql("PRAGMA synchronous").one(conn).await?;
    Ok((journal_mode, synchronous))
}

#[tokio::test]
async fn sqlite_writes_ahead_and_waits_for_the_disk_on_every_connection() {
    let full = ("wal".to_owned(), 2);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&Location::Sqlite(folder.path().join("a.db"))).await.unwrap();
    let (mut one, mut other) = (store.read().await.unwrap(), store.read().await.unwrap());
    for reader in [&mut one, &mut other] {
        assert_eq!(lasting(reader).await.unwrap(), full);
    }
    let written = store
        .write_silently("a test asks the writer", |tx| Box::pin(async move { lasting(tx).await }))
        .await
        .map_err(|error: WriteError<StoreError>| error.to_string());
    assert_eq!(written.unwrap(), full);
}

/// Bytes in SQLite's log.
fn logged(path: &Path) -> u64 {
    std::fs::metadata(path.with_file_name("a.db-wal")).unwrap().len()
}

async fn fill(store: &Store) {
    let filled = store
        .write_silently("a test fills the log", |tx| {
            let blob = "INSERT INTO subjects (id, sealed_key, created_at) VALUES (hex(randomblob(8)), zeroblob(1500000), 1)";
            Box::pin(async move { sql(blob).execute(tx).await.map(drop) })
        })
        .await
        .map_err(|error: WriteError<StoreError>| error.to_string());
    filled.unwrap();
}

#[tokio::test]
async fn the_log_is_moved_into_the_file_once_it_is_long_and_whenever_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let there = Location::Sqlite(path.clone());
    let store = Store::open(&there).await.unwrap();
    assert_eq!(logged(&path), 0, "of the migrations nothing is left in it");
    // A megabyte and a half each: were it never moved, the log would have fifteen.
    for _ in 0..10 {
        fill(&store).await;
    }
    let long = logged(&path);
    assert!((1_500_000..7_000_000).contains(&long), "{long}");
    // As if it had been killed: what it has in its log is taken over by whoever opens the file.
    let other = Store::open(&there).await.unwrap();
    assert_eq!(logged(&path), 0);
    drop((store, other));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_not_called_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let (empty, broken) = (folder.path().join("empty.db"), folder.path().join("broken.db"));
    std::fs::write(&empty, "").unwrap();
    std::fs::write(&broken, "no database any more").unwrap();
    let looked = Store::inspect(&Location::Sqlite(empty)).await.unwrap_err();
    assert!(matches!(looked, OpenError::Migrate(MigrateError::Empty)), "{looked}");
    let looked = Store::inspect(&Location::Sqlite(broken)).await.unwrap_err();
    assert!(matches!(looked, OpenError::Connect { passing: false, .. }), "{looked}");
    if let Some(server) = crate::explain::server() {
        let name = format!("kw_inspect_{}", std::process::id());
        let fresh = crate::cast::fresh_postgres(&server, &name).await.unwrap();
        let looked = Store::inspect(&fresh).await.unwrap_err();
        assert!(matches!(looked, OpenError::Migrate(MigrateError::Empty)), "{looked}");
    }
}

#[tokio::test]
async fn many_open_one_new_file_at_once() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let there = Location::Sqlite(folder.path().join("a.db"));
        let opened = futures_util::future::join_all((0..8).map(|_| Store::open(&there))).await;
        for store in opened {
            let store = store.unwrap();
            let schema = instance::schema(&mut store.read().await.unwrap()).await.unwrap();
            assert_eq!(schema.version, migrate::VERSION);
        }
    }
}

#[tokio::test]
async fn a_file_that_somebody_reads_is_opened_once_they_have_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let plain = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut reader = plain.journal_mode(SqliteJournalMode::Delete).connect().await.unwrap();
    sqlx::raw_sql("CREATE TABLE there (id INTEGER); BEGIN; SELECT * FROM there")
        .execute(&mut reader)
        .await
        .unwrap();
    let there = Location::Sqlite(path);
    let (opened, ()) = tokio::join!(Store::open(&there), async {
        sleep(6 * PAUSE).await;
        sqlx::raw_sql("COMMIT").execute(&mut reader).await.unwrap();
    });
    assert_eq!(lasting(&mut opened.unwrap().read().await.unwrap()).await.unwrap().0, "wal");
}

#[tokio::test]
async fn what_is_erased_is_overwritten_in_the_file() {
    const MARK: &[u8] = b"7d1c90aa-was-a-wrapped-key";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = Store::open(&Location::Sqlite(path.clone())).await.unwrap();
    let mut other = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    let mut steps = Vec::new();
    for step in [
        "CREATE TABLE erased (id INTEGER PRIMARY KEY, body TEXT) STRICT",
        "INSERT INTO erased (body) VALUES ('7d1c90aa-was-a-wrapped-key'), ('stays')",
        "UPDATE erased SET body = NULL WHERE id = 1",
    ] {
        let written = store
            .write_silently("a test erases", move |tx| {
                Box::pin(async move { sql(step).execute(tx).await.map(drop) })
            })
            .await
            .map_err(|error: WriteError<StoreError>| error.to_string());
        written.unwrap();
        sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut other).await.unwrap();
        let file = std::fs::read(&path).unwrap();
        steps.push(file.windows(MARK.len()).any(|it| it == MARK));
    }
    assert_eq!(steps, [false, true, false]);
}

#[derive(sqlx::FromRow)]
struct Commits {
    setting: String,
}

const SETTING: &str = "SELECT current_setting('synchronous_commit') AS setting";

#[tokio::test]
async fn postgres_waits_for_its_disk_though_the_database_is_set_not_to() {
    let Some(server) = crate::explain::server() else { return };
    for (set, wanted) in [("off", "on"), ("remote_apply", "remote_apply")] {
        let name = format!("kw_waits_{set}_{}", std::process::id());
        let location = crate::cast::fresh_postgres(&server, &name).await.unwrap();
        let Location::Postgres(url) = &location else { unreachable!() };
        let pool = PgPool::connect(url).await.unwrap();
        let careless = format!("ALTER DATABASE {name} SET synchronous_commit = {set}");
        sqlx::query(sqlx::AssertSqlSafe(careless)).execute(&pool).await.unwrap();
        let store = Store::open(&location).await.unwrap();
        let mut conn = store.read().await.unwrap();
        assert_eq!(sql(SETTING).one::<Commits>(&mut conn).await.unwrap().setting, wanted);
        let written = store
            .write_silently("a test asks a write", |tx| {
                Box::pin(async move { sql(SETTING).one::<Commits>(tx).await })
            })
            .await
            .map_err(|error: WriteError<StoreError>| error.to_string());
        assert_eq!(written.unwrap().setting, wanted);
    }
}
