//! One secret, without any value.

use keywarden_model::{Alias, Dialect, SecretLabel};
use keywarden_store::secrets as rows;

use super::aliases::aliases;
use super::secret::{Address, Secret, Version, find, labels};
use crate::{Action, Domain, Op, Refused};

/// The most versions that are shown at once.
pub const MOST_VERSIONS: u32 = 100;

/// A secret with its versions and labels.
#[derive(Debug, Clone)]
pub struct SecretView {
    /// The secret.
    pub secret: Secret,
    /// Its newest versions, the newest first.
    pub versions: Vec<Version>,
    /// Labels and the numbers of the versions they point at, alphabetical.
    pub labels: Vec<(SecretLabel, i64)>,
    /// What clients of other systems call it, along their dialects.
    pub aliases: Vec<Alias>,
}

impl SecretView {
    /// The labels of one version.
    pub fn labels_of(&self, number: i64) -> impl Iterator<Item = &SecretLabel> {
        self.labels.iter().filter(move |(_, at)| *at == number).map(|(label, _)| label)
    }

    /// What it is called in a dialect.
    pub fn alias(&self, dialect: Dialect) -> Option<&Alias> {
        self.aliases.iter().find(|alias| alias.dialect() == dialect)
    }
}

impl Domain {
    /// A secret that the caller may see; a deleted one too, until it is purged.
    pub async fn secret(&self, op: &Op, address: &Address) -> Result<SecretView, Refused> {
        let resource = self.secret_as_resource(address).await?;
        let _permit = self.authorize(op, Action::ViewSecret, &resource).await?;
        let mut conn = self.store().read().await?;
        let row = find(&mut conn, address).await?.ok_or(Refused::NotFound)?;
        let secret = Secret::from_row(row)?;
        if secret.resource() != resource {
            return Err(Refused::NotFound);
        }
        let labels = labels(rows::labels(&mut conn, secret.id).await?)?;
        let deleted = secret.deletion.is_some();
        let versions = rows::versions(&mut conn, secret.id, i64::MAX, MOST_VERSIONS).await?;
        let versions = versions.into_iter().map(|row| Version::from_row(row, deleted));
        Ok(SecretView {
            versions: versions.collect::<Result<_, _>>()?,
            labels: labels.into_iter().collect(),
            aliases: aliases(&mut conn, secret.id).await?,
            secret,
        })
    }
}
