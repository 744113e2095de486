//! Posts that wait for a fresher passkey: each is taken once.

use chrono::{DateTime, Utc};
use keywarden_model::{PendingPostId, SessionId};

use crate::{Conn, StoreError, Tx, sql};

/// How many posts one session may have waiting; the oldest make room.
const WAITING: i64 = 8;

/// Keeps one.
pub async fn insert(
    tx: &mut Tx,
    id: PendingPostId,
    session: SessionId,
    sealed: &[u8],
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sql("DELETE FROM pending_posts WHERE session_id = $1 AND id NOT IN (
             SELECT id FROM pending_posts WHERE session_id = $2 ORDER BY id DESC LIMIT $3)")
    .bind(session)
    .bind(session)
    .bind(WAITING - 1)
    .execute(tx)
    .await?;
    sql("INSERT INTO pending_posts (id, session_id, sealed, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(id)
        .bind(session)
        .bind(sealed)
        .bind(now)
        .bind(expires_at)
        .execute_one(tx, "pending_posts")
        .await
}

#[derive(sqlx::FromRow)]
struct Taken {
    sealed: Vec<u8>,
}

/// Looks at one of a session's; it stays.
pub async fn find(
    conn: &mut Conn,
    id: PendingPostId,
    session: SessionId,
    now: DateTime<Utc>,
) -> Result<Option<Vec<u8>>, StoreError> {
    let found: Option<Taken> = sql("SELECT sealed FROM pending_posts
                                    WHERE id = $1 AND session_id = $2 AND expires_at > $3 LIMIT 1")
    .bind(id)
    .bind(session)
    .bind(now)
    .optional(conn)
    .await?;
    Ok(found.map(|found| found.sealed))
}

/// Takes one of a session's; of any number of takers one gets it.
pub async fn take(
    tx: &mut Tx,
    id: PendingPostId,
    session: SessionId,
    now: DateTime<Utc>,
) -> Result<Option<Vec<u8>>, StoreError> {
    let taken: Vec<Taken> =
        sql("DELETE FROM pending_posts WHERE id = $1 AND session_id = $2 AND expires_at > $3
                                 RETURNING sealed")
        .bind(id)
        .bind(session)
        .bind(now)
        .returning(tx)
        .await?;
    Ok(taken.into_iter().next().map(|taken| taken.sealed))
}
