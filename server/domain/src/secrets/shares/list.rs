//! Links that are open, and withdrawing them.

use chrono::{DateTime, Utc};
use keywarden_model::time::{from_micros, micros};
use keywarden_model::{SecretId, ShareId, UserId};
use keywarden_store::Written;
use keywarden_store::secrets::shares;

use super::MOST_SHARES;
use crate::secrets::secret::{Address, Secret, damaged, find};
use crate::{Action, Domain, Fault, Op, Refused};

/// An open link, without what opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Its id.
    pub id: ShareId,
    /// The version's number.
    pub version: i64,
    /// Who may open it: id and name; `None`: whoever has the passphrase.
    pub recipient: Option<(UserId, String)>,
    /// Who made it: an actor's id.
    pub made_by: String,
    /// What its maker is called.
    pub maker: String,
    /// Wrong passphrases so far.
    pub tries: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when it serves.
    pub expires_at: DateTime<Utc>,
}

impl Share {
    fn from_row(row: shares::Row) -> Result<Self, Fault> {
        let recipient = match row.recipient_id {
            Some(id) => Some((id.parse().map_err(damaged)?, row.recipient_name.unwrap_or(id))),
            None => None,
        };
        Ok(Self {
            id: row.id,
            version: row.version,
            recipient,
            maker: row.maker_name.unwrap_or_else(|| row.made_by.clone()),
            made_by: row.made_by,
            tries: row.tries,
            created_at: from_micros(row.created_at),
            expires_at: from_micros(row.expires_at),
        })
    }
}

impl Domain {
    /// The links to a secret that serve, newest first.
    pub async fn shares(&self, op: &Op, id: SecretId) -> Result<Vec<Share>, Refused> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        let _permit = self.authorize(op, Action::ViewSecret, &resource).await?;
        let mut conn = self.store().read().await?;
        let rows = shares::open_of(&mut conn, id, micros(op.now), MOST_SHARES).await?;
        Ok(rows.into_iter().map(Share::from_row).collect::<Result<_, _>>()?)
    }

    /// Withdraws a link to a secret; one that does not serve any more is not found.
    pub async fn withdraw_share(&self, op: &Op, id: SecretId, share: ShareId) -> Result<(), Refused> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        self.change(op, Action::WithdrawShare, &resource, &[], move |tx, record| {
            Box::pin(async move {
                let row = find(tx, &Address::Id(id)).await?.ok_or(Refused::NotFound)?;
                let secret = Secret::from_row(row)?;
                let open = shares::of_secret(tx, id, share).await?.ok_or(Refused::NotFound)?;
                let now = record.now();
                if shares::claim(tx, share, now).await?.is_none() {
                    return Err(Refused::NotFound);
                }
                shares::end(tx, share, "withdrawn", now).await?;
                let event = record
                    .event(Action::WithdrawShare.name(), "secret", id)
                    .project(secret.project)
                    .fact("share", share)
                    .fact("version", open.version);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}
