//! Connections: one for reading, and one inside a write.

use std::ops::{Deref, DerefMut};

use sqlx::{PgConnection, Postgres, Sqlite, SqliteConnection, pool::PoolConnection};

use crate::{Engine, StoreError, dialect};

/// A connection that reads.
#[derive(Debug)]
pub struct Conn {
    held: Held,
    collided: bool,
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
    pub(crate) fn postgres(held: PoolConnection<Postgres>) -> Self {
        Self { held: Held::Postgres(held), collided: false }
    }

    pub(crate) fn sqlite(held: PoolConnection<Sqlite>) -> Self {
        Self { held: Held::Sqlite(held), collided: false }
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

    /// Passes a result on, noting whether two transactions got in each other's way.
    pub(crate) fn learn<T>(&mut self, ran: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        ran.map_err(|error| {
            self.collided |= dialect::is_collision(&error);
            error.into()
        })
    }

    /// Whether a statement failed only because another transaction came in between.
    pub(crate) fn collided(&self) -> bool {
        self.collided
    }

    /// Runs one statement of the transaction's own grammar (`BEGIN`, `SAVEPOINT` …).
    pub(crate) async fn control(&mut self, statement: &'static str) -> Result<(), StoreError> {
        let ran = match self.link() {
            Link::Postgres(link) => sqlx::raw_sql(statement).execute(&mut *link).await.map(drop),
            Link::Sqlite(link) => sqlx::raw_sql(statement).execute(&mut *link).await.map(drop),
        };
        self.learn(ran)
    }

    /// Throws the connection away instead of giving it back in the middle of something.
    pub(crate) fn close(self) {
        match self.held {
            Held::Postgres(held) => drop(held.detach()),
            Held::Sqlite(held) => drop(held.detach()),
        }
    }
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
