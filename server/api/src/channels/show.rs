//! `GET /api/v1/channels/{channel}`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, Op};
use keywarden_model::ChannelId;

use super::Channel;
use crate::{at::At, caller::Caller, etag::tagged, json, problem::Problem};

/// Show a channel
#[utoipa::path(
    get,
    path = "/api/v1/channels/{channel}",
    tag = "Messages",
    operation_id = "showChannel",
    params(("channel" = String, Path, description = "`chn_…`")),
    responses((status = 200, description = "The channel", body = Channel)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    At(channel): At<ChannelId>,
) -> Result<Response, Problem> {
    shown(&domain, caller.op(), channel).await
}

/// The channel as it is now.
pub(super) async fn shown(domain: &Domain, op: &Op, channel: ChannelId) -> Result<Response, Problem> {
    let shown = domain.channel(op, channel).await?;
    let version = shown.channel.row_version;
    Ok(tagged(json::ok(&Channel::from(shown)), version))
}

/// The same, after it was changed.
pub(super) async fn after(domain: &Domain, op: &Op, channel: ChannelId) -> Result<Response, Problem> {
    let shown = domain.channel(op, channel).await.map_err(Problem::after_all)?;
    let version = shown.channel.row_version;
    Ok(tagged(json::ok(&Channel::from(shown)), version))
}
