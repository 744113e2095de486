//! `DELETE /api/v1/channels/{channel}`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;
use keywarden_model::ChannelId;

use crate::{at::At, caller::Caller, etag::Unheeded, json, problem::Problem};

/// Delete a channel
///
/// With what waits for it, and what is known of its deliveries.
#[utoipa::path(
    delete,
    path = "/api/v1/channels/{channel}",
    tag = "Messages",
    operation_id = "deleteChannel",
    params(("channel" = String, Path, description = "`chn_…`")),
    responses((status = 204, description = "It is gone")),
)]
pub(crate) async fn delete(
    State(domain): State<Domain>,
    caller: Caller,
    At(channel): At<ChannelId>,
    _: Unheeded,
) -> Result<Response, Problem> {
    domain.delete_channel(&caller.into_op(), channel).await?;
    Ok(json::nothing())
}
