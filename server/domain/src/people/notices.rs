//! Notices: what people are told on their next visit about their account, or one they answer for.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{MessageKind, NoticeId, SecretId, UserId};
use keywarden_store::people::notices;
use keywarden_store::{StoreError, Tx, Written};
use serde_json::Value;

use crate::{Action, Domain, Env, Fault, Op, Refused, Resource};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// A passkey was added to the account.
    PasskeyAdded,
    /// A passkey was removed from it.
    PasskeyRemoved,
    /// A recovery code let somebody into it.
    RecoveredByCode,
    /// A link made on the server's shell did.
    RecoveredByLink,
    /// Its recovery codes were made anew.
    RecoveryCodesRenewed,
    /// A link to a value, made by them, was tried with too many wrong passphrases: it is gone.
    ShareGuessed,
    /// What a message tells: [`Notice::told`].
    Message(MessageKind),
}

impl NoticeKind {
    const OWN: [Self; 6] = [
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::RecoveredByCode,
        Self::RecoveredByLink,
        Self::RecoveryCodesRenewed,
        Self::ShareGuessed,
    ];

    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PasskeyAdded => "passkey-added",
            Self::PasskeyRemoved => "passkey-removed",
            Self::RecoveredByCode => "recovered-by-code",
            Self::RecoveredByLink => "recovered-by-link",
            Self::RecoveryCodesRenewed => "recovery-codes-renewed",
            Self::ShareGuessed => "share-guessed",
            Self::Message(kind) => kind.as_str(),
        }
    }
}

/// A notice to the person who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its id.
    pub id: NoticeId,
    /// What happened.
    pub kind: NoticeKind,
    /// To whose account: id and name.
    pub about: (UserId, String),
    /// Which secret it is about, beside them.
    pub secret: Option<SecretId>,
    /// When.
    pub at: DateTime<Utc>,
    /// When the person had read it.
    pub read_at: Option<DateTime<Utc>>,
    /// What the message tells that it was made of.
    pub told: Option<Told>,
}

/// What a message tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The name of the event.
    pub event: String,
    /// What it was about: kind and id.
    pub resource: (String, String),
    /// What that is called now, or its id.
    pub name: String,
    /// What the event says in the open.
    pub facts: Value,
}

impl Notice {
    /// From its row; `names` are those of the things that messages are about.
    pub(crate) fn read(row: notices::Row, names: &BTreeMap<String, String>) -> Result<Self, Fault> {
        let damaged = || Fault::Damaged(format!("notices: {}", row.id));
        let told = match (row.message_id, row.event, row.resource_kind, row.resource_id) {
            (Some(_), Some(event), Some(kind), Some(id)) => {
                let name = names.get(&id).cloned().unwrap_or_else(|| id.clone());
                let facts =
                    serde_json::from_str(row.facts.as_deref().unwrap_or_default()).unwrap_or_default();
                Some(Told { event, resource: (kind, id), name, facts })
            }
            _ => None,
        };
        let kind = match &told {
            Some(_) => row.kind.parse().ok().map(NoticeKind::Message),
            None => NoticeKind::OWN.into_iter().find(|kind| kind.as_str() == row.kind),
        };
        let kind = kind.ok_or_else(damaged)?;
        let secret = row.secret_id.as_deref().map(str::parse).transpose().map_err(|_| damaged())?;
        let about = (row.about, row.about_name);
        let read_at = row.dismissed_at.map(from_micros);
        Ok(Self { id: row.id, kind, about, secret, at: from_micros(row.at), read_at, told })
    }
}

impl Domain {
    /// What the person who asks has not read, newest first, at most 20.
    pub async fn own_notices(&self, op: &Op) -> Result<Vec<Notice>, Refused> {
        Ok(self.notices(op, true, None, 20).await?.notices)
    }

    /// Dismisses one of the person's own.
    pub async fn dismiss_notice(&self, op: &Op, notice: NoticeId) -> Result<(), Refused> {
        let user = op.actor.person().ok_or(Refused::NotFound)?.id;
        let now = op.now;
        self.change(op, Action::DismissNotice, &Resource::Person(user), &[], move |tx, record| {
            Box::pin(async move {
                if !notices::dismiss(tx, notice, user, now).await? {
                    return Err(Refused::NotFound);
                }
                let event = record.event(Action::DismissNotice.name(), "notice", notice);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}

/// Tells people, each once, that something happened to somebody's account.
pub(super) async fn tell(
    tx: &mut Tx,
    env: &Env,
    kind: NoticeKind,
    about: UserId,
    told: &[UserId],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut told = told.to_vec();
    told.sort_unstable();
    told.dedup();
    for user in told {
        let row = notices::Insert {
            id: env.id(now),
            user,
            kind: kind.as_str(),
            about,
            secret: None,
            message: None,
        };
        notices::insert(tx, &row, now).await?;
    }
    Ok(())
}

/// Tells a person that something happened to a secret's link of theirs.
pub(crate) async fn tell_of_secret(
    tx: &mut Tx,
    env: &Env,
    kind: NoticeKind,
    (user, secret): (UserId, SecretId),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = notices::Insert {
        id: env.id(now),
        user,
        kind: kind.as_str(),
        about: user,
        secret: Some(secret),
        message: None,
    };
    notices::insert(tx, &row, now).await
}
