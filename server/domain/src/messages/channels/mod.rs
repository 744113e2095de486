//! Channels: by which ways messages leave the house, whose they are, and what they listen to.

mod change;
mod make;
mod show;
mod target;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{ChannelId, ChannelKind, MessageKind, UserId};
use keywarden_store::channels as rows;

use crate::authz::{Action, Resource};
use crate::refused::carries_refused;
use crate::{Fault, Refused};

pub use change::ChannelEdit;
pub use make::{MadeChannel, NewChannel};
pub use show::ShownChannel;
pub use target::{Target, TargetError};

/// For so long the secret before a new one signs as well.
pub const OLD_SECRET: TimeDelta = TimeDelta::hours(24);

/// Whose a channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelOwner {
    /// The organization's: it carries what it listens to, whomever it concerns.
    Organization,
    /// A person's own: it carries what concerns them.
    Person(UserId),
}

impl ChannelOwner {
    pub(super) fn of(user: Option<&str>, row: ChannelId) -> Result<Self, Fault> {
        let damaged = || Fault::Damaged(format!("channels {row}: user_id"));
        match user {
            None => Ok(Self::Organization),
            Some(user) => Ok(Self::Person(user.parse().map_err(|_| damaged())?)),
        }
    }

    pub(super) fn user(self) -> Option<UserId> {
        match self {
            Self::Organization => None,
            Self::Person(user) => Some(user),
        }
    }

    pub(super) fn resource(self) -> Resource {
        match self {
            Self::Organization => Resource::Organization,
            Self::Person(user) => Resource::Person(user),
        }
    }

    pub(super) fn manage(self) -> Action {
        match self {
            Self::Organization => Action::ManageChannels,
            Self::Person(_) => Action::ManageOwnChannels,
        }
    }

    pub(super) fn view(self) -> Action {
        match self {
            Self::Organization => Action::ViewChannels,
            Self::Person(_) => Action::ViewOwnAccount,
        }
    }
}

/// To which kinds of messages a channel listens; to all where none is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds(BTreeSet<MessageKind>);

impl Kinds {
    /// These; none means all.
    pub fn these(kinds: impl IntoIterator<Item = MessageKind>) -> Self {
        Self(kinds.into_iter().filter(|kind| *kind != MessageKind::Test).collect())
    }

    /// Those that are named.
    pub fn named(&self) -> impl Iterator<Item = MessageKind> {
        self.0.iter().copied()
    }

    /// Whether it listens to this.
    pub fn has(&self, kind: MessageKind) -> bool {
        self.0.is_empty() || self.0.contains(&kind)
    }

    pub(super) fn read(text: &str) -> Self {
        Self(text.split(',').filter_map(|word| word.parse().ok()).collect())
    }

    pub(super) fn text(&self) -> String {
        self.0.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(",")
    }
}

/// A channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// By which way.
    pub kind: ChannelKind,
    /// Whose it is.
    pub owner: ChannelOwner,
    /// What people call it.
    pub name: String,
    /// To which kinds it listens.
    pub kinds: Kinds,
    /// Since when it takes nothing.
    pub paused_at: Option<DateTime<Utc>>,
    /// Until when the secret before this one signs as well, also where that is over.
    pub old_until: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// By whom: an actor's id.
    pub created_by: String,
    /// Grows with each change.
    pub row_version: i64,
}

impl TryFrom<&rows::Row> for Channel {
    type Error = Fault;
    fn try_from(row: &rows::Row) -> Result<Self, Fault> {
        let damaged = |what: &str| Fault::Damaged(format!("channels {}: {what}", row.id));
        Ok(Self {
            id: row.id,
            kind: row.kind.parse().map_err(|_| damaged("kind"))?,
            owner: ChannelOwner::of(row.user_id.as_deref(), row.id)?,
            name: row.name.clone(),
            kinds: Kinds::read(&row.kinds),
            paused_at: row.paused_at.map(from_micros),
            old_until: row.old_until.map(from_micros),
            created_at: from_micros(row.created_at),
            created_by: row.created_by.clone(),
            row_version: row.row_version,
        })
    }
}

/// Why a channel was not made or stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// Somebody else changed it since it was read.
    #[error("this channel was changed meanwhile: look at it again")]
    ChangedMeanwhile,
    /// No mail server is set.
    #[error("this server sends no mail: its operator sets KEYWARDEN_MAIL_URL and KEYWARDEN_MAIL_FROM")]
    NoMail,
    /// It signs nothing.
    #[error("only what is sent to webhooks is signed: this channel has no secret")]
    NoSecret,
    /// It is paused.
    #[error("this channel is paused: let it go on first")]
    Paused,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// There are as many as there may be.
    #[error("there are as many channels here as there may be: delete one first")]
    TooMany,
}
carries_refused!(ChannelError);
