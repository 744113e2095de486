//! Channels: by which ways messages leave, what they listen to.

use chrono::{DateTime, Utc};
use keywarden_model::{ChannelId, Name, UserId};

use crate::{Conn, StoreError, Tx, count::number, filter::Select, sql};

/// A channel.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Row {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: ChannelId,
    /// A [`keywarden_model::ChannelKind`]'s word.
    pub kind: String,
    /// Whose own it is; `None`: the organization's.
    pub user_id: Option<String>,
    /// What people call it.
    pub name: String,
    /// Where it leads and what signs, sealed.
    pub sealed: Vec<u8>,
    /// Kinds of messages between commas, or nothing where it carries all.
    pub kinds: String,
    /// Since when it carries nothing, in microseconds.
    pub paused_at: Option<i64>,
    /// Until when the secret before this one signs too, in microseconds.
    pub old_until: Option<i64>,
    /// When it was made, in microseconds.
    pub created_at: i64,
    /// By whom: an actor's id.
    pub created_by: String,
    /// Grows with each change.
    pub row_version: i64,
}

/// A channel to be written.
#[derive(Debug, Clone)]
pub struct Insert<'a> {
    /// Its id.
    pub id: ChannelId,
    /// A [`keywarden_model::ChannelKind`]'s word.
    pub kind: &'static str,
    /// Whose own it is; `None`: the organization's.
    pub user: Option<UserId>,
    /// What people call it.
    pub name: &'a Name,
    /// Where it leads and what signs, sealed.
    pub sealed: &'a [u8],
    /// Kinds of messages between commas.
    pub kinds: &'a str,
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: &'a str,
}

const COLUMNS: &str =
    "SELECT id, kind, user_id, name, sealed, kinds, paused_at, old_until, created_at, created_by, row_version
    FROM channels";

/// Writes it.
pub async fn insert(tx: &mut Tx, row: Insert<'_>) -> Result<(), StoreError> {
    sql("INSERT INTO channels (id, kind, user_id, name, sealed, kinds, created_at, created_by, row_version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)")
    .bind(row.id)
    .bind(row.kind)
    .bind(row.user)
    .bind(row.name.as_str())
    .bind(row.sealed)
    .bind(row.kinds)
    .bind(row.created_at)
    .bind(row.created_by)
    .execute_one(tx, "channels")
    .await
}

/// One of them.
pub async fn find(conn: &mut Conn, id: ChannelId) -> Result<Option<Row>, StoreError> {
    Select::from(COLUMNS).and("id = ?", [id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// Those of a person, or the organization's; oldest first.
pub async fn of(conn: &mut Conn, user: Option<UserId>, limit: u32) -> Result<Vec<Row>, StoreError> {
    owned(user).then(OLDEST_FIRST, [limit]).all(conn).await
}

pub(crate) const OLDEST_FIRST: &str = "ORDER BY id LIMIT ?";

pub(crate) fn owned(user: Option<UserId>) -> Select {
    match user {
        Some(user) => Select::from(COLUMNS).and("user_id = ?", [user]),
        None => Select::from(COLUMNS).and::<i64>("user_id IS NULL", []),
    }
}

/// All of them, along their ids.
pub async fn along(conn: &mut Conn, after: &str, limit: i64) -> Result<Vec<Row>, StoreError> {
    Select::from(COLUMNS).and("id > ?", [after]).then(OLDEST_FIRST, [limit]).all(conn).await
}

/// Those of any of these people and of the organization that are not paused.
pub async fn open(conn: &mut Conn, people: &[UserId], limit: u32) -> Result<Vec<Row>, StoreError> {
    let mut open: Vec<Row> = of(conn, None, limit).await?;
    if !people.is_empty() {
        let own = Select::from(COLUMNS).and_in("user_id", people.iter().copied());
        open.extend(own.then(OLDEST_FIRST, [limit]).all::<Row>(conn).await?);
    }
    open.retain(|row| row.paused_at.is_none());
    Ok(open)
}

/// How many a person or the organization has.
pub async fn count(conn: &mut Conn, user: Option<UserId>) -> Result<i64, StoreError> {
    let counted = match user {
        Some(user) => sql("SELECT count(*) AS number FROM channels WHERE user_id = $1").bind(user),
        None => sql("SELECT count(*) AS number FROM channels WHERE user_id IS NULL"),
    };
    number(counted, conn).await
}

/// Gives it another name and other kinds; [`StoreError::Stale`] when it was changed meanwhile.
pub async fn edit(
    tx: &mut Tx,
    id: ChannelId,
    (name, kinds): (&Name, &str),
    row_version: i64,
) -> Result<(), StoreError> {
    sql("UPDATE channels SET name = $1, kinds = $2, row_version = row_version + 1 WHERE id = $3 AND row_version = $4")
        .bind(name.as_str())
        .bind(kinds)
        .bind(id)
        .bind(row_version)
        .execute_one(tx, "channels")
        .await
}

/// Pauses it at an instant, or lets it go on; false if it was so already.
pub async fn pause(tx: &mut Tx, id: ChannelId, at: Option<DateTime<Utc>>) -> Result<bool, StoreError> {
    let changed = match at {
        Some(at) => {
            sql("UPDATE channels SET paused_at = $1, row_version = row_version + 1 WHERE id = $2 AND paused_at IS NULL")
                .bind(at)
        }
        None => {
            sql("UPDATE channels SET paused_at = $1, row_version = row_version + 1
                 WHERE id = $2 AND paused_at IS NOT NULL")
            .bind(None::<i64>)
        }
    };
    Ok(changed.bind(id).execute(tx).await? == 1)
}

/// Puts other secrets in; [`StoreError::Stale`] when it was changed meanwhile.
pub async fn reseal(
    tx: &mut Tx,
    id: ChannelId,
    sealed: &[u8],
    old_until: DateTime<Utc>,
    row_version: i64,
) -> Result<(), StoreError> {
    sql("UPDATE channels SET sealed = $1, old_until = $2, row_version = row_version + 1 WHERE id = $3 AND row_version = $4")
        .bind(sealed)
        .bind(old_until)
        .bind(id)
        .bind(row_version)
        .execute_one(tx, "channels")
        .await
}

/// Removes it, with what it was to carry and what is known of what it carried.
pub async fn delete(tx: &mut Tx, id: ChannelId) -> Result<bool, StoreError> {
    sql("DELETE FROM deliveries WHERE channel_id = $1").bind(id).execute(tx).await?;
    Ok(sql("DELETE FROM channels WHERE id = $1").bind(id).execute(tx).await? == 1)
}
