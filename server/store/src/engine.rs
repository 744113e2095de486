//! Opening either engine.

use std::{
    fmt,
    future::Future,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::{sync::mpsc, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Conn, MigrateError, StoreError, dialect, folder, instance, migrate,
    turn::Turn,
    write::{Job, write_in_groups},
};

/// How long a request waits for a connection; it is answered within three seconds whatever the database does.
const ACQUIRE: Duration = Duration::from_millis(2_500);
/// How long a server waits for a statement.
const SERVING: Duration = Duration::from_millis(2_500);
/// How long a command waits that looks at everything.
const LOOKING: Duration = Duration::from_mins(1);
/// How long a start waits for a change of the schema, its own or another node's, and whoever fills a store for a statement.
const MIGRATING: Duration = Duration::from_hours(1);
/// How long a statement waits for another's lock.
const LOCKED: Duration = Duration::from_secs(2);
/// How long a statement of SQLite waits for another process.
const BUSY: Duration = Duration::from_secs(5);
/// How long whoever cannot be woken waits before the next try.
const PAUSE: Duration = Duration::from_millis(50);
/// A commit waits for PostgreSQL's disk, whatever the cluster, the database or the role is set to: what is acknowledged is
/// kept. A setting that waits for more, or for a standby, stays.
const WAITS: &str = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";
/// Writes that may wait for SQLite's writer.
const QUEUE: usize = 4096;

/// Which engine keeps the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// Several nodes.
    Postgres,
    /// One machine.
    Sqlite,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        })
    }
}

/// Where the records are.
#[derive(Clone)]
pub enum Location {
    /// A connection URL; it may hold a password.
    Postgres(String),
    /// A file; made if it is not there.
    Sqlite(PathBuf),
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(_) => f.write_str("Postgres"),
            Self::Sqlite(path) => write!(f, "Sqlite({})", path.display()),
        }
    }
}

/// Why the records cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The engine does not answer, or refuses.
    #[error("cannot open {what}: {cause}")]
    Connect {
        /// The engine and place.
        what: String,
        /// Its words.
        cause: String,
        /// True if the engine is not there (yet), so that trying again later may help.
        passing: bool,
    },
    /// The schema does not fit.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
}

/// The records. Cheap to clone; everything clones share is inside.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    db: Db,
    tasks: TaskTracker,
    patience: Duration,
}

pub(crate) enum Db {
    Postgres(PgPool),
    Sqlite { readers: SqlitePool, writer: mpsc::Sender<Box<dyn Job>>, lost: CancellationToken, path: PathBuf },
}

impl Store {
    /// Opens the records and brings their schema up to this version's.
    pub async fn open(location: &Location) -> Result<Self, OpenError> {
        Self::open_to(location, SERVING).await
    }

    /// The same for a command that fills an empty store: no request waits behind it, and a statement of it may take as long as
    /// a busy disk makes it.
    pub async fn open_to_fill(location: &Location) -> Result<Self, OpenError> {
        Self::open_to(location, MIGRATING).await
    }

    async fn open_to(location: &Location, patience: Duration) -> Result<Self, OpenError> {
        match location {
            Location::Sqlite(path) => Self::open_sqlite(path).await,
            Location::Postgres(url) => Self::open_postgres(url, patience).await,
        }
    }

    /// Opens records that are there and have this version's schema, to read only. Nothing is made or migrated.
    pub async fn inspect(location: &Location) -> Result<Self, OpenError> {
        let store = match location {
            Location::Sqlite(path) => Self::inspect_sqlite(path).await?,
            Location::Postgres(url) => Self::connect_postgres(url, LOOKING).await?,
        };
        let schema = match store.read().await {
            Ok(mut conn) => instance::schema_if_any(&mut conn).await,
            Err(error) => Err(error),
        };
        match schema {
            Ok(Some(schema)) => migrate::fits((schema.version, schema.oldest_compatible))?,
            Ok(None) => return Err(MigrateError::Empty.into()),
            // A file that is damaged is no empty one.
            Err(error) => {
                let what = store.engine().to_string();
                return Err(OpenError::Connect {
                    what,
                    passing: error.is_passing(),
                    cause: error.to_string(),
                });
            }
        }
        Ok(store)
    }

    async fn inspect_sqlite(path: &Path) -> Result<Self, OpenError> {
        let _turn = Turn::at(path, LOOKING).await;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(ACQUIRE)
            .connect_with(
                SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(false)
                    .busy_timeout(BUSY)
                    .pragma("query_only", "ON"),
            )
            .await
            .map_err(|cause| OpenError::Connect {
                what: format!("SQLite file {}", path.display()),
                cause: cause.to_string(),
                passing: false,
            })?;
        let (writer, _) = mpsc::channel(1); // nobody listens: a write is refused
        Ok(Self(Arc::new(Inner {
            db: Db::Sqlite { readers, writer, lost: CancellationToken::new(), path: path.to_owned() },
            tasks: TaskTracker::new(),
            patience: LOOKING,
        })))
    }

    async fn open_sqlite(path: &Path) -> Result<Self, OpenError> {
        let failed = |cause: sqlx::Error| OpenError::Connect {
            what: format!("SQLite file {}", path.display()),
            passing: dialect::is_busy(&cause),
            cause: cause.to_string(),
        };
        // Until it is open: of two processes on a new file one makes it, and the other finds it made.
        let _turn = Turn::at(path, MIGRATING).await;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .pragma("journal_size_limit", "67108864")
            // The writer does it, and hears when it fails.
            .pragma("wal_autocheckpoint", "0")
            .pragma("cell_size_check", "ON")
            // What is erased is overwritten, not only let go of.
            .pragma("secure_delete", "ON")
            .pragma("temp_store", "MEMORY")
            .statement_cache_capacity(256);
        let one = SqlitePoolOptions::new().max_connections(1).min_connections(1).acquire_timeout(ACQUIRE);
        let one = one.idle_timeout(None).max_lifetime(None);
        let own = connect_patiently(one, options.clone()).await.map_err(failed)?;
        migrate::sqlite(&own, path).await?;
        settle(&own, path).await.map_err(failed)?;
        let eight = SqlitePoolOptions::new().max_connections(8).acquire_timeout(ACQUIRE);
        let eight = eight.idle_timeout(None).max_lifetime(None);
        let readers = connect_patiently(eight, options.pragma("query_only", "ON")).await.map_err(failed)?;
        let (writer, waiting) = mpsc::channel(QUEUE);
        let lost = CancellationToken::new();
        let writing = write_in_groups(own, waiting, lost.clone());
        let store = Self(Arc::new(Inner {
            db: Db::Sqlite { readers, writer, lost, path: path.to_owned() },
            tasks: TaskTracker::new(),
            patience: SERVING,
        }));
        store.in_background(writing);
        Ok(store)
    }

    async fn open_postgres(url: &str, patience: Duration) -> Result<Self, OpenError> {
        let migrating = Self::connect_postgres(url, MIGRATING).await?;
        if let Db::Postgres(pool) = migrating.db() {
            migrate::postgres(pool).await?;
            pool.close().await;
        }
        Self::connect_postgres(url, patience).await
    }

    async fn connect_postgres(url: &str, patience: Duration) -> Result<Self, OpenError> {
        let failed = |cause: sqlx::Error| OpenError::Connect {
            what: "PostgreSQL".into(),
            cause: cause.to_string(),
            passing: StoreError::from(cause).is_passing(),
        };
        let limit = patience.as_millis().to_string();
        let locked = if patience == MIGRATING { MIGRATING } else { LOCKED }.as_millis().to_string();
        let options = PgConnectOptions::from_str(url)
            .map_err(failed)?
            .application_name("keywarden")
            .statement_cache_capacity(256)
            .options([
                ("statement_timeout", limit.as_str()),
                ("lock_timeout", locked.as_str()),
                ("idle_in_transaction_session_timeout", "20000"),
            ]);
        // A pool would try again until its patience ends, and then say only that it timed out.
        options.connect().await.map_err(failed)?.close().await.map_err(failed)?;
        let pool = PgPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(ACQUIRE)
            .after_connect(|conn, _| {
                Box::pin(async move { sqlx::query(WAITS).execute(conn).await.map(drop) })
            })
            .connect_with(options)
            .await
            .map_err(failed)?;
        Ok(Self(Arc::new(Inner { db: Db::Postgres(pool), tasks: TaskTracker::new(), patience })))
    }

    /// A connection to read with. What it sees are other writes' commits, never a half of one.
    pub async fn read(&self) -> Result<Conn, StoreError> {
        Ok(match self.db() {
            Db::Postgres(pool) => Conn::postgres(pool.acquire().await?, self.patience()),
            Db::Sqlite { readers, .. } => Conn::sqlite(readers.acquire().await?),
        })
    }

    /// Until the disk failed to sync SQLite's file: then nobody knows what is on it, this process writes nothing more, and
    /// must end; the next start goes by what it finds. PostgreSQL ends by itself, and comes back.
    pub async fn lost(&self) {
        match self.db() {
            Db::Postgres(_) => std::future::pending().await,
            Db::Sqlite { lost, .. } => lost.cancelled().await,
        }
    }

    /// Which engine keeps the records.
    pub fn engine(&self) -> Engine {
        match self.db() {
            Db::Postgres(_) => Engine::Postgres,
            Db::Sqlite { .. } => Engine::Sqlite,
        }
    }

    /// SQLite's file.
    pub fn path(&self) -> Option<&Path> {
        match self.db() {
            Db::Postgres(_) => None,
            Db::Sqlite { path, .. } => Some(path),
        }
    }

    pub(crate) fn patience(&self) -> Duration {
        self.0.patience
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    /// Runs to its end whoever asked for it goes away.
    #[expect(clippy::disallowed_methods, reason = "a write that has begun is not cut off with its caller")]
    pub(crate) fn in_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.0.tasks.track_future(work));
    }
}

/// What a process left in the log that was killed, or whose disk failed, may be in memory only, whatever is read of it: all of
/// it comes into the file, synced, before anything is written behind it. So does the log's name, for SQLite syncs the folder
/// without listening.
async fn settle(own: &SqlitePool, path: &Path) -> Result<(), sqlx::Error> {
    let mut conn = own.acquire().await?;
    if let Err(cause) = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut *conn).await {
        if dialect::is_unsynced(&cause) {
            Conn::sqlite(conn).leave_open();
        }
        if !dialect::is_full(&cause) {
            return Err(cause);
        }
        // The log was synced before the file was written to: nothing of it can get lost, and all of it can be read.
        tracing::warn!(%cause, path = %path.display(), "the log is moved into the file once there is room");
    }
    folder::sync(path).map_err(sqlx::Error::Io)
}

/// A file becomes a write-ahead one under a lock that SQLite does not wait for, though somebody who reads it goes away again.
async fn connect_patiently(
    pool: SqlitePoolOptions,
    options: SqliteConnectOptions,
) -> Result<SqlitePool, sqlx::Error> {
    let mut waited = Duration::ZERO;
    loop {
        match pool.clone().connect_with(options.clone()).await {
            Err(cause) if dialect::is_busy(&cause) && waited < BUSY => {
                sleep(PAUSE).await;
                waited = waited.saturating_add(PAUSE);
            }
            connected => return connected,
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.engine())
    }
}

#[cfg(test)]
mod tests;
