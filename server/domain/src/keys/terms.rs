//! What a key may be and for how long: checked alike when it is issued, imported and edited.

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::{AllowedCidrs, Description, Metadata, Name, RateLimit, Scopes, Tags};
use keywarden_store::Tx;
use keywarden_store::keys::{self as rows, Attributes};

use super::issue::NewKey;
use crate::authz::Owner;
use crate::standards::{Breach, KeyStand};
use crate::{Fault, Refused};

/// Everything about a key that people choose.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) name: Name,
    pub(super) description: Description,
    pub(super) owner: Owner,
    pub(super) scopes: Scopes,
    pub(super) allowed_cidrs: AllowedCidrs,
    pub(super) rate_limit: Option<RateLimit>,
    pub(super) tags: Tags,
    pub(super) metadata: Metadata,
    pub(super) not_before: Option<DateTime<Utc>>,
    pub(super) expires_at: Option<DateTime<Utc>>,
}

/// Why terms do not stand.
#[derive(Debug, thiserror::Error)]
pub enum TermError {
    /// It would be over before it begins.
    #[error("the key would expire before it becomes valid: choose a later expiry")]
    ExpiresBeforeItBegins,
    /// It would be over at once.
    #[error("the expiry is in the past: choose a later one")]
    ExpiresInThePast,
    /// It is valid already, or was.
    #[error("this key has begun already: suspend it instead")]
    HasBegun,
    /// The environment lets no value live so long.
    #[error("in this environment the key may live until {latest} at most")]
    LivesTooLong {
        /// The last instant that may be chosen.
        latest: DateTime<Utc>,
    },
    /// Another living key of the environment has the name, perhaps spelled differently.
    #[error("another key of this environment has this name: choose another")]
    NameTaken,
    /// There is no such team or active person.
    #[error("the owner must be a team or an active person")]
    OwnerUnknown,
    /// It would break a standard that is in force there.
    #[error(transparent)]
    Standard(#[from] Breach),
}

impl Terms {
    /// Those of a new key.
    pub(super) fn of(new: &NewKey, owner: Owner, expires_at: Option<DateTime<Utc>>) -> Self {
        Self {
            name: new.name.clone(),
            description: new.description.clone(),
            owner,
            scopes: new.scopes.clone(),
            allowed_cidrs: new.allowed_cidrs.clone(),
            rate_limit: new.rate_limit,
            tags: new.tags.clone(),
            metadata: new.metadata.clone(),
            not_before: new.not_before,
            expires_at,
        }
    }

    /// Checks times: `since` is when the newest value was made, from which the environment's longest life counts.
    pub(super) fn check_times(
        &self,
        since: DateTime<Utc>,
        max_lifetime_seconds: Option<i64>,
        now: DateTime<Utc>,
    ) -> Result<(), TermError> {
        if let Some(expires_at) = self.expires_at {
            if expires_at <= now {
                return Err(TermError::ExpiresInThePast);
            }
            if self.not_before.is_some_and(|begin| expires_at <= begin) {
                return Err(TermError::ExpiresBeforeItBegins);
            }
        }
        let Some(latest) = latest_expiry(since, max_lifetime_seconds) else { return Ok(()) };
        match self.expires_at {
            Some(expires_at) if expires_at <= latest => Ok(()),
            _ => Err(TermError::LivesTooLong { latest }),
        }
    }

    /// Checks the owner.
    pub(super) async fn check_owner(&self, tx: &mut Tx) -> Result<Result<(), TermError>, Refused> {
        let active = rows::owner_is_active(tx, &self.owner.to_string()).await?;
        Ok(if active { Ok(()) } else { Err(TermError::OwnerUnknown) })
    }

    /// As standards see a key of these terms whose newest value was made then.
    pub(super) fn stand(&self, since: DateTime<Utc>) -> KeyStand<'_> {
        KeyStand {
            name: self.name.as_str(),
            of_team: self.owner.is_team(),
            tags: &self.tags,
            scopes: &self.scopes,
            expires_at: self.expires_at,
            since,
        }
    }

    /// As the row holds them.
    pub(super) fn attributes(&self) -> Result<Attributes, Fault> {
        let text = |it: serde_json::Result<String>| it.map_err(|cause| Fault::Unexpected(cause.to_string()));
        Ok(Attributes {
            name: self.name.to_string(),
            folded_name: self.name.folded(),
            description: self.description.to_string(),
            owner_kind: self.owner.kind(),
            owner_id: self.owner.to_string(),
            scopes: text(serde_json::to_string(&self.scopes))?,
            allowed_cidrs: text(serde_json::to_string(&self.allowed_cidrs))?,
            rate_limit: self.rate_limit.map(|it| (it.limit, it.window_seconds)),
            tags: self.tags.words(),
            tags_text: text(serde_json::to_string(&self.tags))?,
            metadata: self.metadata.to_text(),
            not_before: self.not_before,
            expires_at: self.expires_at,
        })
    }
}

/// The last instant at which a key may expire.
pub(super) fn latest_expiry(
    since: DateTime<Utc>,
    max_lifetime_seconds: Option<i64>,
) -> Option<DateTime<Utc>> {
    let longest = TimeDelta::try_seconds(max_lifetime_seconds?)?;
    since.checked_add_signed(longest)
}
