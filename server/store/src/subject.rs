//! Subjects' keys: sealed under the keyring, gone when the subject is erased.

use chrono::{DateTime, Utc};

use crate::{Conn, StoreError, Tx, sql};

/// Since this schema programs open what keys sealed that were derived from a subject's.
const DERIVED: i64 = 33;

const SELECT: &str = "SELECT s.id, s.sealed_key, i.oldest_compatible FROM subjects s, schema_info i
                      WHERE s.id = $1 AND i.id = 1";

/// A subject.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Subject {
    /// A user's or workload's id, or `house`.
    pub id: String,
    /// Its key; none once erased.
    pub sealed_key: Option<Vec<u8>>,
    /// The oldest program that works with these records, as its schema.
    pub oldest_compatible: i64,
}

impl Subject {
    /// Whether everybody who reads these records opens what keys seal that are derived from this one.
    pub fn may_derive(&self) -> bool {
        self.oldest_compatible >= DERIVED
    }
}

/// The subject, if it has a row.
pub async fn find(conn: &mut Conn, id: &str) -> Result<Option<Subject>, StoreError> {
    sql(SELECT).bind(id).optional(conn).await
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
    sql(SELECT).bind(id).one(tx).await
}
