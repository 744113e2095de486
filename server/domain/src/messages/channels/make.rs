//! Making a channel.

use std::sync::Arc;

use keywarden_model::{ChannelId, ChannelKind, Name};
use keywarden_store::{Written, channels as rows};
use keywarden_vault::{SecretString, WebhookSecret};

use super::{ChannelError, ChannelOwner, Kinds, Target};
use crate::audit::Fact;
use crate::messages::seal::{Inside, subject};
use crate::{Domain, Fault, Op, Repeatable};

/// As many the organization has at most.
const ORGANIZATION: i64 = 100;
/// As many a person has at most.
const PERSON: i64 = 5;

/// What a new channel is.
#[derive(Debug)]
pub struct NewChannel {
    /// Whose it is.
    pub owner: ChannelOwner,
    /// What people call it.
    pub name: Name,
    /// Where it leads, and by which way.
    pub target: Target,
    /// To which kinds it listens.
    pub kinds: Kinds,
}

/// A channel as whoever made it gets it, or gave it another secret.
#[derive(Debug)]
pub struct MadeChannel {
    /// Its id.
    pub id: ChannelId,
    /// What a webhook's receiver checks signatures by; shown this once. Others have none.
    pub secret: Option<SecretString>,
}

impl Repeatable for MadeChannel {
    fn thing(&self) -> String {
        self.id.to_string()
    }
    fn secret(&self) -> Option<&SecretString> {
        self.secret.as_ref()
    }
    fn again(thing: &str, secret: Option<SecretString>) -> Option<Self> {
        Some(Self { id: thing.parse().ok()?, secret })
    }
}

impl Domain {
    /// Makes a channel. A webhook's secret is made here and shown once.
    pub async fn create_channel(&self, op: &Op, new: NewChannel) -> Result<MadeChannel, ChannelError> {
        let NewChannel { owner, name, target, kinds } = new;
        if target.kind == ChannelKind::Mail && self.settings().carry.mails_by().is_none() {
            return Err(ChannelError::NoMail);
        }
        let id: ChannelId = self.fresh(op);
        let signs = target.kind == ChannelKind::Webhook;
        let secret = signs.then(|| self.env().with_rng(|rng| WebhookSecret::generate(rng)).text());
        let copies = secret.iter().map(|it| SecretString::new(it.expose().to_owned())).collect();
        let inside = Inside { to: target.to, secrets: copies };
        let subject = subject(owner.user());
        let key = self.subject_key(&subject, op.now).await?;
        let key = key.ok_or_else(|| Fault::Unexpected("its person was erased".into()))?;
        let sealed = inside.seal(self.env(), &key, id, &subject)?;
        let facts = Arc::new((name, sealed, kinds, secret, op.actor.id()));
        let kind = target.kind;
        self.change(op, owner.manage(), &owner.resource(), &[], move |tx, record| {
            let facts = Arc::clone(&facts);
            Box::pin(async move {
                let (name, sealed, kinds, secret, by) = &*facts;
                let most = if owner.user().is_some() { PERSON } else { ORGANIZATION };
                if rows::count(tx, owner.user()).await? >= most {
                    return Err(ChannelError::TooMany);
                }
                let row = rows::Insert {
                    id,
                    kind: kind.as_str(),
                    user: owner.user(),
                    name,
                    sealed,
                    kinds: &kinds.text(),
                    created_at: record.now(),
                    created_by: by,
                };
                rows::insert(tx, row).await?;
                let event = record
                    .event("channel.create", "channel", id)
                    .fact("kind", Fact::word(kind.as_str()))
                    .fact("user", owner.user())
                    .fact("listens", words(kinds))
                    .text("name", name);
                let secret = secret.as_ref().map(|it| SecretString::new(it.expose().to_owned()));
                Ok(Written::new(MadeChannel { id, secret }, event.finish()?))
            })
        })
        .await
    }
}

/// To what it listens, as an event says it.
pub(super) fn words(kinds: &Kinds) -> Fact {
    Fact::list(kinds.named().map(|kind| Fact::word(kind.as_str())))
}
