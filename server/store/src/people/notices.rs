//! What people are told on their next visit.

use chrono::{DateTime, Utc};
use keywarden_model::{MessageId, NoticeId, SecretId, UserId};

use crate::{Conn, StoreError, Tx, count::number, filter::Select, sql};

/// A notice.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Row {
    /// The id.
    #[sqlx(try_from = "String")]
    pub id: NoticeId,
    /// Its kind's word.
    pub kind: String,
    /// Whom it is about.
    #[sqlx(try_from = "String")]
    pub about: UserId,
    /// What that person is called now.
    pub about_name: String,
    /// Which secret it is about, beside them.
    pub secret_id: Option<String>,
    /// When it happened, in microseconds.
    pub at: i64,
    /// When the person had read it, in microseconds.
    pub dismissed_at: Option<i64>,
    /// The message that it was made of.
    pub message_id: Option<String>,
    /// The name of the event that the message tells of.
    pub event: Option<String>,
    /// What that was done to: its kind.
    pub resource_kind: Option<String>,
    /// Its id.
    pub resource_id: Option<String>,
    /// JSON, from the event.
    pub facts: Option<String>,
}

/// A notice to be written.
#[derive(Debug, Clone)]
pub struct Insert {
    /// The id.
    pub id: NoticeId,
    /// Who is told.
    pub user: UserId,
    /// Its kind's word.
    pub kind: &'static str,
    /// Whom it is about.
    pub about: UserId,
    /// Which secret it is about, beside them.
    pub secret: Option<SecretId>,
    /// The message that it is made of.
    pub message: Option<MessageId>,
}

/// Writes it.
pub async fn insert(tx: &mut Tx, row: &Insert, now: DateTime<Utc>) -> Result<(), StoreError> {
    sql("INSERT INTO notices (id, user_id, kind, about, secret_id, message_id, at) VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(row.id)
        .bind(row.user)
        .bind(row.kind)
        .bind(row.about)
        .bind(row.secret)
        .bind(row.message)
        .bind(now)
        .execute_one(tx, "notices")
        .await
}

const COLUMNS: &str = "SELECT n.id, n.kind, n.about, u.name AS about_name, n.secret_id, n.at, n.dismissed_at, n.message_id, m.event,
           m.resource_kind, m.resource_id, m.facts
    FROM notices n JOIN users u ON u.id = n.about LEFT JOIN messages m ON m.id = n.message_id";

/// What is looked for of one person's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only those that they have not read.
    pub unread: bool,
    /// Only older ones than this.
    pub before: Option<NoticeId>,
}

/// A person's notices, newest first.
pub async fn list(conn: &mut Conn, user: UserId, filter: Filter, limit: u32) -> Result<Vec<Row>, StoreError> {
    page(user, filter).then(NEWEST_FIRST, [limit]).all(conn).await
}

pub(crate) const NEWEST_FIRST: &str = "ORDER BY n.id DESC LIMIT ?";

pub(crate) fn page(user: UserId, filter: Filter) -> Select {
    let mut select = Select::from(COLUMNS).and("n.user_id = ?", [user]);
    if filter.unread {
        select = select.and::<i64>("n.dismissed_at IS NULL", []);
    }
    if let Some(before) = filter.before {
        select = select.and("n.id < ?", [before]);
    }
    select
}

/// How many a person has not read, no further than to `limit`.
pub async fn unread(conn: &mut Conn, user: UserId, limit: i64) -> Result<i64, StoreError> {
    let counted = sql("SELECT count(*) AS number FROM (SELECT 1 AS one FROM notices
                       WHERE user_id = $1 AND dismissed_at IS NULL LIMIT $2) counted");
    number(counted.bind(user).bind(limit), conn).await
}

/// Marks all of a person's that are not newer than `last` as read; how many.
pub async fn dismiss_all(
    tx: &mut Tx,
    user: UserId,
    last: NoticeId,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    sql("UPDATE notices SET dismissed_at = $1 WHERE user_id = $2 AND id <= $3 AND dismissed_at IS NULL")
        .bind(now)
        .bind(user)
        .bind(last)
        .execute(tx)
        .await
}

/// Dismisses one of a person's; false if there is none.
pub async fn dismiss(
    tx: &mut Tx,
    id: NoticeId,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let dismissed =
        sql("UPDATE notices SET dismissed_at = $1 WHERE id = $2 AND user_id = $3 AND dismissed_at IS NULL")
            .bind(now)
            .bind(id)
            .bind(user)
            .execute(tx)
            .await?;
    Ok(dismissed == 1)
}
