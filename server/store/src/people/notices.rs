//! What people are told on their next visit.

use chrono::{DateTime, Utc};
use keywarden_model::{NoticeId, SecretId, UserId};

use crate::{Conn, StoreError, Tx, sql};

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
}

/// Writes it.
pub async fn insert(tx: &mut Tx, row: &Insert, now: DateTime<Utc>) -> Result<(), StoreError> {
    sql("INSERT INTO notices (id, user_id, kind, about, secret_id, at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(row.id)
        .bind(row.user)
        .bind(row.kind)
        .bind(row.about)
        .bind(row.secret)
        .bind(now)
        .execute_one(tx, "notices")
        .await
}

/// A person's notices that they have not dismissed, newest first.
pub async fn open(conn: &mut Conn, user: UserId) -> Result<Vec<Row>, StoreError> {
    sql("SELECT n.id, n.kind, n.about, u.name AS about_name, n.secret_id, n.at FROM notices n JOIN users u ON u.id = n.about
         WHERE n.user_id = $1 AND n.dismissed_at IS NULL ORDER BY n.id DESC LIMIT 20")
    .bind(user)
    .all(conn)
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
