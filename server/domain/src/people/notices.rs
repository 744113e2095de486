//! Notices: what people are told on their next visit about their account, or one they answer for.

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{NoticeId, SecretId, UserId};
use keywarden_store::people::notices;
use keywarden_store::{StoreError, Tx, Written};

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
}

impl NoticeKind {
    const ALL: [Self; 6] = [
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
}

impl Domain {
    /// What the person who asks has not dismissed, newest first, at most 20.
    pub async fn own_notices(&self, op: &Op) -> Result<Vec<Notice>, Refused> {
        let person = op.actor.person().ok_or(Refused::NotFound)?;
        let _seen = self.authorize(op, Action::ViewOwnAccount, &Resource::Person(person.id)).await?;
        let mut conn = self.store().read().await?;
        let rows = notices::open(&mut conn, person.id).await?;
        let read = |row: notices::Row| {
            let kind = NoticeKind::ALL.into_iter().find(|kind| kind.as_str() == row.kind);
            let kind = kind.ok_or_else(|| Fault::Damaged(format!("notices: {}", row.id)))?;
            let secret = row.secret_id.as_deref().map(str::parse).transpose();
            let secret = secret.map_err(|_| Fault::Damaged(format!("notices: {}", row.id)))?;
            let about = (row.about, row.about_name);
            Ok(Notice { id: row.id, kind, about, secret, at: from_micros(row.at) })
        };
        rows.into_iter().map(read).collect()
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
        let row = notices::Insert { id: env.id(now), user, kind: kind.as_str(), about, secret: None };
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
    let row =
        notices::Insert { id: env.id(now), user, kind: kind.as_str(), about: user, secret: Some(secret) };
    notices::insert(tx, &row, now).await
}
