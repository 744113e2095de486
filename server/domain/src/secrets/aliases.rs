//! Aliases: what clients of other systems call a secret. A name is one secret's within its environment and dialect, and a
//! secret has one name in a dialect: each leads to the other, and nothing is escaped. A deleted secret keeps its names, as it
//! keeps its path.

use keywarden_model::{Alias, Dialect, SecretId};
use keywarden_store::secrets::aliases as rows;
use keywarden_store::{Conn, StoreError, Written};

use super::secret::{Address, Claimed, claim, damaged};
use crate::audit::{Draft, Record};
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused};

/// Why no name was given or taken away.
#[derive(Debug, thiserror::Error)]
pub enum AliasSecretError {
    /// The secret is deleted.
    #[error("this secret is deleted: restore it first")]
    Deleted,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Somebody changed it since it was read.
    #[error("this secret was changed meanwhile: look at it again")]
    Stale,
    /// Another secret has it.
    #[error("another secret of this environment, perhaps a deleted one, has this name: choose another one")]
    Taken,
}
carries_refused!(AliasSecretError);

impl Domain {
    /// Gives a secret a name in a dialect, in place of the one that it has there.
    pub async fn alias_secret(
        &self,
        op: &Op,
        id: SecretId,
        if_version: Option<i64>,
        alias: &Alias,
    ) -> Result<(), AliasSecretError> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        let alias = alias.clone();
        self.change(op, Action::AliasSecret, &resource, &[], move |tx, record| {
            let alias = alias.clone();
            Box::pin(async move {
                let it = claim(tx, &resource).await?;
                may_change(&it, if_version)?;
                let environment = it.secret.environment;
                if rows::find(tx, environment, &alias).await?.is_some_and(|other| other.id != id) {
                    return Err(AliasSecretError::Taken);
                }
                let before = named(&aliases(tx, id).await?, alias.dialect());
                rows::set(tx, id, environment, &alias).await.map_err(|error| match error {
                    // Somebody was faster between the look and the row.
                    StoreError::Conflict(_) => AliasSecretError::Taken,
                    other => other.into(),
                })?;
                let event = told(&record, &it, alias.dialect(), &before).text("alias", alias.name());
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }

    /// Takes a secret's name in a dialect away.
    pub async fn unalias_secret(
        &self,
        op: &Op,
        id: SecretId,
        if_version: Option<i64>,
        dialect: Dialect,
    ) -> Result<(), AliasSecretError> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        self.change(op, Action::AliasSecret, &resource, &[], move |tx, record| {
            Box::pin(async move {
                let it = claim(tx, &resource).await?;
                may_change(&it, if_version)?;
                let before = named(&aliases(tx, id).await?, dialect);
                if before.is_empty() {
                    return Err(Refused::NotFound.into());
                }
                rows::remove(tx, id, dialect).await?;
                let event = told(&record, &it, dialect, &before);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}

fn may_change(it: &Claimed, if_version: Option<i64>) -> Result<(), AliasSecretError> {
    if if_version.is_some_and(|seen| seen != it.seen_version()) {
        return Err(AliasSecretError::Stale);
    }
    if it.secret.deletion.is_some() { Err(AliasSecretError::Deleted) } else { Ok(()) }
}

/// The name in a dialect, or nothing.
fn named(aliases: &[Alias], dialect: Dialect) -> String {
    let found = aliases.iter().find(|alias| alias.dialect() == dialect);
    found.map(|alias| alias.name().to_owned()).unwrap_or_default()
}

fn told(record: &Record, it: &Claimed, dialect: Dialect, before: &str) -> Draft {
    record
        .event(Action::AliasSecret.name(), "secret", it.secret.id)
        .project(it.secret.project)
        .fact("dialect", dialect)
        .text("alias_before", before)
}

/// A secret's names, along their dialects.
pub(super) async fn aliases(conn: &mut Conn, secret: SecretId) -> Result<Vec<Alias>, Refused> {
    let read =
        |row: rows::AliasRow| Alias::new(row.dialect.parse().map_err(damaged)?, &row.name).map_err(damaged);
    let rows = rows::of(conn, secret).await?;
    Ok(rows.into_iter().map(read).collect::<Result<_, _>>()?)
}
