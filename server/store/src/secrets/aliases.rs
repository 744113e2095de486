//! What secrets are called by clients of other systems: a name leads to its secret, and a secret to its names.

use keywarden_model::{Alias, Dialect, EnvironmentId, SecretId};

use super::SecretRow;
use super::find::SECRETS;
use crate::{Conn, StoreError, Tx, filter::Select, sql};

/// A name.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AliasRow {
    /// The dialect's word.
    pub dialect: String,
    /// As it is written there.
    pub name: String,
}

/// Gives a claimed secret a name, in place of the one it had in that dialect. One that another secret of the environment has
/// is a [`StoreError::Conflict`].
pub async fn set(
    tx: &mut Tx,
    secret: SecretId,
    environment: EnvironmentId,
    alias: &Alias,
) -> Result<(), StoreError> {
    sql("INSERT INTO secret_aliases (secret_id, environment_id, dialect, name, folded_name) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (secret_id, dialect) DO UPDATE SET name = excluded.name, folded_name = excluded.folded_name")
    .bind(secret)
    .bind(environment)
    .bind(alias.dialect().as_str())
    .bind(alias.name())
    .bind(alias.folded())
    .execute_one(tx, "secret_aliases")
    .await
}

/// Takes a secret's name in a dialect away.
pub async fn remove(tx: &mut Tx, secret: SecretId, dialect: Dialect) -> Result<(), StoreError> {
    sql("DELETE FROM secret_aliases WHERE secret_id = $1 AND dialect = $2")
        .bind(secret)
        .bind(dialect.as_str())
        .execute_one(tx, "secret_aliases")
        .await
}

/// Frees the names of a secret that is purged.
pub(super) async fn free(tx: &mut Tx, secret: SecretId) -> Result<(), StoreError> {
    sql("DELETE FROM secret_aliases WHERE secret_id = $1").bind(secret).execute(tx).await?;
    Ok(())
}

/// A secret's names, along their dialects.
pub async fn of(conn: &mut Conn, secret: SecretId) -> Result<Vec<AliasRow>, StoreError> {
    Select::from("SELECT dialect, name FROM secret_aliases")
        .and("secret_id = ?", [secret])
        .then::<i64>("ORDER BY dialect", [])
        .all(conn)
        .await
}

/// The secret of an environment that has this name.
pub async fn find(
    conn: &mut Conn,
    environment: EnvironmentId,
    alias: &Alias,
) -> Result<Option<SecretRow>, StoreError> {
    named(environment, alias).then("LIMIT ?", [1_i64]).optional(conn).await
}

pub(super) fn named(environment: EnvironmentId, alias: &Alias) -> Select {
    let name = [environment.to_string(), alias.dialect().to_string(), alias.folded()];
    Select::from(SECRETS).and(
        "s.id = (SELECT secret_id FROM secret_aliases WHERE environment_id = ? AND dialect = ? AND folded_name = ?)",
        name,
    )
}
