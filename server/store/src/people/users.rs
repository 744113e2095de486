//! Rows of people.

use chrono::{DateTime, Utc};
use keywarden_model::UserId;

use crate::{Conn, StoreError, Tx, Value, dialect::containing, filter::Select, sql};

/// A person.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct User {
    /// The id.
    #[sqlx(try_from = "String")]
    pub id: UserId,
    /// As they are called.
    pub name: String,
    /// The name, folded: with the id, where the next page of a list begins.
    pub folded_name: String,
    /// As authenticators know them.
    pub handle: Vec<u8>,
    /// `active` or `deactivated`.
    pub state: String,
    /// When they joined, in microseconds.
    pub created_at: i64,
    /// Who brought them in: a typed id or a word.
    pub created_by: String,
    /// When they were deactivated.
    pub deactivated_at: Option<i64>,
    /// When a session of theirs was last used.
    pub last_seen_at: Option<i64>,
}

/// A person to be written.
#[derive(Debug, Clone)]
pub struct Insert {
    /// The id.
    pub id: UserId,
    /// As they are called.
    pub name: String,
    /// The name, folded.
    pub folded_name: String,
    /// As authenticators know them.
    pub handle: Vec<u8>,
    /// Who brought them in.
    pub created_by: String,
}

/// Writes an active person.
pub async fn insert(tx: &mut Tx, row: &Insert, now: DateTime<Utc>) -> Result<(), StoreError> {
    sql("INSERT INTO users (id, name, folded_name, handle, state, created_at, created_by, last_seen_at, row_version)
         VALUES ($1, $2, $3, $4, 'active', $5, $6, $7, 1)")
    .bind(row.id)
    .bind(&row.name)
    .bind(&row.folded_name)
    .bind(&row.handle)
    .bind(now)
    .bind(&row.created_by)
    .bind(now)
    .execute_one(tx, "users")
    .await
}

const COLUMNS: &str =
    "SELECT id, name, folded_name, handle, state, created_at, created_by, deactivated_at, last_seen_at
                       FROM users";

/// One person.
pub async fn find(conn: &mut Conn, id: UserId) -> Result<Option<User>, StoreError> {
    Select::from(COLUMNS).and("id = ?", [id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// The person whom authenticators know by this handle.
pub async fn find_by_handle(conn: &mut Conn, handle: &[u8]) -> Result<Option<User>, StoreError> {
    Select::from(COLUMNS).and("handle = ?", [handle]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// Notes that an active person is here, and holds off deactivation until the commit. False for anybody else.
pub async fn see_active(tx: &mut Tx, id: UserId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let seen = sql("UPDATE users SET last_seen_at = $1 WHERE id = $2 AND state = 'active'")
        .bind(now)
        .bind(id)
        .execute(tx)
        .await?;
    Ok(seen == 1)
}

/// Changes the state of a person who is in the other one; false if they are not.
pub async fn set_active(
    tx: &mut Tx,
    id: UserId,
    active: bool,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let (from, to) = if active { ("deactivated", "active") } else { ("active", "deactivated") };
    let changed = sql("UPDATE users SET state = $1, deactivated_at = $2, row_version = row_version + 1
                       WHERE id = $3 AND state = $4")
    .bind(to)
    .bind((!active).then_some(now))
    .bind(id)
    .bind(from)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

#[derive(sqlx::FromRow)]
struct Id {
    #[sqlx(try_from = "String")]
    id: UserId,
}

/// Active owners, by their own role or a team's.
pub async fn owners(conn: &mut Conn) -> Result<Vec<UserId>, StoreError> {
    let rows: Vec<Id> = sql("SELECT u.id FROM users u WHERE u.state = 'active' AND EXISTS (
                                 SELECT 1 FROM role_bindings b WHERE b.role = 'owner' AND (b.principal_id = u.id
                                 OR b.principal_id IN (SELECT team_id FROM team_members WHERE user_id = u.id)))
                             ORDER BY u.id")
    .all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// What is looked for. Empty fields do not narrow.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// A part of the folded name.
    pub name: Option<String>,
    /// The state's word.
    pub state: Option<&'static str>,
    /// Only people after this folded name and id.
    pub after: Option<(String, UserId)>,
}

pub(crate) const BY_NAME: &str = "ORDER BY folded_name, id LIMIT ?";

/// By name.
pub async fn list(conn: &mut Conn, filter: &Filter, limit: u32) -> Result<Vec<User>, StoreError> {
    page(filter).then(BY_NAME, [limit]).all(conn).await
}

pub(crate) fn page(filter: &Filter) -> Select {
    let mut select = Select::from(COLUMNS);
    if let Some(name) = &filter.name {
        select = select.and("folded_name LIKE ? ESCAPE '\\'", [containing(name)]);
    }
    if let Some(state) = filter.state {
        select = select.and("state = ?", [state]);
    }
    if let Some((name, id)) = &filter.after {
        select = select.and("(folded_name, id) > (?, ?)", [Value::from(name), Value::from(*id)]);
    }
    select
}

/// Everybody whose name is spelled like this one, folded.
pub async fn called(conn: &mut Conn, folded_name: &str) -> Result<Vec<User>, StoreError> {
    Select::from(COLUMNS).and("folded_name = ?", [folded_name]).then(BY_NAME, [200_u32]).all(conn).await
}

/// A team that a person is in.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct InTeam {
    /// The team's id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A person's teams.
pub async fn teams(conn: &mut Conn, id: UserId) -> Result<Vec<InTeam>, StoreError> {
    sql("SELECT t.id, t.name FROM teams t JOIN team_members m ON m.team_id = t.id WHERE m.user_id = $1 ORDER BY t.name")
        .bind(id)
        .all(conn)
        .await
}

/// Whether a person holds the role of owner, in whatever state they are.
pub async fn is_owner(conn: &mut Conn, id: UserId) -> Result<bool, StoreError> {
    let roles: Vec<Id> = sql("SELECT principal_id AS id FROM role_bindings
                              WHERE principal_id = $1 AND role = 'owner' AND project_id IS NULL")
    .bind(id)
    .all(conn)
    .await?;
    Ok(!roles.is_empty())
}
