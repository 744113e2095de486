//! What a secret refers to, and what refers to it, as far as the viewer may see. No value is read.

use keywarden_model::secret::Reference;
use keywarden_model::{SecretId, SecretLabel, SecretPath};
use keywarden_store::secrets::references as rows;
use keywarden_store::secrets::versions_labelled;

use super::secret::{Address, Secret, damaged, find};
use super::template::{address_of, reference_of};
use crate::authz::Reach;
use crate::{Action, Domain, Op, Refused};

/// The most secrets that are named of those that refer to one.
pub const MOST_REFERRERS: u32 = 100;

/// Both sides of a secret.
#[derive(Debug, Clone, Default)]
pub struct References {
    /// What its current version refers to, in the order of its text, each once.
    pub to: Vec<Referred>,
    /// Secrets with a labelled version that refers to it, in the order of where they live, at most [`MOST_REFERRERS`]. That
    /// there are others, which the viewer may not see, is not told.
    pub by: Vec<Referrer>,
}

/// Something that a template refers to.
#[derive(Debug, Clone)]
pub struct Referred {
    /// As it is written.
    pub reference: Reference,
    /// The secret that it leads to, if there is one that the viewer may see.
    pub secret: Option<SecretId>,
    /// Whether that is deleted.
    pub deleted: bool,
}

/// A secret that refers to another one.
#[derive(Debug, Clone)]
pub struct Referrer {
    /// The secret.
    pub id: SecretId,
    /// Its project's slug.
    pub project: String,
    /// Its environment's.
    pub environment: String,
    /// Where it lives in there.
    pub path: SecretPath,
}

impl Domain {
    /// What a secret that the caller may see refers to, and what refers to it.
    pub async fn secret_references(&self, op: &Op, id: SecretId) -> Result<References, Refused> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        let _permit = self.authorize(op, Action::ViewSecret, &resource).await?;
        let reach = self.reach(op, Action::ViewSecret).await?;
        let mut conn = self.store().read().await?;
        let row = find(&mut conn, &Address::Id(id)).await?.ok_or(Refused::NotFound)?;
        let within = match &reach {
            Reach::All => None,
            Reach::Part { projects, .. } => Some(projects.as_slice()),
        };
        let found = rows::referrers(&mut conn, &row, within, MOST_REFERRERS).await?;
        let secret = Secret::from_row(row)?;
        if secret.resource() != resource {
            return Err(Refused::NotFound);
        }
        let by = found.into_iter().map(|it| -> Result<Referrer, Refused> {
            let path = it.path.parse().map_err(damaged)?;
            Ok(Referrer { id: it.id, project: it.project_slug, environment: it.environment_slug, path })
        });
        let by = by.collect::<Result<_, _>>()?;
        let current = versions_labelled(&mut conn, &[id], SecretLabel::CURRENT).await?.pop();
        let mut to: Vec<Referred> = Vec::new();
        if let Some(version) = current.filter(|it| it.template) {
            for row in rows::references(&mut conn, version.id).await? {
                let reference = reference_of(&row)?;
                if to.iter().any(|it| it.reference == reference) {
                    continue;
                }
                let row = find(&mut conn, &address_of(&reference)).await?;
                let seen = row.filter(|row| reach.covers(row.project_id));
                let deleted = seen.as_ref().is_some_and(|row| row.deleted_at.is_some());
                to.push(Referred { reference, secret: seen.map(|row| row.id), deleted });
            }
        }
        Ok(References { to, by })
    }
}
