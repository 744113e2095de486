//! How a folder was at an instant, beside how it is. No value is read.

use keywarden_model::{EnvironmentId, SecretId};

use crate::{Conn, StoreError, filter::Select};

/// A secret as it was and as it is.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct WasRow {
    /// The secret.
    #[sqlx(try_from = "String")]
    pub id: SecretId,
    /// Folders and name.
    pub path: String,
    /// `there`, `deleted` or `purged`; `None` before it was made.
    pub then_state: Option<String>,
    /// The number that `current` pointed at.
    pub then_number: Option<i64>,
    /// What has become of that version.
    pub then_version: Option<String>,
    /// The number that `current` points at.
    pub number: Option<i64>,
    /// Deleted since.
    pub deleted_at: Option<i64>,
    /// When its versions are destroyed.
    pub purge_at: Option<i64>,
    /// When they were.
    pub purged_at: Option<i64>,
}

pub(super) const ALONG: &str = "ORDER BY s.folded_path, s.id LIMIT ?";

/// Of a folder (folded; `None` is all of the environment), and of the folders below it, the secrets that were there at
/// `at`, in microseconds, or are there now, in the order of their paths.
pub async fn as_of(
    conn: &mut Conn,
    environment: EnvironmentId,
    folder: Option<&str>,
    at: i64,
    limit: u32,
) -> Result<Vec<WasRow>, StoreError> {
    was(environment, folder, at).then(ALONG, [limit]).all(conn).await
}

pub(super) fn was(environment: EnvironmentId, folder: Option<&str>, at: i64) -> Select {
    let select = Select::from_with(
        "SELECT s.id, s.path, h.state AS then_state, h.number AS then_number, v.state AS then_version, l.number,
                s.deleted_at, s.purge_at, s.purged_at
         FROM secrets s
         LEFT JOIN secret_history h ON h.secret_id = s.id
              AND h.seq = (SELECT x.seq FROM secret_history x WHERE x.secret_id = s.id AND x.at <= ?
                           ORDER BY x.at DESC, x.seq DESC LIMIT 1)
         LEFT JOIN secret_versions v ON v.secret_id = s.id AND v.number = h.number
         LEFT JOIN secret_labels l ON l.secret_id = s.id AND l.label = 'current'",
        [at],
    );
    let select = select
        .and("s.environment_id = ?", [environment])
        .and::<i64>("h.state = 'there' OR s.deleted_at IS NULL", []);
    match folder {
        // As in lists: `0` is the character after `/`.
        Some(folder) => select
            .and("s.folded_path >= ? AND s.folded_path < ?", [format!("{folder}/"), format!("{folder}0")]),
        None => select,
    }
}
