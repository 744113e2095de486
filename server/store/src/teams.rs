//! Teams and their members.

use chrono::{DateTime, Utc};
use keywarden_model::{Name, TeamId, UserId};

use crate::{Conn, StoreError, Tx, count::number, dialect::containing, filter::Select, sql};

/// A team's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Team {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: TeamId,
    /// The name in addresses.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// When, in microseconds.
    pub created_at: i64,
    /// By whom: an actor's id.
    pub created_by: String,
    /// Grows with each edit.
    pub row_version: i64,
    /// How many people are in it.
    pub members: i64,
}

const COLUMNS: &str = "SELECT id, slug, name, created_at, created_by, row_version,
                              (SELECT count(*) FROM team_members WHERE team_id = teams.id) AS members FROM teams";

/// A member as a page shows one.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Member {
    /// Who.
    #[sqlx(try_from = "String")]
    pub user_id: UserId,
    /// What the person is called.
    pub name: String,
    /// `active` or what else the person's state is.
    pub state: String,
    /// Since when, in microseconds.
    pub added_at: i64,
}

/// A row to be written.
#[derive(Debug)]
pub struct Insert<'a> {
    /// Its id.
    pub id: TeamId,
    /// The name in addresses.
    pub slug: &'a str,
    /// What people call it.
    pub name: &'a Name,
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: &'a str,
}

/// Writes the row; a [`StoreError::Conflict`] names `slug` or `folded_name`.
pub async fn insert(tx: &mut Tx, row: Insert<'_>) -> Result<(), StoreError> {
    sql("INSERT INTO teams (id, slug, name, folded_name, created_at, created_by, row_version)
         VALUES ($1, $2, $3, $4, $5, $6, 1)")
    .bind(row.id)
    .bind(row.slug)
    .bind(row.name.as_str())
    .bind(row.name.folded())
    .bind(row.created_at)
    .bind(row.created_by)
    .execute_one(tx, "teams")
    .await
}

/// Writes the row unless its slug or name is taken; whether it did.
pub async fn insert_if_free(tx: &mut Tx, row: Insert<'_>) -> Result<bool, StoreError> {
    let inserted = sql("INSERT INTO teams (id, slug, name, folded_name, created_at, created_by, row_version)
                        VALUES ($1, $2, $3, $4, $5, $6, 1) ON CONFLICT DO NOTHING")
    .bind(row.id)
    .bind(row.slug)
    .bind(row.name.as_str())
    .bind(row.name.folded())
    .bind(row.created_at)
    .bind(row.created_by)
    .execute(tx)
    .await?;
    Ok(inserted == 1)
}

/// By its id.
pub async fn find(conn: &mut Conn, id: TeamId) -> Result<Option<Team>, StoreError> {
    Select::from(COLUMNS).and("id = ?", [id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// By its slug.
pub async fn find_by_slug(conn: &mut Conn, slug: &str) -> Result<Option<Team>, StoreError> {
    Select::from(COLUMNS).and("slug = ?", [slug]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// In the order of their slugs, those after `after`; only those whose folded name has this part.
pub async fn list(
    conn: &mut Conn,
    part: Option<&str>,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Team>, StoreError> {
    let mut select = Select::from(COLUMNS);
    if let Some(part) = part {
        select = select.and(r"folded_name LIKE ? ESCAPE '\'", [containing(part)]);
    }
    if let Some(after) = after {
        select = select.and("slug > ?", [after]);
    }
    select.then("ORDER BY slug LIMIT ?", [limit]).all(conn).await
}

/// Gives it another name; [`StoreError::Stale`] when it was edited meanwhile.
pub async fn rename(tx: &mut Tx, id: TeamId, name: &Name, row_version: i64) -> Result<(), StoreError> {
    sql("UPDATE teams SET name = $1, folded_name = $2, row_version = row_version + 1
         WHERE id = $3 AND row_version = $4")
    .bind(name.as_str())
    .bind(name.folded())
    .bind(id)
    .bind(row_version)
    .execute_one(tx, "teams")
    .await
}

/// Who is in it, by name.
pub async fn members(conn: &mut Conn, id: TeamId, limit: u32) -> Result<Vec<Member>, StoreError> {
    sql("SELECT m.user_id, u.name, u.state, m.added_at FROM team_members m JOIN users u ON u.id = m.user_id
         WHERE m.team_id = $1 ORDER BY u.name, m.user_id LIMIT $2")
    .bind(id)
    .bind(limit)
    .all(conn)
    .await
}

/// Whether the person is there and active.
pub async fn is_active_person(conn: &mut Conn, id: UserId) -> Result<bool, StoreError> {
    let found = sql("SELECT count(*) AS number FROM users WHERE id = $1 AND state = 'active'").bind(id);
    Ok(number(found, conn).await? == 1)
}

/// Adds a member; false if the person was in it already.
pub async fn add(tx: &mut Tx, id: TeamId, user: UserId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let added = sql("INSERT INTO team_members (team_id, user_id, added_at) VALUES ($1, $2, $3)
                     ON CONFLICT (team_id, user_id) DO NOTHING")
    .bind(id)
    .bind(user)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(added == 1)
}

/// Removes a member; false if the person was not in it.
pub async fn remove(tx: &mut Tx, id: TeamId, user: UserId) -> Result<bool, StoreError> {
    let removed = sql("DELETE FROM team_members WHERE team_id = $1 AND user_id = $2").bind(id).bind(user);
    Ok(removed.execute(tx).await? == 1)
}

/// Whether two people are in one team, both of them active.
pub async fn are_mates(conn: &mut Conn, one: UserId, other: UserId) -> Result<bool, StoreError> {
    let mates = sql("SELECT count(*) AS number FROM team_members m
                     JOIN team_members n ON n.team_id = m.team_id JOIN users u ON u.id = n.user_id
                     WHERE m.user_id = $1 AND n.user_id = $2 AND u.state = 'active'");
    Ok(crate::count::number(mates.bind(one).bind(other), conn).await? > 0)
}
