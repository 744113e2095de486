//! PINs of tokens that were tried and not accepted yet, over all nodes. Which of them may be tried again, the vault says.

use crate::{Conn, StoreError, Tx, dialect, instance, sql};

/// A PIN that was tried on a token.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct PinRow {
    /// What its mark was made with.
    pub salt: Vec<u8>,
    /// By what it is known again.
    pub mark: Vec<u8>,
    /// How often the token refused it.
    pub refused: i64,
    /// Tries without a clear answer.
    pub unclear: i64,
    /// When the last of these was, in microseconds, by the database's clock.
    pub tried_at: i64,
}

/// Holds off, until the commit, every other change of what is remembered of a token; and tells the database's time by then.
/// Whoever waits for another one waits no longer than for any lock.
pub async fn hold(tx: &mut Tx, token: &str) -> Result<i64, StoreError> {
    dialect::take_turns(tx, &held_as(token)).await?;
    instance::database_clock(tx).await
}

/// The name of that turn.
pub fn held_as(token: &str) -> String {
    format!("tries on the token {token}")
}

/// The PINs that were tried on a token, the one that changed last at the end.
pub async fn of_token(conn: &mut Conn, token: &str) -> Result<Vec<PinRow>, StoreError> {
    sql("SELECT salt, mark, refused, unclear, tried_at FROM pin_attempts WHERE token = $1
         ORDER BY changed_at, salt, mark")
    .bind(token)
    .all(conn)
    .await
}

/// Puts a PIN there, or in the place of what was known of it.
pub async fn put(tx: &mut Tx, token: &str, pin: &PinRow, now: i64) -> Result<(), StoreError> {
    sql(
        "INSERT INTO pin_attempts (token, salt, mark, refused, unclear, tried_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (token, salt, mark)
            DO UPDATE SET refused = excluded.refused, unclear = excluded.unclear, tried_at = excluded.tried_at,
                          changed_at = excluded.changed_at",
    )
    .bind(token)
    .bind(&pin.salt)
    .bind(&pin.mark)
    .bind(pin.refused)
    .bind(pin.unclear)
    .bind(pin.tried_at)
    .bind(now)
    .execute_one(tx, "pin_attempts")
    .await
}

/// Takes a PIN away.
pub async fn remove(tx: &mut Tx, token: &str, pin: &PinRow) -> Result<(), StoreError> {
    sql("DELETE FROM pin_attempts WHERE token = $1 AND salt = $2 AND mark = $3")
        .bind(token)
        .bind(&pin.salt)
        .bind(&pin.mark)
        .execute(tx)
        .await
        .map(drop)
}

/// Takes every PIN of every token away, and says how many there were.
pub async fn forget(tx: &mut Tx) -> Result<u64, StoreError> {
    sql("DELETE FROM pin_attempts").execute(tx).await
}
