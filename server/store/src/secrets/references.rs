//! What templates refer to. Where a reference leads is looked up each time: slugs and paths never change, and what they name
//! may come and go.

use keywarden_model::{EnvironmentId, ProjectId, SecretId, SecretVersionId};

use super::SecretRow;
use crate::{Conn, StoreError, Tx, filter::Select, sql};

/// A reference, in parts as they are written.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ReferenceRow {
    /// The project's slug.
    pub project: String,
    /// The environment's.
    pub environment: String,
    /// Folders and name.
    pub path: String,
    /// A field of the JSON that is there.
    pub field: Option<String>,
}

/// A secret of which a labelled version refers to another one.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ReferrerRow {
    /// The secret.
    #[sqlx(try_from = "String")]
    pub id: SecretId,
    /// Its project.
    #[sqlx(try_from = "String")]
    pub project_id: ProjectId,
    /// The project's slug.
    pub project_slug: String,
    /// Its environment.
    #[sqlx(try_from = "String")]
    pub environment_id: EnvironmentId,
    /// The environment's slug.
    pub environment_slug: String,
    /// Folders and name.
    pub path: String,
}

/// Notes the references of a version that was just made, in the order of its text.
pub async fn refer(
    tx: &mut Tx,
    version: SecretVersionId,
    references: &[ReferenceRow],
) -> Result<(), StoreError> {
    for (position, it) in (0_i64..).zip(references) {
        sql("INSERT INTO secret_references (version_id, position, project, environment, path, field)
             VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(version)
        .bind(position)
        .bind(it.project.as_str())
        .bind(it.environment.as_str())
        .bind(it.path.as_str())
        .bind(it.field.clone())
        .execute_one(tx, "secret_references")
        .await?;
    }
    Ok(())
}

/// Forgets the references of a secret's version; number 0 stands for all.
pub(super) async fn forget(tx: &mut Tx, secret: SecretId, number: i64) -> Result<(), StoreError> {
    sql("DELETE FROM secret_references WHERE version_id IN
             (SELECT id FROM secret_versions WHERE secret_id = $1 AND $2 IN (0, number))")
    .bind(secret)
    .bind(number)
    .execute(tx)
    .await?;
    Ok(())
}

/// The references of a version, in the order of its text.
pub async fn references(conn: &mut Conn, version: SecretVersionId) -> Result<Vec<ReferenceRow>, StoreError> {
    Select::from("SELECT project, environment, path, field FROM secret_references")
        .and("version_id = ?", [version])
        .then::<i64>("ORDER BY position", [])
        .all(conn)
        .await
}

pub(super) const BY_PLACE: &str = "ORDER BY p.slug, e.slug, s.path, s.id LIMIT ?";

/// Secrets with a labelled version that refers to a secret, within these projects (`None`: everywhere), in the order of where
/// they live.
pub async fn referrers(
    conn: &mut Conn,
    to: &SecretRow,
    reach: Option<&[ProjectId]>,
    limit: u32,
) -> Result<Vec<ReferrerRow>, StoreError> {
    let select = referring(&to.project_slug, &to.environment_slug, &to.path);
    let select = match reach {
        Some(projects) => select.and_in("s.project_id", projects.iter().copied()),
        None => select,
    };
    select.then(BY_PLACE, [limit]).all(conn).await
}

pub(super) fn referring(project: &str, environment: &str, path: &str) -> Select {
    Select::from(
        "SELECT DISTINCT s.id, s.project_id, p.slug AS project_slug, s.environment_id, e.slug AS environment_slug, s.path
         FROM secret_references r JOIN secret_versions v ON v.id = r.version_id
         JOIN secret_labels l ON l.secret_id = v.secret_id AND l.number = v.number
         JOIN secrets s ON s.id = v.secret_id JOIN projects p ON p.id = s.project_id
         JOIN environments e ON e.id = s.environment_id",
    )
    .and("r.project = ? AND r.environment = ? AND r.path = ?", [project, environment, path].map(str::to_owned))
}
