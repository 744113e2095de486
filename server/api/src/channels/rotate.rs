//! `POST /api/v1/channels/{channel}/rotate-secret`

use axum::{extract::State, response::Response};
use http::StatusCode;
use keywarden_domain::Domain;
use keywarden_model::ChannelId;

use super::MadeChannel;
use crate::{
    at::At,
    caller::Caller,
    etag::Unheeded,
    json::{self, Asked, Nothing},
    problem::Problem,
};

/// Give a webhook another secret
///
/// It is in the answer, this once. For a day the one before it signs as well.
#[utoipa::path(
    post,
    path = "/api/v1/channels/{channel}/rotate-secret",
    tag = "Messages",
    operation_id = "rotateChannelSecret",
    params(("channel" = String, Path, description = "`chn_…`")),
    responses((status = 200, description = "The new secret", body = MadeChannel)),
)]
pub(crate) async fn rotate(
    State(domain): State<Domain>,
    caller: Caller,
    At(channel): At<ChannelId>,
    _: Unheeded,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    let made = domain.rotate_channel_secret(&op, channel).await?;
    Ok(json::answer(StatusCode::OK, &MadeChannel::of(&made)))
}
