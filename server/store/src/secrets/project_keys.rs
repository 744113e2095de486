//! The projects' keys: sealed under the keyring, counted with each data key that they wrap.

use chrono::{DateTime, Utc};
use keywarden_model::{ProjectId, ProjectKeyId};

use crate::{Conn, StoreError, Tx, sql};

/// A project's key.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ProjectKeyRow {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: ProjectKeyId,
    /// Under the keyring.
    pub sealed: Vec<u8>,
}

/// The key that wraps new data keys of the project.
pub async fn in_service(conn: &mut Conn, project: ProjectId) -> Result<Option<ProjectKeyRow>, StoreError> {
    sql("SELECT id, sealed FROM project_keys WHERE project_id = $1 AND retired_at IS NULL LIMIT 1")
        .bind(project)
        .optional(conn)
        .await
}

/// Counts a data key that it wrapped; false if it may wrap no more. `most` is how many it may at all.
///
/// The row is taken until the commit, so that the count has no gap. Writers of one project wait for each other here:
/// let it be the last thing that a write does.
pub async fn count_use(tx: &mut Tx, id: ProjectKeyId, most: i64) -> Result<bool, StoreError> {
    let counted =
        sql("UPDATE project_keys SET uses = uses + 1 WHERE id = $1 AND retired_at IS NULL AND uses < $2")
            .bind(id)
            .bind(most)
            .execute(tx)
            .await?;
    Ok(counted == 1)
}

/// Writes a key down, used once; false if another one is in service already.
pub async fn insert(
    tx: &mut Tx,
    id: ProjectKeyId,
    project: ProjectId,
    sealed: &[u8],
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let made =
        sql("INSERT INTO project_keys (id, project_id, sealed, uses, created_at) VALUES ($1, $2, $3, 1, $4)
                    ON CONFLICT (project_id) WHERE retired_at IS NULL DO NOTHING")
        .bind(id)
        .bind(project)
        .bind(sealed)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(made == 1)
}
