//! Connections: one for reading, and one inside a write.

use std::{
    future::Future,
    io, mem,
    ops::{Deref, DerefMut},
    time::Duration,
};

use sqlx::{PgConnection, Postgres, Sqlite, SqliteConnection, pool::PoolConnection};
use tokio::time::timeout;

use crate::{Engine, StoreError, dialect};

/// A connection that reads.
#[derive(Debug)]
pub struct Conn {
    held: Held,
    collided: bool,
    broken: bool,
    unsynced: bool,
    /// How long a statement may take before the database counts as gone.
    patience: Duration,
}

#[derive(Debug)]
enum Held {
    Postgres(PoolConnection<Postgres>),
    Sqlite(PoolConnection<Sqlite>),
}

/// The connection, as sqlx wants it.
pub(crate) enum Link<'c> {
    Postgres(&'c mut PgConnection),
    Sqlite(&'c mut SqliteConnection),
}

impl Conn {
    pub(crate) fn postgres(held: PoolConnection<Postgres>, patience: Duration) -> Self {
        Self { held: Held::Postgres(held), collided: false, broken: false, unsynced: false, patience }
    }

    /// SQLite is in this process: it fails, but it never falls silent.
    pub(crate) fn sqlite(held: PoolConnection<Sqlite>) -> Self {
        let held = Held::Sqlite(held);
        Self { held, collided: false, broken: false, unsynced: false, patience: Duration::MAX }
    }

    pub(crate) fn link(&mut self) -> Link<'_> {
        match &mut self.held {
            Held::Postgres(held) => Link::Postgres(held),
            Held::Sqlite(held) => Link::Sqlite(held),
        }
    }

    /// Which engine answers.
    pub fn engine(&self) -> Engine {
        match self.held {
            Held::Postgres(_) => Engine::Postgres,
            Held::Sqlite(_) => Engine::Sqlite,
        }
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// Passes a result on, noting whether two transactions got in each other's way, whether the wire broke, and whether the
    /// disk did not keep what it was given.
    pub(crate) fn learn<T>(&mut self, ran: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        ran.map_err(|error| {
            self.collided |= dialect::is_collision(&error);
            self.unsynced |= dialect::is_unsynced(&error);
            if let (Held::Postgres(held), sqlx::Error::Io(_)) = (&mut self.held, &error) {
                held.close_on_drop(); // it stopped in the middle of something
                self.broken = true;
            }
            error.into()
        })
    }

    /// Whether the connection is good for nothing more.
    pub(crate) fn broken(&self) -> bool {
        self.broken
    }

    /// Whether a statement failed only because another transaction came in between.
    pub(crate) fn collided(&self) -> bool {
        self.collided
    }

    /// Whether a sync failed, so that nobody knows what is on the disk.
    pub(crate) fn unsynced(&self) -> bool {
        self.unsynced
    }

    /// Runs one statement of the transaction's own grammar (`BEGIN`, `SAVEPOINT` …).
    pub(crate) async fn control(&mut self, statement: &'static str) -> Result<(), StoreError> {
        let patience = self.patience;
        let ran = match self.link() {
            Link::Postgres(link) => {
                within(patience, sqlx::raw_sql(statement).execute(&mut *link)).await.map(drop)
            }
            Link::Sqlite(link) => sqlx::raw_sql(statement).execute(&mut *link).await.map(drop),
        };
        self.learn(ran)
    }

    /// Never closes it: the last connection that closes moves SQLite's log into its file and removes it, and would take a
    /// second sync for the first.
    pub(crate) fn leave_open(self) {
        mem::forget(self);
    }

    /// Throws the connection away instead of giving it back in the middle of something.
    pub(crate) fn close(self) {
        match self.held {
            Held::Postgres(held) => drop(held.detach()),
            Held::Sqlite(held) => drop(held.detach()),
        }
    }
}

/// A network that drops everything says nothing, and TCP takes minutes to notice: an answer that is late is an error.
pub(crate) async fn within<T>(
    patience: Duration,
    running: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let late = || {
        let says = format!("no answer within {} ms", patience.as_millis());
        sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, says))
    };
    timeout(patience, running).await.unwrap_or_else(|_| Err(late()))
}

/// A connection inside a write; only [`crate::Store::write`] and its silent sister make one.
#[derive(Debug)]
pub struct Tx(Conn);

impl Tx {
    pub(crate) fn new(conn: Conn) -> Self {
        Self(conn)
    }

    pub(crate) fn into_conn(self) -> Conn {
        self.0
    }
}

impl Deref for Tx {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.0
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.0
    }
}
