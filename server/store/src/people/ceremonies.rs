//! Ceremonies under way: each is taken once.

use chrono::{DateTime, Utc};
use keywarden_model::CeremonyId;

use crate::{StoreError, Tx, filter::Select, sql};

/// A ceremony to be kept.
#[derive(Debug, Clone)]
pub struct Insert {
    /// The id.
    pub id: CeremonyId,
    /// Its kind's word.
    pub kind: &'static str,
    /// The session, link or browser that may finish it.
    pub bound_to: String,
    /// Its state.
    pub sealed: Vec<u8>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Until when it may be finished.
    pub expires_at: DateTime<Utc>,
}

/// Keeps it.
pub async fn insert(tx: &mut Tx, row: &Insert) -> Result<(), StoreError> {
    sql("INSERT INTO ceremonies (id, kind, bound_to, sealed, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(row.id)
        .bind(row.kind)
        .bind(&row.bound_to)
        .bind(&row.sealed)
        .bind(row.created_at)
        .bind(row.expires_at)
        .execute_one(tx, "ceremonies")
        .await
}

/// Of one kind the latest `most` stay.
pub async fn forget_oldest(tx: &mut Tx, kind: &str, most: i64) -> Result<(), StoreError> {
    sql("DELETE FROM ceremonies
         WHERE id IN (SELECT id FROM ceremonies WHERE kind = $1 ORDER BY expires_at DESC, id DESC LIMIT 1000 OFFSET $2)")
        .bind(kind)
        .bind(most)
        .execute(tx)
        .await?;
    Ok(())
}

/// Of those that one session, link or browser may finish the latest `most` stay.
pub async fn forget_oldest_of(tx: &mut Tx, bound_to: &str, most: i64) -> Result<(), StoreError> {
    oldest_of(bound_to).then(BUT_THE_LATEST, [most]).execute(tx).await?;
    Ok(())
}

pub(crate) const BUT_THE_LATEST: &str = "ORDER BY expires_at DESC, id DESC LIMIT 1000 OFFSET ?)";

pub(crate) fn oldest_of(bound_to: &str) -> Select {
    Select::from("DELETE FROM ceremonies WHERE id IN (SELECT id FROM ceremonies")
        .and("bound_to = ?", [bound_to])
}

#[derive(sqlx::FromRow)]
struct Taken {
    sealed: Vec<u8>,
}

/// Takes it away; of any number of takers one gets it. Bound to somebody else, it stays where it is.
pub async fn take(
    tx: &mut Tx,
    id: CeremonyId,
    kind: &str,
    bound_to: &str,
    now: DateTime<Utc>,
) -> Result<Option<Vec<u8>>, StoreError> {
    let taken: Vec<Taken> = sql("DELETE FROM ceremonies
                                 WHERE id = $1 AND kind = $2 AND bound_to = $3 AND expires_at > $4 RETURNING sealed")
    .bind(id)
    .bind(kind)
    .bind(bound_to)
    .bind(now)
    .returning(tx)
    .await?;
    Ok(taken.into_iter().next().map(|taken| taken.sealed))
}
