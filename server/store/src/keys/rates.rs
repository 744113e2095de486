//! Rate limits over all nodes: each node reserves a batch of a window's verifications before it gives them out.

use keywarden_model::ApiKeyId;

use crate::{StoreError, Tx, sql};

#[derive(sqlx::FromRow)]
struct Reserved {
    reserved: i64,
}

/// A window of a key's limit: an edited limit has windows of its own, though one may begin when another did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// When it began, in seconds since 1970.
    pub start: i64,
    /// How long it is, in seconds.
    pub seconds: u32,
}

/// Reserves `batch` more verifications of the key's window; says how many are reserved now, which may be more than the
/// key's limit: then the surplus is not to be given out.
pub async fn reserve(tx: &mut Tx, key: ApiKeyId, window: Window, batch: u32) -> Result<i64, StoreError> {
    let now: Reserved = sql(
        "INSERT INTO rate_reserves (key_id, window_start, window_seconds, reserved) VALUES ($1, $2, $3, $4)
             ON CONFLICT (key_id, window_start, window_seconds)
                DO UPDATE SET reserved = rate_reserves.reserved + excluded.reserved
             RETURNING reserved",
    )
    .bind(key)
    .bind(window.start)
    .bind(window.seconds)
    .bind(batch)
    .one(tx)
    .await?;
    Ok(now.reserved)
}
