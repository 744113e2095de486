//! Subjects' keys: sealed under the keyring, gone when the subject is erased.

use chrono::{DateTime, Utc};

use crate::{Conn, StoreError, Tx, sql};

/// A subject.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Subject {
    /// A user's or workload's id, or `house`.
    pub id: String,
    /// Its key; none once erased.
    pub sealed_key: Option<Vec<u8>>,
}

/// The subject, if it has a row.
pub async fn find(conn: &mut Conn, id: &str) -> Result<Option<Subject>, StoreError> {
    sql("SELECT id, sealed_key FROM subjects WHERE id = $1").bind(id).optional(conn).await
}

/// Makes the row unless another node was faster; answers what stands there.
pub async fn make(
    tx: &mut Tx,
    id: &str,
    sealed_key: &[u8],
    now: DateTime<Utc>,
) -> Result<Subject, StoreError> {
    sql("INSERT INTO subjects (id, sealed_key, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING")
        .bind(id)
        .bind(sealed_key)
        .bind(now)
        .execute(tx)
        .await?;
    sql("SELECT id, sealed_key FROM subjects WHERE id = $1").bind(id).one(tx).await
}
