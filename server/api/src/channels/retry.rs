//! `POST /api/v1/channels/{channel}/retry`

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

/// Try a channel's dead deliveries again
///
/// All of them, each from its first attempt and with the same message id. Where none is dead, nothing happens.
#[utoipa::path(
    post,
    path = "/api/v1/channels/{channel}/retry",
    tag = "Messages",
    operation_id = "retryDeliveries",
    params(("channel" = String, Path, description = "`chn_…`")),
    responses((status = 204, description = "They are on their way")),
)]
pub(crate) async fn retry(
    State(domain): State<Domain>,
    caller: Caller,
    At(channel): At<ChannelId>,
    _: Unheeded,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    domain.retry_deliveries(&op, channel).await?;
    Ok(json::nothing())
}
