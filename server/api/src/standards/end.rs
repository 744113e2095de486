//! `POST /api/v1/standards/{standard}/end`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, standards::ChangeStandardError};
use keywarden_model::StandardId;

use super::{WholeStandard, after};
use crate::{
    at::At,
    caller::Caller,
    etag::{self, Seen},
    json::{Asked, Nothing},
    problem::Problem,
};

/// End a standard
///
/// No version of it is in force any more. Its versions are kept.
#[utoipa::path(
    post,
    path = "/api/v1/standards/{standard}/end",
    tag = "Standards",
    operation_id = "endStandard",
    params(
        ("standard" = String, Path, description = "`std_…`"),
        ("If-Match" = Option<String>, Header, description = "The standard's `ETag` that was read"),
    ),
    responses((status = 200, description = "The standard as it is now", body = WholeStandard)),
)]
pub(crate) async fn end(
    State(domain): State<Domain>,
    caller: Caller,
    At(standard): At<StandardId>,
    seen: Seen,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    for left in seen.tries() {
        let there = domain.standard(&op, standard).await?.standard.row_version;
        match domain.end_standard(&op, standard, seen.version(there)?).await {
            Err(ChangeStandardError::ChangedMeanwhile) if left > 0 => {}
            done => {
                done?;
                return after(&domain, &op, standard).await;
            }
        }
    }
    Err(etag::changed())
}
