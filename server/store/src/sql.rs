//! Statements: a text, its values, and the ways to run it on either engine.

use chrono::{DateTime, Utc};
use keywarden_model::time::micros;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr, postgres::PgRow, sqlite::SqliteRow};

use crate::{
    Engine, StoreError,
    tx::{Conn, Link, Tx, within},
};

/// What a statement's `$n` stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A truth value.
    Bool(Option<bool>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
    /// A whole number.
    Int(Option<i64>),
    /// A text.
    Text(Option<String>),
}

/// A row that either engine can give.
pub trait Row:
    for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin
{
}
impl<T> Row for T where
    T: for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin
{
}

/// A statement with its values.
#[derive(Debug, Clone)]
#[must_use = "a statement does nothing until it is run"]
pub struct Sql {
    text: Text,
    values: Vec<Value>,
}

#[derive(Debug, Clone)]
enum Text {
    Fixed(&'static str),
    /// Put together from fixed pieces. Each `?` is the next value, and stands for nothing else.
    Assembled(String),
}

impl Text {
    /// As the engine reads it. SQLite gets its values by place: sqlx looks for each *name* among all of them, so that many
    /// named ones cost their square.
    fn on(self, engine: Engine) -> SqlStr {
        match (self, engine) {
            (Self::Fixed(text), _) => text.into_sql_str(),
            (Self::Assembled(text), Engine::Sqlite) => AssertSqlSafe(text).into_sql_str(),
            (Self::Assembled(text), Engine::Postgres) => AssertSqlSafe(numbered(&text)).into_sql_str(),
        }
    }
}

fn numbered(text: &str) -> String {
    let mut pieces = text.split('?');
    let mut all = pieces.next().unwrap_or_default().to_owned();
    for (number, piece) in (1_usize..).zip(pieces) {
        all.push('$');
        all.push_str(&number.to_string());
        all.push_str(piece);
    }
    all
}

/// Begins a statement; `$1`, `$2` … are bound in order.
pub fn sql(text: &'static str) -> Sql {
    Sql { text: Text::Fixed(text), values: Vec::new() }
}

/// As [`sql`], put together from fixed pieces; each `?` is the next value.
pub(crate) fn assembled(text: String) -> Sql {
    Sql { text: Text::Assembled(text), values: Vec::new() }
}

/// Runs the statement on whichever engine the connection leads to, and lets the connection note a collision.
macro_rules! run {
    ($conn:expr, $sql:expr, $Db:ident, |$text:ident, $link:ident, $values:ident| $body:expr) => {{
        let conn: &mut Conn = $conn;
        let Sql { text, values: $values } = $sql;
        let $text = text.on(conn.engine());
        let patience = conn.patience();
        let ran = match conn.link() {
            Link::Postgres($link) => {
                type $Db = sqlx::Postgres;
                within(patience, $body).await
            }
            Link::Sqlite($link) => {
                type $Db = sqlx::Sqlite;
                $body.await
            }
        };
        conn.learn(ran)
    }};
}

/// Binds each value in order.
macro_rules! bound {
    ($query:expr, $values:expr) => {
        $values.into_iter().fold($query, |query, value| match value {
            Value::Bool(it) => query.bind(it),
            Value::Bytes(it) => query.bind(it),
            Value::Int(it) => query.bind(it),
            Value::Text(it) => query.bind(it),
        })
    };
}

impl Sql {
    /// Binds the next `$n`. PostgreSQL has no NUL in texts, so none is kept or looked for here: it stands as U+FFFD,
    /// which no name or id of ours holds.
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        let mut value = value.into();
        if let Value::Text(Some(text)) = &mut value
            && text.contains('\0')
        {
            *text = text.replace('\0', "\u{fffd}");
        }
        self.values.push(value);
        self
    }

    /// Every row.
    pub async fn all<R: Row>(self, conn: &mut Conn) -> Result<Vec<R>, StoreError> {
        run!(conn, self, Db, |text, link, values| bound!(sqlx::query_as::<Db, R>(text), values)
            .fetch_all(&mut *link))
    }

    /// The row, or that there is none.
    pub async fn optional<R: Row>(self, conn: &mut Conn) -> Result<Option<R>, StoreError> {
        run!(conn, self, Db, |text, link, values| bound!(sqlx::query_as::<Db, R>(text), values)
            .fetch_optional(&mut *link))
    }

    /// The one row that must be there: a count, a row made at the start.
    pub async fn one<R: Row>(self, conn: &mut Conn) -> Result<R, StoreError> {
        run!(conn, self, Db, |text, link, values| bound!(sqlx::query_as::<Db, R>(text), values)
            .fetch_one(&mut *link))
    }

    /// Changes rows, and says how many.
    pub async fn execute(self, tx: &mut Tx) -> Result<u64, StoreError> {
        run!(tx, self, Db, |text, link, values| async {
            bound!(sqlx::query::<Db>(text), values).execute(&mut *link).await.map(|done| done.rows_affected())
        })
    }

    /// Changes exactly one row, or finds that it was changed meanwhile. `table` is for the error's text.
    pub async fn execute_one(self, tx: &mut Tx, table: &'static str) -> Result<(), StoreError> {
        match self.execute(tx).await? {
            1 => Ok(()),
            _ => Err(StoreError::Stale(table)),
        }
    }

    /// Changes rows and gives them back (`… RETURNING …`).
    pub async fn returning<R: Row>(self, tx: &mut Tx) -> Result<Vec<R>, StoreError> {
        self.all(tx).await
    }
}

impl From<bool> for Value {
    fn from(it: bool) -> Self {
        Self::Bool(Some(it))
    }
}
impl From<i64> for Value {
    fn from(it: i64) -> Self {
        Self::Int(Some(it))
    }
}
impl From<Option<i64>> for Value {
    fn from(it: Option<i64>) -> Self {
        Self::Int(it)
    }
}
impl From<u32> for Value {
    fn from(it: u32) -> Self {
        Self::Int(Some(it.into()))
    }
}
impl From<Option<u32>> for Value {
    fn from(it: Option<u32>) -> Self {
        Self::Int(it.map(Into::into))
    }
}
impl From<&str> for Value {
    fn from(it: &str) -> Self {
        Self::Text(Some(it.to_owned()))
    }
}
impl From<String> for Value {
    fn from(it: String) -> Self {
        Self::Text(Some(it))
    }
}
impl From<&String> for Value {
    fn from(it: &String) -> Self {
        Self::Text(Some(it.clone()))
    }
}
impl From<Option<String>> for Value {
    fn from(it: Option<String>) -> Self {
        Self::Text(it)
    }
}
impl From<Option<&str>> for Value {
    fn from(it: Option<&str>) -> Self {
        Self::Text(it.map(str::to_owned))
    }
}
impl From<&[u8]> for Value {
    fn from(it: &[u8]) -> Self {
        Self::Bytes(Some(it.to_vec()))
    }
}
impl From<Vec<u8>> for Value {
    fn from(it: Vec<u8>) -> Self {
        Self::Bytes(Some(it))
    }
}
impl From<&Vec<u8>> for Value {
    fn from(it: &Vec<u8>) -> Self {
        Self::Bytes(Some(it.clone()))
    }
}
impl From<Option<Vec<u8>>> for Value {
    fn from(it: Option<Vec<u8>>) -> Self {
        Self::Bytes(it)
    }
}
impl<const N: usize> From<[u8; N]> for Value {
    fn from(it: [u8; N]) -> Self {
        Self::Bytes(Some(it.to_vec()))
    }
}
impl From<DateTime<Utc>> for Value {
    fn from(it: DateTime<Utc>) -> Self {
        Self::Int(Some(micros(it)))
    }
}
impl From<Option<DateTime<Utc>>> for Value {
    fn from(it: Option<DateTime<Utc>>) -> Self {
        Self::Int(it.map(micros))
    }
}

macro_rules! ids {
    ($($id:ident),* $(,)?) => {$(
        impl From<keywarden_model::$id> for Value {
            fn from(it: keywarden_model::$id) -> Self {
                Self::Text(Some(it.to_string()))
            }
        }
        impl From<Option<keywarden_model::$id>> for Value {
            fn from(it: Option<keywarden_model::$id>) -> Self {
                Self::Text(it.map(|it| it.to_string()))
            }
        }
    )*};
}
ids!(
    AccessGrantId,
    AccessRequestId,
    ApiKeyId,
    BackupId,
    CeremonyId,
    ChannelId,
    DeliveryId,
    DeviceGrantId,
    DrillId,
    EnvironmentId,
    EventId,
    InvitationId,
    KeyValueId,
    KeyringKeyId,
    MessageId,
    NoticeId,
    OrganizationId,
    PasskeyId,
    PendingPostId,
    PolicyId,
    PolicyTestId,
    ProjectId,
    ProjectKeyId,
    RecipientId,
    RequestId,
    RestoreId,
    RewrapId,
    RoleBindingId,
    SecretId,
    SecretVersionId,
    ServiceTokenId,
    SessionId,
    ShareId,
    StandardId,
    TeamId,
    TrustRuleId,
    UserId,
    WorkloadId,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_gets_its_own_places() {
        let on =
            |engine| Text::Assembled("a = ? AND b IN (?, ?) LIMIT ?".into()).on(engine).as_str().to_owned();
        assert_eq!(on(Engine::Sqlite), "a = ? AND b IN (?, ?) LIMIT ?");
        assert_eq!(on(Engine::Postgres), "a = $1 AND b IN ($2, $3) LIMIT $4");
        let fixed = Text::Fixed("what?").on(Engine::Postgres);
        assert_eq!(fixed.as_str(), "what?");
    }
}
