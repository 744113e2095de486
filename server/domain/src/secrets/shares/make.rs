//! Making a link: asked for like the value itself.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keywarden_model::time::{from_micros, later, micros};
use keywarden_model::{SecretId, ShareId, UserId};
use keywarden_store::Written;
use keywarden_store::people::users;
use keywarden_store::secrets::shares;
use keywarden_vault::{Purpose, SecretString};

use super::{GROUP, LABEL, MOST_SHARES, PASSPHRASE, PATH, ShareLife, material};
use crate::once::Repeatable;
use crate::refused::carries_refused;
use crate::secrets::read::{ReadSecretError, Which, meant, reasoned};
use crate::secrets::secret::Address;
use crate::{Action, Actor, Domain, Fault, Op, Refused, one_time, typed};

/// A link to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewShare {
    /// The version's number.
    pub version: i64,
    /// Who may open it; `None`: whoever has the passphrase that is drawn for it.
    pub recipient: Option<UserId>,
    /// How long it serves.
    pub life: ShareLife,
}

/// A link as it leaves the house, this once.
#[derive(Debug)]
pub struct MadeShare {
    /// Its id.
    pub id: ShareId,
    /// Until when it serves.
    pub expires_at: DateTime<Utc>,
    /// The URL; below it the passphrase, if there is one.
    shown: SecretString,
}

impl MadeShare {
    /// The whole URL.
    pub fn url(&self) -> &str {
        self.shown.expose().lines().next().unwrap_or_default()
    }

    /// What opens it, to be told otherwise than the URL; none for a person who signs in.
    pub fn passphrase(&self) -> Option<&str> {
        self.shown.expose().lines().nth(1)
    }
}

impl Repeatable for MadeShare {
    fn thing(&self) -> String {
        format!("{} {}", self.id, micros(self.expires_at))
    }
    fn secret(&self) -> Option<&SecretString> {
        Some(&self.shown)
    }
    fn again(thing: &str, secret: Option<SecretString>) -> Option<Self> {
        let (id, until) = thing.split_once(' ')?;
        let expires_at = from_micros(until.parse().ok()?);
        Some(Self { id: id.parse().ok()?, expires_at, shown: secret? })
    }
}

/// Why no link was made.
#[derive(Debug, thiserror::Error)]
pub enum ShareError {
    /// The project is archived: links into it open nothing.
    #[error("this project is archived: its values are not shared")]
    Archived,
    /// The operator has no name of their own by which the link could end with their right.
    #[error("a link works as long as its maker may read the value: sign in, or use a workload's token")]
    NoMaker,
    /// No active person of the organization.
    #[error("the recipient must be an active person")]
    RecipientUnknown,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The version is a template: what it refers to is read by whoever reads it, and a link's reader is nobody whom the
    /// rules could be asked about.
    #[error(
        "version {0} is a template, and what it refers to is not shared: share the secrets that it refers to"
    )]
    Template(i64),
    /// More than may be open at once.
    #[error("{MOST_SHARES} links to this secret are open: withdraw some first")]
    TooMany,
    /// The version is not read now: there would be nothing to open.
    #[error(transparent)]
    Unread(ReadSecretError),
}
carries_refused!(ShareError);

impl From<ReadSecretError> for ShareError {
    fn from(error: ReadSecretError) -> Self {
        match error {
            ReadSecretError::Refused(refused) => Self::Refused(refused),
            other => Self::Unread(other),
        }
    }
}

impl Domain {
    /// Makes a link to the value of one version, that is no template.
    pub async fn share_secret(&self, op: &Op, id: SecretId, new: NewShare) -> Result<MadeShare, ShareError> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        if !matches!(op.actor, Actor::Person(_) | Actor::Workload { .. }) {
            return Err(ShareError::NoMaker);
        }
        let facts = Arc::new(self.drawn_share(op, id, new).await?);
        self.change(op, Action::ReadSecret, &resource, &[], move |tx, record| {
            let facts = Arc::clone(&facts);
            Box::pin(async move {
                let (row, shown) = &*facts;
                let (secret, version) = meant(tx, &resource, &Which::Number(row.version)).await?;
                version.readable(record.now())?;
                if version.template {
                    return Err(ShareError::Template(version.number));
                }
                if secret.archived {
                    return Err(ShareError::Archived);
                }
                if let Some(user) = row.recipient {
                    let found = users::find(tx, user).await?;
                    found.filter(|it| it.state == "active").ok_or(ShareError::RecipientUnknown)?;
                }
                let now = record.now();
                let open = shares::open_of(tx, id, micros(now), MOST_SHARES).await?;
                if open.len() >= MOST_SHARES as usize {
                    return Err(ShareError::TooMany);
                }
                shares::insert(tx, row, now).await?;
                let event = record
                    .event("secret.share", "secret", secret.id)
                    .project(secret.project)
                    .fact("share", row.id)
                    .fact("version", version.number)
                    .fact("version_id", version.id)
                    .fact("recipient", row.recipient)
                    .fact("expires_at", row.expires_at);
                let event = reasoned(&record, &secret, event)?.finish()?;
                let shown = SecretString::new(shown.expose().to_owned());
                Ok(Written::new(MadeShare { id: row.id, expires_at: row.expires_at, shown }, event))
            })
        })
        .await
    }

    /// The row of a link, and what is shown of it this once.
    async fn drawn_share(
        &self,
        op: &Op,
        secret: SecretId,
        new: NewShare,
    ) -> Result<(shares::Insert, SecretString), Fault> {
        let id: ShareId = self.fresh(op);
        let drawn = self.draw_one_time(LABEL).await?;
        let mut shown = vec![&*self.settings().origin, PATH, drawn.value.expose()];
        let passphrase = new.recipient.is_none().then(|| typed::draw::<PASSPHRASE>(self.env()));
        let told = passphrase.as_ref().map(|it| typed::grouped(it, GROUP));
        if let Some(told) = &told {
            shown.extend(["\n", told.expose()]);
        }
        let shown = SecretString::new(shown.concat());
        let tag = match &passphrase {
            Some(passphrase) => {
                let key = self.shared_key(Purpose::OneTimeMac).await?;
                Some((key.to_string(), one_time::tag(self.keyring(), key, &material(id, passphrase))?))
            }
            None => None,
        };
        let row = shares::Insert {
            id,
            secret,
            version: new.version,
            public_id: drawn.public_id,
            mac_key_id: drawn.mac_key_id,
            mac: drawn.mac,
            recipient: new.recipient,
            passphrase: tag,
            made_by: op.actor.id(),
            expires_at: later(op.now, new.life.lasts()),
        };
        Ok((row, shown))
    }
}
