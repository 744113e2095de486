//! `GET /api/v1/keys/{key}/drain`: after a rotation, who still uses the old value.

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use keywarden_domain::{
    Domain,
    keys::{DrainStanding, DrainingCaller, DrainingValue},
};
use keywarden_model::ApiKeyId;
use serde::Serialize;
use utoipa::ToSchema;

use super::{KeyUser, Value};
use crate::{at::At, caller::Caller, json, problem::Problem};

/// Old values of a key that work on, and who uses which value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DrainBoard {
    /// Newest first.
    draining: Vec<Draining>,
    /// Callers of the current value in the last 30 days, latest first.
    current: Vec<CurrentUser>,
    /// True if there are more callers of the current value than these.
    more: bool,
}

/// An old value that works on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Draining {
    value: Value,
    /// Its callers of the last 30 days, those that still use it first.
    callers: Vec<DrainingUser>,
    /// True if there are more callers than these: the latest were looked at.
    more: bool,
}

/// A caller of an old value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DrainingUser {
    #[serde(flatten)]
    user: KeyUser,
    /// `still`: used the old value since the rotation, and may again; `quiet`: not seen since the rotation; `moved`: uses a
    /// newer one, and has not used the old one since it began to, or not for a day.
    #[schema(example = "still")]
    standing: &'static str,
    uses: u64,
    last_old: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_new: Option<DateTime<Utc>>,
}

/// A caller of the current value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CurrentUser {
    #[serde(flatten)]
    user: KeyUser,
    last_at: DateTime<Utc>,
}

/// See who still uses an old value
#[utoipa::path(
    get,
    path = "/api/v1/keys/{key}/drain",
    tag = "Keys",
    operation_id = "drainKey",
    params(("key" = String, Path, description = "`key_…`")),
    responses((status = 200, description = "Who uses which value", body = DrainBoard)),
)]
pub(crate) async fn drain(
    State(domain): State<Domain>,
    caller: Caller,
    At(key): At<ApiKeyId>,
) -> Result<Response, Problem> {
    let board = domain.drain_board(caller.op(), key).await?;
    let current = board.current.into_iter().map(|(user, last_at)| CurrentUser { user: user.into(), last_at });
    Ok(json::ok(&DrainBoard {
        current: current.collect(),
        more: board.more,
        draining: board.draining.into_iter().map(Draining::from).collect(),
    }))
}

impl From<DrainingValue> for Draining {
    fn from(draining: DrainingValue) -> Self {
        Self {
            value: draining.value.into(),
            callers: draining.callers.into_iter().map(DrainingUser::from).collect(),
            more: draining.more,
        }
    }
}

impl From<DrainingCaller> for DrainingUser {
    fn from(caller: DrainingCaller) -> Self {
        Self {
            user: caller.caller.into(),
            standing: match caller.standing {
                DrainStanding::Moved => "moved",
                DrainStanding::Quiet => "quiet",
                DrainStanding::Still => "still",
            },
            uses: caller.uses,
            last_old: caller.last_old,
            last_new: caller.last_new,
        }
    }
}
