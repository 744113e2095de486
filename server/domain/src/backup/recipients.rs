//! Whom backups are encrypted to.

use keywarden_model::time::micros;
use keywarden_model::{Name, RecipientId};
use keywarden_store::Written;
use keywarden_store::backups::{self, RecipientRow};
use keywarden_vault::backup::MAX_RECIPIENTS as MAX_IN_FILE;
use keywarden_vault::recovery::{Recipient, RecoveryTextError};

use crate::authz::{Action, Resource};
use crate::refused::carries_refused;
use crate::{Domain, Op, Refused};

/// One of those that a file takes is for drills.
const MAX_RECIPIENTS: usize = MAX_IN_FILE - 1;

/// Why nobody was added.
#[derive(Debug, thiserror::Error)]
pub enum AddRecipientError {
    /// The limit.
    #[error("backups are encrypted to {MAX_RECIPIENTS} recipients at most: remove one first")]
    Full,
    /// The gate, or ours.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The text is no recipient.
    #[error(transparent)]
    Text(#[from] RecoveryTextError),
    /// It was added before.
    #[error("`{0}` is a recipient already")]
    There(RecipientId),
}

/// Why nobody was removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveRecipientError {
    /// The gate, or ours.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It is none.
    #[error("`{0}` is no recipient of backups")]
    Unknown(RecipientId),
}
carries_refused!(AddRecipientError, RemoveRecipientError);

impl Domain {
    /// Encrypts later backups to one more recipient; `text` is what `keywarden recovery-key create` printed.
    pub async fn add_recipient(
        &self,
        op: &Op,
        name: Name,
        text: &str,
    ) -> Result<RecipientId, AddRecipientError> {
        let recipient: Recipient = text.parse()?;
        let id = recipient.id();
        self.change(op, Action::ManageRecipients, &Resource::Organization, &[], move |tx, record| {
            let row = RecipientRow {
                id: id.to_string(),
                name: name.to_string(),
                text: recipient.to_string(),
                added_at: micros(record.now()),
            };
            Box::pin(async move {
                // Locks the house's row: two that come at once must not both be the last that fits.
                keywarden_store::keyring::hold(tx).await?;
                if backups::recipients(tx).await?.len() >= MAX_RECIPIENTS {
                    return Err(AddRecipientError::Full);
                }
                if !backups::add_recipient(tx, &row).await? {
                    return Err(AddRecipientError::There(id));
                }
                let event = record.event("backup.add-recipient", "recipient", id).text("name", &row.name);
                Ok(Written::new(id, event.finish()?))
            })
        })
        .await
    }

    /// Encrypts later backups to one recipient less. Earlier ones go on to open with its recovery key.
    pub async fn remove_recipient(&self, op: &Op, id: RecipientId) -> Result<(), RemoveRecipientError> {
        self.change(op, Action::ManageRecipients, &Resource::Organization, &[], move |tx, record| {
            Box::pin(async move {
                if !backups::remove_recipient(tx, id).await? {
                    return Err(RemoveRecipientError::Unknown(id));
                }
                Ok(Written::new((), record.event("backup.remove-recipient", "recipient", id).finish()?))
            })
        })
        .await
    }
}
