//! `GET /api/v1/keys/bulk-revoke/preview` and `POST /api/v1/keys/bulk-revoke`: look first, then revoke exactly those.

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use keywarden_domain::{
    Domain,
    keys::{Affected, BulkRevokeError},
};
use keywarden_model::ApiKeyId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{KeyUser, WholeKey, list, revoke};
use crate::{
    caller::Caller,
    flaw::{Flaw, Flaws},
    json::{self, Asked, absent},
    problem::Problem,
    query::Query,
};

/// What would be revoked, and what that breaks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Preview {
    /// Keys that stand and that the caller may revoke; give their ids to `bulk-revoke`.
    keys: Vec<WholeKey>,
    /// Callers whose uses were valid within seven days, latest first.
    affected: Vec<AffectedUser>,
    /// True if more than 1 000 match: these are the first.
    more: bool,
    /// True if there are more callers than were looked at.
    more_affected: bool,
}

/// A caller that would break.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AffectedUser {
    #[serde(flatten)]
    user: KeyUser,
    /// The keys among these that it used.
    keys: Vec<String>,
    last_at: DateTime<Utc>,
}

/// What is to be revoked, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BulkRevoke {
    /// The keys' ids: 1 to 1 000.
    #[schema(example = json!(["key_01JDB2W1N9F6Q3R8T5V7X9Z0AB"]))]
    keys: Vec<String>,
    /// As in revoking one.
    #[schema(example = "superseded")]
    reason: Option<String>,
    /// More words for the record: up to 1 000 characters.
    #[serde(default, deserialize_with = "absent")]
    #[schema(example = "the service was replaced")]
    note: String,
}

/// What was revoked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BulkRevoked {
    /// Revoked now.
    #[schema(example = 12)]
    revoked: u32,
    /// Revoked before.
    #[schema(example = 0)]
    already: u32,
}

/// See what a bulk revocation would break
#[utoipa::path(
    get,
    path = "/api/v1/keys/bulk-revoke/preview",
    tag = "Keys",
    operation_id = "previewBulkRevoke",
    params(
        ("project" = Option<String>, Query, description = "Slug or `prj_…`"),
        ("environment" = Option<String>, Query, description = "`env_…`; or a slug, beside `project`"),
        ("state" = Option<String>, Query, description = "`active`, `pre-activation`, `suspended` or `deactivated`"),
        ("owner" = Option<String>, Query, description = "The id of a person or team"),
        ("tag" = Option<String>, Query, description = "`name` or `name=value`"),
        ("unused_days" = Option<u16>, Query, description = "Issued before, and not used for, so many days: 1 to 3650"),
        ("q" = Option<String>, Query, description = "A part of the name, an id, or a public id"),
    ),
    responses((status = 200, description = "The keys, and who uses them", body = Preview)),
)]
pub(crate) async fn preview(
    State(domain): State<Domain>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let within = (query.text("project"), query.text("environment"));
    let mut wanted = list::filter(&mut query);
    query.end()?;
    list::narrow(&domain, &caller, within, &mut wanted).await?;
    let found = domain.preview_bulk_revoke(caller.op(), &wanted).await?;
    let now = caller.op().now;
    Ok(json::ok(&Preview {
        keys: found.keys.into_iter().map(|line| WholeKey::of_line(line, now)).collect(),
        affected: found.affected.into_iter().map(AffectedUser::from).collect(),
        more: found.more,
        more_affected: found.more_affected,
    }))
}

/// Revoke many keys
///
/// All or none: one that may not be revoked is enough to revoke none.
#[utoipa::path(
    post,
    path = "/api/v1/keys/bulk-revoke",
    tag = "Keys",
    operation_id = "bulkRevoke",
    request_body = BulkRevoke,
    responses((status = 200, description = "How many", body = BulkRevoked)),
)]
pub(crate) async fn bulk_revoke(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<BulkRevoke>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let (reason, note) = revoke::read(body.reason.as_deref(), &body.note)?;
    let mut flaws = Flaws::default();
    let mut ids = Vec::with_capacity(body.keys.len());
    for (at, id) in body.keys.iter().enumerate() {
        match id.parse::<ApiKeyId>() {
            Ok(id) => ids.push(id),
            Err(error) => flaws.note(Flaw::at(format!("/keys/{at}"), error)),
        }
    }
    if !flaws.is_empty() {
        return Err(flaws.problem());
    }
    let done = domain.bulk_revoke(&op, ids, reason, note.as_str()).await?;
    Ok(json::ok(&BulkRevoked { revoked: done.revoked, already: done.already }))
}

impl From<Affected> for AffectedUser {
    fn from(affected: Affected) -> Self {
        Self {
            user: affected.caller.into(),
            keys: affected.keys.iter().map(ToString::to_string).collect(),
            last_at: affected.last_at,
        }
    }
}

impl From<BulkRevokeError> for Problem {
    fn from(error: BulkRevokeError) -> Self {
        match error {
            BulkRevokeError::Nothing | BulkRevokeError::TooMany => Self::invalid(Flaw::at("/keys", error)),
            BulkRevokeError::Refused(refused) => refused.into(),
        }
    }
}
