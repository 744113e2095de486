//! Which versions hold a value, told by its fingerprints. No value is read.

use keywarden_model::SecretId;

use crate::{Conn, StoreError, filter::Select};

/// A version whose fingerprint is one of those that were asked for.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct HoldingRow {
    /// The secret.
    #[sqlx(try_from = "String")]
    pub secret_id: SecretId,
    /// The version's number.
    pub number: i64,
    /// `enabled`, `disabled` or `soft-deleted`.
    pub state: String,
    /// The keyring's key of the fingerprint.
    pub fingerprint_key_id: String,
    /// The fingerprint.
    pub fingerprint: Vec<u8>,
    /// The number again, if `current` points at it.
    pub current: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct Number {
    number: i64,
}

/// How [`holding`] puts them in order.
pub(super) const BY_SECRET: &str = "ORDER BY v.secret_id, v.number DESC LIMIT ?";

/// Versions with one of these fingerprints, by their secrets, the newest first. One that is destroyed has none.
pub async fn holding(
    conn: &mut Conn,
    fingerprints: &[[u8; 32]],
    limit: u32,
) -> Result<Vec<HoldingRow>, StoreError> {
    held(fingerprints).then(BY_SECRET, [limit]).all(conn).await
}

/// How [`newest_with`] finds the newest.
pub(super) const NEWEST: &str = "ORDER BY v.number DESC LIMIT ?";

/// The number of a secret's newest version with one of these fingerprints that is no template.
pub async fn newest_with(
    conn: &mut Conn,
    secret: SecretId,
    fingerprints: &[[u8; 32]],
) -> Result<Option<i64>, StoreError> {
    let found: Option<Number> = of_secret(secret, fingerprints).then(NEWEST, [1_i64]).optional(conn).await?;
    Ok(found.map(|it| it.number))
}

pub(super) fn of_secret(secret: SecretId, fingerprints: &[[u8; 32]]) -> Select {
    Select::from("SELECT v.number FROM secret_versions v")
        .and("v.secret_id = ?", [secret])
        .and::<i64>("v.fingerprint IS NOT NULL AND NOT v.template", [])
        .and_in("v.fingerprint", fingerprints.iter().copied())
}

pub(super) fn held(fingerprints: &[[u8; 32]]) -> Select {
    Select::from(
        "SELECT v.secret_id, v.number, v.state, v.fingerprint_key_id, v.fingerprint, l.number AS current
         FROM secret_versions v LEFT JOIN secret_labels l
              ON l.secret_id = v.secret_id AND l.number = v.number AND l.label = 'current'",
    )
    .and::<i64>("v.fingerprint IS NOT NULL AND v.fingerprint_key_id IS NOT NULL", [])
    .and_in("v.fingerprint", fingerprints.iter().copied())
}
