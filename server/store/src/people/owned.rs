//! What a person owns: the facts of a hand-over.

use keywarden_model::{ApiKeyId, ProjectId, SecretId, UserId};

use crate::{Conn, StoreError, Tx, count, sql};

/// A key of the person's.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Key {
    /// The key.
    #[sqlx(try_from = "String")]
    pub id: ApiKeyId,
    /// Its name.
    pub name: String,
    /// Its project.
    #[sqlx(try_from = "String")]
    pub project_id: ProjectId,
    /// The project's name.
    pub project_name: String,
    /// The environment's name.
    pub environment_name: String,
    /// When it was last used, in microseconds.
    pub last_used_at: Option<i64>,
}

/// The first keys that somebody owns and that are not revoked, and how many there are.
pub async fn keys(conn: &mut Conn, owner: UserId, most: u32) -> Result<(Vec<Key>, i64), StoreError> {
    let statement = sql(
        "SELECT k.id, k.name, k.project_id, p.name AS project_name, e.name AS environment_name, k.last_used_at,
                count(*) OVER () AS total
         FROM api_keys k JOIN projects p ON p.id = k.project_id JOIN environments e ON e.id = k.environment_id
         WHERE k.owner_id = $1 AND k.revoked_at IS NULL ORDER BY p.name, e.name, k.name LIMIT $2",
    );
    count::first(statement.bind(owner).bind(most), conn).await
}

/// A secret of the person's.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Secret {
    /// The secret.
    #[sqlx(try_from = "String")]
    pub id: SecretId,
    /// Folders and name.
    pub path: String,
    /// The project's name.
    pub project_name: String,
    /// The environment's name.
    pub environment_name: String,
}

/// The first secrets that somebody owns and that are not purged, and how many there are.
pub async fn secrets(conn: &mut Conn, owner: UserId, most: u32) -> Result<(Vec<Secret>, i64), StoreError> {
    let statement = sql(
        "SELECT s.id, s.path, p.name AS project_name, e.name AS environment_name, count(*) OVER () AS total
         FROM secrets s JOIN projects p ON p.id = s.project_id JOIN environments e ON e.id = s.environment_id
         WHERE s.owner_id = $1 AND s.purged_at IS NULL ORDER BY s.folded_path, s.id LIMIT $2",
    );
    count::first(statement.bind(owner).bind(most), conn).await
}

/// How many keys somebody owns that are not revoked.
pub async fn count(conn: &mut Conn, owner: UserId) -> Result<i64, StoreError> {
    #[derive(sqlx::FromRow)]
    struct Count {
        n: i64,
    }
    let count: Count = sql("SELECT count(*) AS n FROM api_keys WHERE owner_id = $1 AND revoked_at IS NULL")
        .bind(owner)
        .one(conn)
        .await?;
    Ok(count.n)
}

#[derive(sqlx::FromRow)]
struct Given {
    #[sqlx(try_from = "String")]
    project_id: ProjectId,
}

/// Gives a key to somebody else; its project, or none if `from` does not own it.
pub async fn give(
    tx: &mut Tx,
    key: ApiKeyId,
    from: UserId,
    (kind, to): (&'static str, &str),
) -> Result<Option<ProjectId>, StoreError> {
    let given: Vec<Given> = sql(
        "UPDATE api_keys SET owner_kind = $1, owner_id = $2, row_version = row_version + 1
                                 WHERE id = $3 AND owner_id = $4 AND revoked_at IS NULL RETURNING project_id",
    )
    .bind(kind)
    .bind(to)
    .bind(key)
    .bind(from)
    .returning(tx)
    .await?;
    Ok(given.into_iter().next().map(|given| given.project_id))
}

/// As [`give`], for a secret that is not purged.
pub async fn give_secret(
    tx: &mut Tx,
    secret: SecretId,
    from: UserId,
    (kind, to): (&'static str, &str),
) -> Result<Option<ProjectId>, StoreError> {
    let given: Vec<Given> =
        sql("UPDATE secrets SET owner_kind = $1, owner_id = $2, row_version = row_version + 1
                                 WHERE id = $3 AND owner_id = $4 AND purged_at IS NULL RETURNING project_id")
        .bind(kind)
        .bind(to)
        .bind(secret)
        .bind(from)
        .returning(tx)
        .await?;
    Ok(given.into_iter().next().map(|given| given.project_id))
}

/// Whether this person is active, or this team exists.
pub async fn can_own(conn: &mut Conn, id: &str) -> Result<bool, StoreError> {
    #[derive(sqlx::FromRow)]
    struct Count {
        n: i64,
    }
    let count: Count = sql("SELECT (SELECT count(*) FROM users WHERE id = $1 AND state = 'active')
                                 + (SELECT count(*) FROM teams WHERE id = $2) AS n")
    .bind(id)
    .bind(id)
    .one(conn)
    .await?;
    Ok(count.n > 0)
}
