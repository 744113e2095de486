//! `POST /api/v1/channels/{channel}/pause` and `/resume`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, messages::ChannelError};
use keywarden_model::ChannelId;

use super::{Channel, show::after};
use crate::{
    at::At,
    caller::Caller,
    etag::Unheeded,
    json::{Asked, Nothing},
    problem::Problem,
};

/// Pause a channel
///
/// What waits for it waits on; what happens meanwhile it never carries. One that is paused stays so.
#[utoipa::path(
    post,
    path = "/api/v1/channels/{channel}/pause",
    tag = "Messages",
    operation_id = "pauseChannel",
    params(("channel" = String, Path, description = "`chn_…`")),
    responses((status = 200, description = "The channel as it is now", body = Channel)),
)]
pub(crate) async fn pause(
    State(domain): State<Domain>,
    caller: Caller,
    At(channel): At<ChannelId>,
    _: Unheeded,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    match domain.pause_channel(&op, channel).await {
        Ok(_) | Err(ChannelError::ChangedMeanwhile) => after(&domain, &op, channel).await,
        Err(error) => Err(error.into()),
    }
}

/// Let a paused channel go on
///
/// One that is not paused stays so.
#[utoipa::path(
    post,
    path = "/api/v1/channels/{channel}/resume",
    tag = "Messages",
    operation_id = "resumeChannel",
    params(("channel" = String, Path, description = "`chn_…`")),
    responses((status = 200, description = "The channel as it is now", body = Channel)),
)]
pub(crate) async fn resume(
    State(domain): State<Domain>,
    caller: Caller,
    At(channel): At<ChannelId>,
    _: Unheeded,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    match domain.resume_channel(&op, channel).await {
        Ok(_) | Err(ChannelError::ChangedMeanwhile) => after(&domain, &op, channel).await,
        Err(error) => Err(error.into()),
    }
}
