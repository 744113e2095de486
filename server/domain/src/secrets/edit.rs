//! Changing what is said about a secret. Its path stays: callers hold it.

use keywarden_model::{Description, SecretId, Tags};
use keywarden_store::secrets as rows;
use keywarden_store::{EventRow, Tx, Written};

use super::about::{may_own, tagging};
use super::secret::{Address, Secret, claim};
use crate::audit::Record;
use crate::authz::Owner;
use crate::change::Besides;
use crate::policy::{Moved, Regrants};
use crate::refused::carries_refused;
use crate::standards::{Breach, InForce, SecretStand};
use crate::{Action, Domain, Op, Refused, owner};

/// What is to change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct SecretPatch {
    /// What it is for.
    pub description: Option<Description>,
    /// For finding it.
    pub tags: Option<Tags>,
    /// Whose it is.
    pub owner: Option<Owner>,
}

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum EditSecretError {
    /// It is deleted.
    #[error("this secret is deleted: restore it first")]
    Deleted,
    /// There is no such team or active person.
    #[error("the owner must be a team or an active person")]
    OwnerUnknown,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It would break a standard that is in force there.
    #[error(transparent)]
    Standard(#[from] Breach),
    /// Somebody changed it since it was read.
    #[error("this secret was changed meanwhile: look at it again")]
    Stale,
}
carries_refused!(EditSecretError);

impl Domain {
    /// Changes a secret's attributes. With `if_version`, only if nobody changed it since it had that
    /// [`super::Secret::row_version`].
    pub async fn edit_secret(
        &self,
        op: &Op,
        id: SecretId,
        if_version: Option<i64>,
        patch: SecretPatch,
    ) -> Result<(), EditSecretError> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        let moved = self.moved(&resource, patch.tags.as_ref(), patch.owner).await?;
        let regrants = self.regrants(resource.project(), &moved).await?;
        let concerned = Besides { what: resource, also: regrants.questions() };
        self.change(op, Action::EditSecret, &concerned, &[], move |tx, record| {
            let (patch, regrants) = (patch.clone(), regrants.clone());
            Box::pin(async move {
                let it = claim(tx, &resource).await?;
                if if_version.is_some_and(|seen| seen != it.seen_version()) {
                    return Err(EditSecretError::Stale);
                }
                let before = it.secret;
                if before.deletion.is_some() {
                    return Err(EditSecretError::Deleted);
                }
                let event = describe(tx, &record, &before, &patch, &regrants).await?;
                Ok(Written::new((), event))
            })
        })
        .await
    }
}

/// Writes what is said of a claimed secret.
pub(super) async fn describe(
    tx: &mut Tx,
    record: &Record,
    before: &Secret,
    patch: &SecretPatch,
    regrants: &Regrants,
) -> Result<EventRow, EditSecretError> {
    let description = patch.description.as_ref().unwrap_or(&before.description);
    let tags = patch.tags.as_ref().unwrap_or(&before.tags);
    let owner = patch.owner.unwrap_or(before.owner);
    if owner != before.owner && !may_own(tx, owner).await? {
        return Err(EditSecretError::OwnerUnknown);
    }
    let place = keywarden_store::keys::place(tx, before.environment).await?.ok_or(Refused::NotFound)?;
    let held = InForce::of(tx, before.project, &place.slug, &place.label).await?;
    let (path, of_team) = (before.path.as_str(), owner.is_team());
    // How old its value is, no edit changes.
    let after = SecretStand { path, of_team, tags, since: None };
    held.hold_secret(Some(&before.stand(None)), &after, record.now())?;
    let attributes = rows::Attributes {
        description: description.as_str(),
        tags: &tagging(tags)?,
        owner_kind: owner.kind(),
        owner_id: &owner.to_string(),
    };
    rows::edit(tx, before.id, &attributes).await?;
    let moved = Moved::of((&before.tags, before.owner), (tags, owner));
    let readers = regrants.note(tx, (before.project, &before.id), &moved, record.now()).await?;
    let mut event = record
        .event(Action::EditSecret.name(), "secret", before.id)
        .project(before.project)
        .change("owner", owner::fact(before.owner), owner::fact(owner))
        .tags(Some(&before.tags), tags)
        .read_by(&readers);
    if before.description != *description {
        event = event.text("description_before", &before.description).text("description", description);
    }
    Ok(event.finish()?)
}
