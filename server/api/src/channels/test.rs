//! `POST /api/v1/channels/{channel}/test`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;
use keywarden_model::ChannelId;

use crate::{
    at::At,
    caller::Caller,
    etag::Unheeded,
    json::{self, Asked, Nothing},
    problem::Problem,
};

/// Send a test through a channel
///
/// It is delivered in the background, as all messages are: the channel's deliveries say how it went.
#[utoipa::path(
    post,
    path = "/api/v1/channels/{channel}/test",
    tag = "Messages",
    operation_id = "testChannel",
    params(("channel" = String, Path, description = "`chn_…`")),
    responses((status = 204, description = "It is on its way")),
)]
pub(crate) async fn test(
    State(domain): State<Domain>,
    caller: Caller,
    At(channel): At<ChannelId>,
    _: Unheeded,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    domain.test_channel(&op, channel).await?;
    Ok(json::nothing())
}
