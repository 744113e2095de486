//! `PUT` and `DELETE /api/v1/secrets/{secret}/labels/{label}`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    secrets::{Address, LabelError},
};
use keywarden_model::SecretLabel;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{WholeSecret, after, at::Of};
use crate::{
    caller::Caller,
    etag::{self, Seen},
    flaw::Flaw,
    json::Asked,
    problem::Problem,
};

/// Where a label is to point.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PointLabel {
    /// The version's number.
    #[schema(example = 2)]
    version: i64,
}

/// Let a label point at a version
///
/// `current` may go back to an older version that is enabled; `previous` then points where it was.
#[utoipa::path(
    put,
    path = "/api/v1/secrets/{secret}/labels/{label}",
    tag = "Secrets",
    operation_id = "labelSecret",
    params(
        ("secret" = String, Path, description = "`sec_…`"),
        ("label" = String, Path, description = "`current`, `pending` or one of your own"),
        ("If-Match" = Option<String>, Header, description = "The secret's `ETag` that was read"),
    ),
    request_body = PointLabel,
    responses((status = 200, description = "The secret as it is now", body = WholeSecret)),
)]
pub(crate) async fn label(
    State(domain): State<Domain>,
    caller: Caller,
    of: Of<SecretLabel>,
    Seen(seen): Seen,
    asked: Asked<PointLabel>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    domain.label_secret(&op, of.secret, seen, &of.part, body.version).await?;
    after(&domain, &op, &Address::Id(of.secret)).await
}

/// Take a label away
#[utoipa::path(
    delete,
    path = "/api/v1/secrets/{secret}/labels/{label}",
    tag = "Secrets",
    operation_id = "unlabelSecret",
    params(
        ("secret" = String, Path, description = "`sec_…`"),
        ("label" = String, Path, description = "`pending` or one of your own; `current` and `previous` stay"),
        ("If-Match" = Option<String>, Header, description = "The secret's `ETag` that was read"),
    ),
    responses((status = 200, description = "The secret as it is now", body = WholeSecret)),
)]
pub(crate) async fn unlabel(
    State(domain): State<Domain>,
    caller: Caller,
    of: Of<SecretLabel>,
    seen: Seen,
) -> Result<Response, Problem> {
    let op = seen.of(caller.into_op());
    domain.unlabel_secret(&op, of.secret, &of.part).await?;
    after(&domain, &op, &Address::Id(of.secret)).await
}

impl From<LabelError> for Problem {
    fn from(error: LabelError) -> Self {
        match error {
            LabelError::Deleted | LabelError::Follows | LabelError::TooMany => Self::conflict(error),
            LabelError::Destroyed | LabelError::NotEnabled(_) | LabelError::VersionDeleted => {
                Self::conflict(&error).with(vec![Flaw::at("/version", error)])
            }
            LabelError::NoVersion => Self::invalid(Flaw::at("/version", error)),
            LabelError::Refused(refused) => refused.into(),
            LabelError::Stale => etag::changed(),
        }
    }
}
