//! Labels: which version is meant.

use keywarden_model::{SecretId, SecretLabel, VersionState};
use keywarden_store::secrets as rows;
use keywarden_store::{Tx, Written};

use super::secret::{Address, Labels, claim, claim_seen, current};
use crate::audit::Record;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused};

/// The most labels that one secret may have.
pub const MOST_LABELS: usize = 20;

/// Why no label was moved.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// The secret is deleted.
    #[error("this secret is deleted: restore it first")]
    Deleted,
    /// `current` would point at what cannot be read.
    #[error("this version is {0}: `current` needs one that is enabled")]
    NotEnabled(VersionState),
    /// The version is deleted by itself.
    #[error("this version is deleted: restore it before a label points at it")]
    VersionDeleted,
    /// The version is destroyed.
    #[error("this version is destroyed: no label can point at it")]
    Destroyed,
    /// `previous` goes where `current` was, and `current` is never taken away.
    #[error("`current` can be moved but not removed, and `previous` follows it by itself")]
    Follows,
    /// The secret never had it.
    #[error("this secret has no such version")]
    NoVersion,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Somebody changed it since it was read.
    #[error("this secret was changed meanwhile: look at it again")]
    Stale,
    /// More labels than may be.
    #[error("use at most {MOST_LABELS} labels for a secret")]
    TooMany,
}
carries_refused!(LabelError);

impl Domain {
    /// Lets a label point at a version. `current` may be moved to any version that is enabled, back too; `previous` then
    /// points where it was.
    pub async fn label_secret(
        &self,
        op: &Op,
        id: SecretId,
        if_version: Option<i64>,
        label: &SecretLabel,
        number: i64,
    ) -> Result<(), LabelError> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        let label = label.clone();
        self.change(op, Action::LabelSecret, &resource, &[], move |tx, record| {
            let label = label.clone();
            Box::pin(async move {
                let it = claim(tx, &resource).await?;
                if if_version.is_some_and(|seen| seen != it.seen_version()) {
                    return Err(LabelError::Stale);
                }
                if label.as_str() == SecretLabel::PREVIOUS {
                    return Err(LabelError::Follows);
                }
                if it.secret.deletion.is_some() {
                    return Err(LabelError::Deleted);
                }
                let version = it.version(tx, number).await.map_err(|refused| match refused {
                    Refused::NotFound => LabelError::NoVersion,
                    other => other.into(),
                })?;
                match version.state {
                    VersionState::Destroyed => return Err(LabelError::Destroyed),
                    VersionState::SoftDeleted => return Err(LabelError::VersionDeleted),
                    VersionState::Enabled => {}
                    state if label.as_str() == SecretLabel::CURRENT => {
                        return Err(LabelError::NotEnabled(state));
                    }
                    VersionState::Disabled => {}
                }
                let before = it.labels.get(&label).copied();
                if before.is_none() && it.labels.len() >= MOST_LABELS {
                    return Err(LabelError::TooMany);
                }
                point(tx, &record, id, &it.labels, &label, number).await?;
                if label.as_str() == SecretLabel::CURRENT {
                    rows::promoted(tx, id, number, record.now()).await?;
                }
                let event = record
                    .event(Action::LabelSecret.name(), "secret", id)
                    .project(it.secret.project)
                    .fact("label", &label)
                    .change("version", before, number);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }

    /// Takes a label away. `current` and `previous` stay.
    pub async fn unlabel_secret(&self, op: &Op, id: SecretId, label: &SecretLabel) -> Result<(), LabelError> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        let label = label.clone();
        self.change(op, Action::LabelSecret, &resource, &[], move |tx, record| {
            let label = label.clone();
            Box::pin(async move {
                let it = claim_seen(tx, &record, &resource).await?;
                if it.secret.deletion.is_some() {
                    return Err(LabelError::Deleted);
                }
                let before = it.labels.get(&label).copied().ok_or(Refused::NotFound)?;
                if label.follows() {
                    return Err(LabelError::Follows);
                }
                rows::unpoint(tx, id, label.as_str()).await?;
                let event = record
                    .event(Action::LabelSecret.name(), "secret", id)
                    .project(it.secret.project)
                    .fact("label", &label)
                    .change("version", before, crate::audit::Fact::none());
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}

/// Moves a label of a claimed secret. `current` leaves `previous` where it was.
pub(super) async fn point(
    tx: &mut Tx,
    record: &Record,
    secret: SecretId,
    before: &Labels,
    label: &SecretLabel,
    number: i64,
) -> Result<(), Refused> {
    if label.as_str() == SecretLabel::CURRENT
        && let Some(was) = current(before).filter(|was| *was != number)
    {
        rows::point(tx, secret, SecretLabel::PREVIOUS, was, record.now()).await?;
    }
    rows::point(tx, secret, label.as_str(), number, record.now()).await?;
    Ok(())
}
