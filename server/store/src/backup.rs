//! Everything as of one instant, whatever the engine; and everything into an empty store.
//!
//! What ends within days stays out: sessions, ceremonies, posts that wait, codes not yet seen, links, terminals that ask.
//! Brought back, they would undo sign-outs and open doors a second time. Seals and what they wrapped stay out too: a backup
//! has the keyring for its recipients, and is restored under the seals that are found there. The key for drills of another
//! backup opens nothing in this one. PINs that tokens refused are no records of the house's: what is remembered of them is of the
//! database that the tokens' nodes are on.

use std::fmt;

use crate::copy::{self, ColumnType, NOT_COPIED, Pages, TABLES, Table, columns};
use crate::rows::marks;
use crate::{Conn, Engine, Store, StoreError, Tx, Value, sql::assembled};

const LEFT_OUT: &[&str] = &[
    "seals",
    "keyring_wraps",
    "one_time_links",
    "ceremonies",
    "sessions",
    "pending_posts",
    "unseen_codes",
    "device_grants",
    "secret_shares",
    "rate_windows",
    "rate_reserves",
    "drill_keys",
    TRIED,
];
/// What a start on an empty store may leave there, when its token did not take the PIN.
const TRIED: &str = "pin_attempts";
/// Values that one statement inserts at most. PostgreSQL takes 65 535, and remembers each statement with all of its values' places.
/// SQLite is in this process, and keeps what it makes of a statement: long ones would only take memory.
const fn values(engine: Engine) -> usize {
    match engine {
        Engine::Postgres => 10_000,
        Engine::Sqlite => 500,
    }
}

/// How many rows of those that are left one statement inserts: a power of two, so that a table has few statements, which are
/// prepared once, however many rows are put at a time.
fn some_of(left: usize, at_once: usize) -> usize {
    let powers = left.min(at_once).checked_ilog2();
    powers.and_then(|power| 1_usize.checked_shl(power)).unwrap_or(left)
}

/// The records as they stood when it was made. It holds a connection, and on SQLite the write-ahead log, until it ends.
pub struct Snapshot(Option<Conn>);

impl Store {
    /// Begins one.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let mut conn = self.read().await?;
        let begin = match conn.engine() {
            Engine::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Engine::Sqlite => "BEGIN",
        };
        match conn.control(begin).await {
            Ok(()) => Ok(Snapshot(Some(conn))),
            Err(error) => {
                conn.close();
                Err(error)
            }
        }
    }
}

impl Snapshot {
    /// What sees the records as they stood.
    pub fn conn(&mut self) -> Result<&mut Conn, StoreError> {
        self.0.as_mut().ok_or_else(|| StoreError::Unavailable("the snapshot has ended".into()))
    }

    /// Gives the connection back.
    pub async fn end(mut self) -> Result<(), StoreError> {
        let Some(mut conn) = self.0.take() else { return Ok(()) };
        let ended = conn.control("ROLLBACK").await;
        if ended.is_err() {
            conn.close();
        }
        ended
    }

    /// Refuses where this version would leave something out that it does not know.
    pub async fn knows_every_table(&mut self) -> Result<(), StoreError> {
        let known = |name: &str| NOT_COPIED.contains(&name) || TABLES.iter().any(|table| table.name == name);
        match copy::tables(self.conn()?).await?.into_iter().find(|name| !known(name)) {
            Some(name) => {
                Err(StoreError::Refused(format!("a newer version made the table `{name}`: use that one")))
            }
            None => Ok(()),
        }
    }

    /// A table's rows.
    pub async fn rows(&mut self, table: Carried) -> Result<Rows, StoreError> {
        let columns = columns(self.conn()?, table.0.name).await?;
        let pages = Pages::of(table.0, &columns);
        Ok(Rows { columns: columns.into_iter().map(|column| column.name).collect(), pages })
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        if let Some(conn) = self.0.take() {
            conn.close();
        }
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Snapshot")
    }
}

/// A table that backups carry.
#[derive(Debug, Clone, Copy)]
pub struct Carried(Table);

impl Carried {
    /// All of them, those first that others refer to.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLES.iter().filter(|table| !LEFT_OUT.contains(&table.name)).copied().map(Self)
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|table| table.0.name == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0.name
    }
}

/// A table's rows, some at a time.
pub struct Rows {
    columns: Vec<String>,
    pages: Pages,
}

impl Rows {
    /// The columns' names, in the order of the values.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The next rows; none at the end.
    pub async fn next(&mut self, from: &mut Snapshot) -> Result<Vec<Vec<Value>>, StoreError> {
        self.pages.next(from.conn()?).await
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rows").field(&self.columns).finish()
    }
}

/// How many rows a table has.
pub async fn count(conn: &mut Conn, table: Carried) -> Result<i64, StoreError> {
    copy::count(conn, table.0).await
}

/// The first table that holds something, of those that a migration leaves empty. PINs that were tried are nothing that a restore
/// would be in the way of.
pub async fn first_not_empty(conn: &mut Conn) -> Result<Option<&'static str>, StoreError> {
    for table in TABLES.iter().filter(|table| !table.single && table.name != TRIED) {
        if copy::count(conn, *table).await? > 0 {
            return Ok(Some(table.name));
        }
    }
    Ok(None)
}

/// Everything was put there: has the engine look it over, so that it plans by what there is.
pub async fn filled(tx: &mut Tx) -> Result<(), StoreError> {
    copy::look_it_over(tx).await
}

/// Where rows go.
#[derive(Debug)]
pub struct Target {
    table: Table,
    columns: Vec<ColumnType>,
}

impl Target {
    /// The table, if it has exactly these columns. The row that a migration made there makes room.
    pub async fn of(tx: &mut Tx, table: Carried, names: &[String]) -> Result<Option<Self>, StoreError> {
        let table = table.0;
        let mut found = columns(tx, table.name).await?;
        if found.len() != names.len() {
            return Ok(None);
        }
        let mut ordered = Vec::with_capacity(names.len());
        for name in names {
            let Some(at) = found.iter().position(|column| column.name == *name) else { return Ok(None) };
            ordered.push(found.swap_remove(at));
        }
        if table.single {
            assembled(format!("DELETE FROM {}", table.name)).execute(tx).await?;
        }
        Ok(Some(Self::new(table, ordered)))
    }

    pub(crate) fn new(table: Table, columns: Vec<ColumnType>) -> Self {
        Self { table, columns }
    }

    /// Puts rows there.
    pub async fn put(&self, tx: &mut Tx, mut rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
        let width = self.columns.len();
        let damaged = || StoreError::Damaged { table: self.table.name, cause: "a row's length".into() };
        let at_once = values(tx.engine()).checked_div(width).filter(|rows| *rows > 0).ok_or_else(damaged)?;
        if rows.iter().any(|row| row.len() != width) {
            return Err(damaged());
        }
        let names: Vec<_> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let insert = format!("INSERT INTO {} ({}) VALUES", self.table.name, names.join(", "));
        let tuple = format!("({})", marks(width));
        while !rows.is_empty() {
            let some: Vec<_> = rows.drain(..some_of(rows.len(), at_once)).collect();
            let tuples = vec![tuple.as_str(); some.len()];
            let engine = tx.engine();
            let values = some
                .into_iter()
                .flat_map(|row| row.into_iter().zip(&self.columns))
                .map(|(value, column)| column.fit(value, engine));
            let statement = assembled(format!("{insert} {}", tuples.join(", ")));
            values.fold(statement, crate::Sql::bind).execute(tx).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn however_many_rows_there_are_all_are_put_by_few_statements() {
        let mut sizes = BTreeSet::new();
        for rows in 1..3_000 {
            let mut left = rows;
            while left > 0 {
                let some = some_of(left, 833);
                assert!((1..=833).contains(&some) && some <= left, "{some} of {left}");
                sizes.insert(some);
                left -= some;
            }
        }
        assert_eq!(sizes.len(), 10, "{sizes:?}");
    }
}
