//! Opening a link, once.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{ProjectId, SecretId, SessionId, ShareId, UserId};
use keywarden_store::secrets::{self as rows, shares};
use keywarden_store::{Tx, Written, change};
use keywarden_vault::token::{self, Kind};
use keywarden_vault::{Keyring, SecretString};

use super::{LABEL, MOST_PASSPHRASES, Opener, PASSPHRASE, material};
use crate::audit::{Draft, Fact, Record};
use crate::once::Repeatable;
use crate::people::{LinkError, LinkGone, NoticeKind, tell_of_secret};
use crate::refused::carries_refused;
use crate::secrets::put::TRIES;
use crate::secrets::read::{Revealed, Which, meant, open};
use crate::secrets::secret::{Address, damaged};
use crate::{Action, Actor, Domain, Fault, LastRefusal, Op, Person, Refused, Resource, one_time, typed};

/// A link that serves, before it is opened: nothing of what it leads to.
#[derive(Debug, Clone)]
pub struct SharedLink {
    /// What opens it.
    pub opener: Opener,
    /// Until when it serves.
    pub expires_at: DateTime<Utc>,
    row: shares::Row,
}

/// Why a link gave no value.
#[derive(Debug, thiserror::Error)]
pub enum OpenShareError {
    /// It is unknown, mistyped, opened, withdrawn, too old, for somebody else, or its maker may not read the value any more.
    #[error(transparent)]
    Gone(LinkGone),
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Another passphrase opens it.
    #[error("this passphrase does not open the link; {left} more wrong ones and it is gone")]
    Wrong {
        /// How many more are tried.
        left: i64,
    },
}
carries_refused!(OpenShareError);

impl From<LinkError> for OpenShareError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Gone(gone) => Self::Gone(gone),
            LinkError::Refused(refused) => Self::Refused(refused),
        }
    }
}

/// What opening came to, where something was written.
#[derive(Debug)]
enum Opened {
    Ended,
    Value(Box<Revealed>),
    Wrong { left: i64 },
}

/// A value is never kept for a replay, and no other answer is either: each is about one moment.
impl Repeatable for Opened {
    fn thing(&self) -> String {
        String::new()
    }
    fn again(_: &str, _: Option<SecretString>) -> Option<Self> {
        None
    }
}

/// What one attempt came to, where nothing was written.
enum Attempt {
    /// Who may do what changed under it.
    Anew,
    Failed(OpenShareError),
}

impl From<Refused> for Attempt {
    fn from(refused: Refused) -> Self {
        Self::Failed(refused.into())
    }
}
carries_refused!(Attempt);

/// All that an attempt rests on.
struct Opening {
    id: ShareId,
    secret: SecretId,
    project: ProjectId,
    version: i64,
    maker: Option<UserId>,
    /// Whether a passphrase was asked for, and the right one came.
    passphrase: Option<bool>,
    /// The secret, if whoever made the link may read it.
    readable: Option<Resource>,
    /// The change of who may do what that this was decided after.
    authority: i64,
    keyring: Arc<Keyring>,
}

impl Domain {
    /// The link that somebody shows, if it serves. Changes nothing. Unknown, wrong, opened and old ones look alike.
    pub async fn look_at_share(&self, op: &Op, value: &str) -> Result<SharedLink, LinkError> {
        let parsed = token::parse(value).map_err(|_| LinkGone)?;
        if parsed.kind() != Kind::OneTime || parsed.label() != LABEL {
            return Err(LinkGone.into());
        }
        let mut conn = self.store().read().await?;
        let row = shares::find(&mut conn, parsed.id().as_str()).await?;
        drop(conn);
        let tag = row.as_ref().map(|row| (row.mac_key_id.as_str(), row.mac.as_slice()));
        let proven = one_time::proves(self.keyring(), parsed.material(), tag)?;
        let row = row.filter(|row| proven && row.state == "open").ok_or(LinkGone)?;
        let expires_at = from_micros(row.expires_at);
        if op.now >= expires_at {
            return Err(LinkGone.into());
        }
        let opener = match row.recipient_id.as_deref() {
            Some(id) => Opener::Person(id.parse().map_err(damaged)?),
            None => Opener::Passphrase,
        };
        Ok(SharedLink { opener, expires_at, row })
    }

    /// Reads the value that a link leads to, and ends it. A person shows their passkey, as for reading; whoever has the
    /// passphrase needs no account.
    pub async fn open_share(
        &self,
        op: &Op,
        value: &str,
        passphrase: Option<&SecretString>,
    ) -> Result<Revealed, OpenShareError> {
        let link = self.look_at_share(op, value).await?;
        for _ in 0..TRIES {
            match self.try_to_open(op, &link, passphrase).await {
                Ok(Opened::Value(revealed)) => return Ok(*revealed),
                Ok(Opened::Ended) => return Err(OpenShareError::Gone(LinkGone)),
                Ok(Opened::Wrong { left }) => return Err(OpenShareError::Wrong { left }),
                Err(Attempt::Anew) => {}
                Err(Attempt::Failed(error)) => return Err(error),
            }
        }
        Err(Fault::Unexpected("who may do what changes too often to decide".into()).into())
    }

    async fn try_to_open(
        &self,
        op: &Op,
        link: &SharedLink,
        passphrase: Option<&SecretString>,
    ) -> Result<Opened, Attempt> {
        match link.opener {
            Opener::Person(user) => {
                if op.actor.person().map(|person| person.id) != Some(user) {
                    return Err(Attempt::Failed(OpenShareError::Gone(LinkGone)));
                }
                let it = Arc::new(self.opening_of(op, &link.row, None).await?);
                self.change(op, Action::OpenShare, &Resource::Person(user), &[], move |tx, record| {
                    let it = Arc::clone(&it);
                    Box::pin(async move { it.open(tx, &record).await })
                })
                .await
            }
            Opener::Passphrase => {
                let right = self.is_passphrase_of(&link.row, passphrase)?;
                let it = Arc::new(self.opening_of(op, &link.row, Some(right)).await?);
                let holder = Op {
                    actor: Actor::Share(it.id),
                    source: op.source.clone(),
                    request: op.request,
                    now: op.now,
                    once: None,
                    reason: None,
                    seen: None,
                    refusal: LastRefusal::default(),
                };
                self.change_unasked(
                    &holder,
                    "a link to a value, and its passphrase",
                    &[],
                    move |tx, record| {
                        let it = Arc::clone(&it);
                        Box::pin(async move { it.open(tx, &record).await })
                    },
                )
                .await
            }
        }
    }

    /// Whether this is the link's passphrase; whatever cannot be one is a wrong one.
    fn is_passphrase_of(&self, row: &shares::Row, passphrase: Option<&SecretString>) -> Result<bool, Fault> {
        let typed = passphrase.and_then(|it| typed::read(it.expose(), PASSPHRASE));
        let Some(typed) = typed else { return Ok(false) };
        let tag = row.passphrase_key_id.as_deref().zip(row.passphrase_mac.as_deref());
        one_time::proves(self.keyring(), &material(row.id, &typed), tag)
    }

    async fn opening_of(
        &self,
        op: &Op,
        row: &shares::Row,
        passphrase: Option<bool>,
    ) -> Result<Opening, Refused> {
        // Not from memory: what the write compares with is the store's.
        let authority = self.look().await?.authority;
        let mut conn = self.store().read().await?;
        let secret = rows::find(&mut conn, row.secret_id).await?;
        drop(conn);
        let project = secret.ok_or_else(|| damaged("a link to nothing"))?.project_id;
        let readable = match self.found_secret(&Address::Id(row.secret_id)).await? {
            Some(resource) => self.maker_reads(op, &row.made_by, &resource).await?.then_some(resource),
            None => None,
        };
        Ok(Opening {
            id: row.id,
            secret: row.secret_id,
            project,
            version: row.version,
            maker: row.made_by.parse().ok(),
            passphrase,
            readable,
            authority,
            keyring: Arc::clone(self.keyring()),
        })
    }

    /// Whether whoever made a link may still read the value. They showed their passkey when they made it.
    async fn maker_reads(&self, op: &Op, made_by: &str, resource: &Resource) -> Result<bool, Refused> {
        let actor = if let Ok(id) = made_by.parse() {
            let (session, passkey, asserted_at) = (SessionId::NIL, None, None);
            Actor::Person(Person { id, session, passkey, asserted_at, synced: false, recovering: false })
        } else {
            let token = keywarden_model::ServiceTokenId::NIL;
            Actor::Workload { id: made_by.parse().map_err(damaged)?, token }
        };
        let maker = Op {
            actor,
            source: op.source.clone(),
            request: op.request,
            now: op.now,
            once: None,
            reason: None,
            seen: None,
            refusal: LastRefusal::default(),
        };
        self.would(&maker, Action::ReadSecret, resource).await
    }
}

impl Opening {
    async fn open(&self, tx: &mut Tx, record: &Record) -> Result<Written<Opened>, Attempt> {
        let now = record.now();
        let taken = shares::claim(tx, self.id, now).await?;
        let tries = taken.ok_or(Attempt::Failed(OpenShareError::Gone(LinkGone)))?;
        if change::counter(tx).await?.authority > self.authority {
            return Err(Attempt::Anew);
        }
        if self.passphrase == Some(false) {
            return self.refuse(tx, record, MOST_PASSPHRASES.saturating_sub(tries).saturating_sub(1)).await;
        }
        match self.value(tx, record).await? {
            Ok(revealed) => {
                shares::end(tx, self.id, "opened", now).await?;
                let event = self.event(record, "secret.open-share").fact("version_id", revealed.version.id);
                Ok(Written::new(Opened::Value(Box::new(revealed)), event.finish()?))
            }
            Err(why) => self.spoil(tx, record, why).await,
        }
    }

    /// The value, or why the link opens nothing any more.
    async fn value(&self, tx: &mut Tx, record: &Record) -> Result<Result<Revealed, &'static str>, Refused> {
        let Some(resource) = &self.readable else { return Ok(Err("maker")) };
        let (secret, version) = match meant(tx, resource, &Which::Number(self.version)).await {
            Ok(found) => found,
            Err(Refused::NotFound) => return Ok(Err("secret")),
            Err(refused) => return Err(refused),
        };
        if secret.archived {
            return Ok(Err("project"));
        }
        // No link is made to a template; none gives one away either.
        if !version.is_read(record.now()) || version.template {
            return Ok(Err("version"));
        }
        let value = open(tx, &self.keyring, &secret, &version).await?;
        let revealed = value.map(|value| Revealed::plain(&secret, version, value));
        Ok(revealed.ok_or("version"))
    }

    /// Counts a wrong passphrase; the last of them ends the link, and its maker is told.
    async fn refuse(&self, tx: &mut Tx, record: &Record, left: i64) -> Result<Written<Opened>, Attempt> {
        shares::count_try(tx, self.id).await?;
        let event = self.event(record, "secret.open-share").refused("wrong-passphrase").finish()?;
        if left > 0 {
            return Ok(Written::new(Opened::Wrong { left }, event));
        }
        if let Some(maker) = self.maker {
            let about = (maker, self.secret);
            tell_of_secret(tx, record.env(), NoticeKind::ShareGuessed, about, record.now()).await?;
        }
        Ok(self.spoil(tx, record, "passphrases").await?.and(event))
    }

    /// Ends the link for good, without a value.
    async fn spoil(
        &self,
        tx: &mut Tx,
        record: &Record,
        why: &'static str,
    ) -> Result<Written<Opened>, Attempt> {
        shares::end(tx, self.id, "refused", record.now()).await?;
        let event = self.event(record, "secret.refuse-share").fact("why", Fact::word(why));
        Ok(Written::new(Opened::Ended, event.finish()?))
    }

    fn event(&self, record: &Record, action: &'static str) -> Draft {
        record
            .event(action, "secret", self.secret)
            .project(self.project)
            .fact("share", self.id)
            .fact("version", self.version)
    }
}
