//! The change counter: how nodes learn that a yes has become a no (HOUSE.md, one staleness rule).

use chrono::{DateTime, Utc};

use crate::{Conn, StoreError, Tx, dialect, sql};

/// Where the counter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, sqlx::FromRow)]
pub struct Counter {
    /// Grows by one with every restricting change.
    pub value: i64,
    /// The value at the last change of who may do what.
    pub authority: i64,
}

/// What a change was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// Roles, memberships, people, workloads, tokens: who may do what. Permits decided before it are void.
    Authority,
    /// One API key.
    Key,
    /// One session.
    Session,
}

impl ChangeKind {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authority => "authority",
            Self::Key => "key",
            Self::Session => "session",
        }
    }
}

/// One step of the counter.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Changed {
    /// The counter after it.
    pub value: i64,
    /// A [`ChangeKind`]'s word; an unknown one means: forget everything.
    pub kind: String,
    /// The typed id of what it was about.
    pub thing: String,
}

impl Tx {
    /// Notes that a yes may have become a no. Every node reads it within a second.
    pub async fn restrict(
        &mut self,
        kind: ChangeKind,
        thing: impl std::fmt::Display + Send,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let thing = thing.to_string();
        let moved = sql(dialect::step_counter(self.engine()));
        let counter: Counter = moved.bind(kind == ChangeKind::Authority).one(self).await?;
        sql("INSERT INTO changes (value, kind, thing, at) VALUES ($1, $2, $3, $4)")
            .bind(counter.value)
            .bind(kind.as_str())
            .bind(thing)
            .bind(now)
            .execute(self)
            .await?;
        dialect::announce_change(self).await
    }

    /// Whether who may do what is still what it was at `counter`; holds others off until the commit.
    pub(crate) async fn authority_stands(
        &mut self,
        counter: i64,
        restricts: bool,
    ) -> Result<bool, StoreError> {
        let now: Counter = sql(dialect::hold_counter(self.engine(), restricts)).one(self).await?;
        Ok(now.authority <= counter)
    }
}

/// Where the counter stands now.
pub async fn counter(conn: &mut Conn) -> Result<Counter, StoreError> {
    sql("SELECT value, authority FROM change_counter WHERE id = 1").one(conn).await
}

/// What changed after `after`, at most `limit` steps in order. Fewer than the counter says means that old steps are
/// gone: forget everything.
pub async fn since(conn: &mut Conn, after: i64, limit: i64) -> Result<Vec<Changed>, StoreError> {
    sql("SELECT value, kind, thing FROM changes WHERE value > $1 ORDER BY value LIMIT $2")
        .bind(after)
        .bind(limit)
        .all(conn)
        .await
}

/// Removes steps made before `before`: every node has long read them.
pub async fn forget(tx: &mut Tx, before: DateTime<Utc>) -> Result<u64, StoreError> {
    sql("DELETE FROM changes WHERE at < $1").bind(before).execute(tx).await
}
