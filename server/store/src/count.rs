//! Counting, no further than anybody reads.

use crate::{Conn, Row, Sql, StoreError};

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

#[derive(sqlx::FromRow)]
struct Counted<T> {
    #[sqlx(flatten)]
    row: T,
    total: i64,
}

/// The rows of a statement with a limit, and how many there are without it: what each row gives as
/// `count(*) OVER () AS total`.
pub(crate) async fn first<T: Row>(statement: Sql, conn: &mut Conn) -> Result<(Vec<T>, i64), StoreError> {
    let rows = statement.all::<Counted<T>>(conn).await?;
    let total = rows.first().map_or(0, |row| row.total);
    Ok((rows.into_iter().map(|row| row.row).collect(), total))
}
