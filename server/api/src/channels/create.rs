//! `POST /api/v1/channels`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain, Op,
    messages::{NewChannel, Target},
};
use keywarden_model::{ChannelKind, Name};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{MadeChannel, kinds, owner};
use crate::{
    caller::Caller,
    flaw::Flaws,
    json::{self, Asked, absent},
    problem::Problem,
};

/// A new channel.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateChannel {
    /// 1 to 120 characters.
    #[schema(example = "Duty")]
    name: String,
    /// `mail`, `slack` or `webhook`.
    #[schema(example = "webhook")]
    kind: String,
    /// An address of mail, or one that begins with `https://`. It is not shown again.
    #[schema(example = "https://hooks.example.com/keywarden")]
    target: String,
    /// To which kinds of messages it listens: `access`, `account`, `backup`, `key-expiry`, `refusals`, `rotation`, `seal`; to all
    /// where none is named.
    #[serde(default, deserialize_with = "absent")]
    #[schema(example = json!(["account", "seal"]))]
    listens: Vec<String>,
    /// Whether it is the caller's own, and carries what concerns them, instead of the organization's.
    #[serde(default, deserialize_with = "absent")]
    #[schema(example = false)]
    own: bool,
}

/// Make a channel
///
/// A webhook's secret is in the answer, this once.
#[utoipa::path(
    post,
    path = "/api/v1/channels",
    tag = "Messages",
    operation_id = "createChannel",
    request_body = CreateChannel,
    responses((status = 201, description = "The channel and its secret", body = MadeChannel)),
)]
pub(crate) async fn create(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<CreateChannel>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let made = domain.create_channel(&op, body.read(&op)?).await?;
    let location = format!("/api/v1/channels/{}", made.id);
    Ok(json::created(&location, &MadeChannel::of(&made)))
}

impl CreateChannel {
    fn read(self, op: &Op) -> Result<NewChannel, Problem> {
        let mut flaws = Flaws::default();
        let name = flaws.parse::<Name>("/name", &self.name);
        let kind = flaws.parse::<ChannelKind>("/kind", &self.kind);
        let target = kind.and_then(|kind| flaws.keep("/target", Target::parse(kind, &self.target)));
        let kinds = kinds(&mut flaws, &self.listens);
        let (Some(name), Some(target), Some(kinds)) = (name, target, kinds) else {
            return Err(flaws.problem());
        };
        Ok(NewChannel { owner: owner(op, self.own)?, name, target, kinds })
    }
}
