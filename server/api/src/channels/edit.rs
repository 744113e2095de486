//! `PATCH /api/v1/channels/{channel}`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    messages::{ChannelEdit, ChannelError},
};
use keywarden_model::{ChannelId, Name};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Channel, kinds, show::after};
use crate::{
    at::At,
    caller::Caller,
    etag::{self, Seen},
    flaw::Flaws,
    json::{Asked, kept},
    problem::Problem,
};

/// What changes; what is absent stays (RFC 7396).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchChannel {
    /// 1 to 120 characters.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = String, required = false, example = "Duty")]
    name: Option<String>,
    /// To which kinds of messages it listens; to all where none is named.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = Vec<String>, required = false, example = json!(["account", "seal"]))]
    listens: Option<Vec<String>>,
}

/// Change a channel's name and what it listens to
///
/// Where it leads stays: make another one for that.
#[utoipa::path(
    patch,
    path = "/api/v1/channels/{channel}",
    tag = "Messages",
    operation_id = "editChannel",
    params(("channel" = String, Path, description = "`chn_…`")),
    request_body = PatchChannel,
    responses((status = 200, description = "The channel as it is now", body = Channel)),
)]
pub(crate) async fn edit(
    State(domain): State<Domain>,
    caller: Caller,
    At(channel): At<ChannelId>,
    seen: Seen,
    asked: Asked<PatchChannel>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    for left in seen.tries() {
        let there = domain.channel(&op, channel).await?.channel;
        let row_version = seen.version(there.row_version)?;
        let mut flaws = Flaws::default();
        let name = flaws.parse::<Name>("/name", body.name.as_deref().unwrap_or(&there.name));
        let kinds = match &body.listens {
            Some(words) => kinds(&mut flaws, words),
            None => Some(there.kinds),
        };
        let (Some(name), Some(kinds)) = (name, kinds) else { return Err(flaws.problem()) };
        if body.name.is_some() || body.listens.is_some() {
            match domain.edit_channel(&op, channel, ChannelEdit { name, kinds, row_version }).await {
                Err(ChannelError::ChangedMeanwhile) if left > 0 => continue,
                done => done?,
            };
        }
        return after(&domain, &op, channel).await;
    }
    Err(etag::changed())
}
