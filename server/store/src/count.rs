//! Counting, no further than anybody reads.

use crate::{Conn, Sql, StoreError};

/// A count goes no further than this, so that a page costs the same with a million rows as with a thousand.
pub const COUNTED: i64 = 1_000;

#[derive(sqlx::FromRow)]
struct Number {
    number: i64,
}

/// The one number of a statement whose only column is called `number`.
pub async fn number(statement: Sql, conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(statement.one::<Number>(conn).await?.number)
}
