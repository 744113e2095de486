//! Rate limits over all nodes: each node reserves a batch of a window's verifications before it gives them out.

use keywarden_model::ApiKeyId;

use crate::{StoreError, Tx, sql};

#[derive(sqlx::FromRow)]
struct Reserved {
    reserved: i64,
}

/// Reserves `batch` more verifications of the key's window; says how many are reserved now, which may be more than the
/// key's limit: then the surplus is not to be given out.
pub async fn reserve(tx: &mut Tx, key: ApiKeyId, window_start: i64, batch: u32) -> Result<i64, StoreError> {
    let now: Reserved = sql("INSERT INTO rate_windows (key_id, window_start, reserved) VALUES ($1, $2, $3)
                             ON CONFLICT (key_id, window_start)
                                DO UPDATE SET reserved = rate_windows.reserved + excluded.reserved
                             RETURNING reserved")
    .bind(key)
    .bind(window_start)
    .bind(batch)
    .one(tx)
    .await?;
    Ok(now.reserved)
}
