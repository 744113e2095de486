//! Channels: by which ways messages leave, of the organization and the caller's own.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod edit;
pub(crate) mod list;
pub(crate) mod retry;
pub(crate) mod rotate;
pub(crate) mod show;
pub(crate) mod test;
pub(crate) mod turn;

use chrono::{DateTime, Utc};
use keywarden_domain::messages::{ChannelError, ChannelOwner, Kinds, ShownChannel};
use keywarden_domain::{Op, Refused};
use keywarden_model::MessageKind;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    etag,
    flaw::{Flaw, Flaws},
    problem::{Kind, Problem},
};

/// A channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Channel {
    #[schema(example = "chn_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// `mail`, `slack` or `webhook`.
    #[schema(example = "webhook")]
    kind: &'static str,
    /// The person whose own it is; nobody's where it is the organization's.
    user: Option<String>,
    #[schema(example = "Duty")]
    name: String,
    /// The address of mail, or the host of a webhook. Nothing where it cannot be opened any more.
    #[schema(example = "hooks.example.com")]
    leads_to: Option<String>,
    /// To which kinds of messages it listens; to all where none is named.
    #[schema(example = json!(["account", "seal"]))]
    listens: Vec<&'static str>,
    /// Since when it takes nothing.
    paused_at: Option<DateTime<Utc>>,
    /// Until when the secret before the newest signs as well.
    old_secret_until: Option<DateTime<Utc>>,
    /// How many deliveries wait.
    waiting: u64,
    /// How many were given up.
    dead: u64,
    created_at: DateTime<Utc>,
    /// The id of who made it.
    created_by: String,
}

/// A channel with what its receiver checks signatures by, this once.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "id": "chn_01JDB2W1N9F6Q3R8T5V7X9Z0AB", "secret": "whsec_…" }))]
pub(crate) struct MadeChannel<'a> {
    id: String,
    /// `whsec_…`, for webhooks alone. It is not shown again.
    secret: Option<&'a str>,
}

impl<'a> MadeChannel<'a> {
    fn of(made: &'a keywarden_domain::messages::MadeChannel) -> Self {
        let secret = made.secret.as_ref().map(keywarden_domain::SecretString::expose);
        Self { id: made.id.to_string(), secret }
    }
}

impl From<ShownChannel> for Channel {
    fn from(ShownChannel { channel, leads_to, waiting, dead }: ShownChannel) -> Self {
        let user = match channel.owner {
            ChannelOwner::Organization => None,
            ChannelOwner::Person(user) => Some(user.to_string()),
        };
        Self {
            id: channel.id.to_string(),
            kind: channel.kind.as_str(),
            user,
            name: channel.name,
            leads_to,
            listens: channel.kinds.named().map(MessageKind::as_str).collect(),
            paused_at: channel.paused_at,
            old_secret_until: channel.old_until,
            waiting,
            dead,
            created_at: channel.created_at,
            created_by: channel.created_by,
        }
    }
}

impl From<ChannelError> for Problem {
    fn from(error: ChannelError) -> Self {
        match error {
            ChannelError::ChangedMeanwhile => etag::changed(),
            ChannelError::NoMail | ChannelError::NoSecret | ChannelError::Paused | ChannelError::TooMany => {
                Self::new(Kind::Conflict, error.to_string())
            }
            ChannelError::Refused(refused) => refused.into(),
        }
    }
}

/// The caller's own, or the organization's. Only people have channels of their own.
pub(crate) fn owner(op: &Op, own: bool) -> Result<ChannelOwner, Problem> {
    match op.actor.person() {
        _ if !own => Ok(ChannelOwner::Organization),
        Some(person) => Ok(ChannelOwner::Person(person.id)),
        None => Err(Refused::NotFound.into()),
    }
}

/// Kinds of messages by their words.
fn kinds(flaws: &mut Flaws, words: &[String]) -> Option<Kinds> {
    let mut read = Vec::with_capacity(words.len());
    let mut good = true;
    for (at, word) in words.iter().enumerate() {
        match word.parse::<MessageKind>() {
            Ok(kind) => read.push(kind),
            Err(why) => {
                flaws.note(Flaw::at(format!("/listens/{at}"), why));
                good = false;
            }
        }
    }
    good.then(|| Kinds::these(read))
}
