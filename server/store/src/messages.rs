//! Messages: written with the events that they tell of, and given to whom they concern afterwards.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use keywarden_model::{EventId, MessageId, ProjectId, UserId};

use crate::{Conn, StoreError, Tx, filter::Select, instance, sql};

/// Since this schema programs know of messages: notices that are made of them are read by no older one.
const KNOWN: i64 = 41;

/// Whether every program that may run on these records knows of messages.
pub async fn all_know(conn: &mut Conn) -> Result<bool, StoreError> {
    instance::schema(conn).await.map(|schema| schema.oldest_compatible >= KNOWN)
}

/// A message.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Row {
    /// Its id: the same in each attempt, by each channel.
    #[sqlx(try_from = "String")]
    pub id: MessageId,
    /// A [`keywarden_model::MessageKind`]'s word.
    pub kind: String,
    /// The event that it tells of.
    pub event_id: String,
    /// The event's name.
    pub event: String,
    /// Who did it.
    pub actor_kind: String,
    /// Their id, or a word.
    pub actor_id: String,
    /// What it was done to.
    pub resource_kind: String,
    /// Its id.
    pub resource_id: String,
    /// Its project.
    pub project_id: Option<String>,
    /// JSON, from the event.
    pub facts: String,
    /// When it happened, in microseconds.
    pub at: i64,
}

/// A message to be written.
#[derive(Debug, Clone)]
pub struct Insert<'a> {
    /// Its id.
    pub id: MessageId,
    /// A [`keywarden_model::MessageKind`]'s word.
    pub kind: &'static str,
    /// The event that it tells of, with its name.
    pub event: (EventId, &'a str),
    /// Who did it: kind and id.
    pub actor: (&'a str, &'a str),
    /// What it was done to: kind and id.
    pub resource: (&'a str, &'a str),
    /// Its project.
    pub project: Option<ProjectId>,
    /// JSON, from the event.
    pub facts: &'a str,
    /// What keeps it from being told twice.
    pub once: Option<&'a str>,
    /// When it happened.
    pub at: DateTime<Utc>,
}

const COLUMNS: &str = "SELECT id, kind, event_id, event, actor_kind, actor_id, resource_kind, resource_id, project_id, facts, at
    FROM messages";

/// Writes it, unless the same was told before.
pub async fn insert(tx: &mut Tx, row: &Insert<'_>) -> Result<(), StoreError> {
    sql("INSERT INTO messages (id, kind, event_id, event, actor_kind, actor_id, resource_kind, resource_id, project_id,
                               facts, once, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (once) DO NOTHING")
    .bind(row.id)
    .bind(row.kind)
    .bind(row.event.0)
    .bind(row.event.1)
    .bind(row.actor.0)
    .bind(row.actor.1)
    .bind(row.resource.0)
    .bind(row.resource.1)
    .bind(row.project)
    .bind(row.facts)
    .bind(row.once)
    .bind(row.at)
    .execute(tx)
    .await
    .map(drop)
}

/// Whether this was told before.
pub async fn was_told(conn: &mut Conn, once: &str) -> Result<bool, StoreError> {
    let found: Option<Row> =
        Select::from(COLUMNS).and("once = ?", [once]).then("LIMIT ?", [1_i64]).optional(conn).await?;
    Ok(found.is_some())
}

/// Those of which nobody has said yet whom they concern, the oldest first.
pub async fn to_route(conn: &mut Conn, limit: u32) -> Result<Vec<Row>, StoreError> {
    unrouted().then(OLDEST_FIRST, [limit]).all(conn).await
}

pub(crate) const OLDEST_FIRST: &str = "ORDER BY id LIMIT ?";

pub(crate) fn unrouted() -> Select {
    Select::from(COLUMNS).and::<i64>("routed_at IS NULL", [])
}

/// Takes one to be routed; false where another node has.
pub async fn take(tx: &mut Tx, id: MessageId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let taken = sql("UPDATE messages SET routed_at = $1 WHERE id = $2 AND routed_at IS NULL");
    Ok(taken.bind(now).bind(id).execute(tx).await? == 1)
}

/// One of them.
pub async fn find(conn: &mut Conn, id: MessageId) -> Result<Option<Row>, StoreError> {
    Select::from(COLUMNS).and("id = ?", [id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

#[derive(sqlx::FromRow)]
struct Word {
    kind: String,
}

/// Kinds that a person does not want to be told of: their words.
pub async fn silenced(conn: &mut Conn, user: UserId) -> Result<BTreeSet<String>, StoreError> {
    let rows: Vec<Word> =
        sql("SELECT kind FROM silenced_kinds WHERE user_id = $1").bind(user).all(conn).await?;
    Ok(rows.into_iter().map(|row| row.kind).collect())
}

/// Sets them.
pub async fn silence(tx: &mut Tx, user: UserId, kinds: &[&'static str]) -> Result<(), StoreError> {
    sql("DELETE FROM silenced_kinds WHERE user_id = $1").bind(user).execute(tx).await?;
    for kind in kinds {
        sql("INSERT INTO silenced_kinds (user_id, kind) VALUES ($1, $2)")
            .bind(user)
            .bind(*kind)
            .execute_one(tx, "silenced_kinds")
            .await?;
    }
    Ok(())
}
