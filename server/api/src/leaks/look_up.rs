//! `POST /api/v1/leaks`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    keys::{LONGEST_TEXT, Leak, LookUpError},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    caller::Caller,
    flaw::Flaw,
    json::{self, Asked},
    keys::{Key, Value},
    problem::Problem,
    tokens::Token,
};

/// What was found.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LookUpLeak {
    /// The value, alone or within a text of up to 64 KiB with at most 128 different values. Neither is kept nor logged.
    #[schema(example = "curl -H 'Authorization: Bearer kwk_live_0A1B2C3D4E5F_…'")]
    value: String,
}

/// Whose it is, if the caller may act on it.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct LookedUp {
    /// False also for a key that is none of the caller's business; that it was found is on record.
    found: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Key>,
    /// The value that leaked.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Token>,
    /// The id of the workload that the token speaks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "wkl_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    workload: Option<String>,
    /// Whether the caller may rotate it now. False of an old value: a rotation would stop the current one in its place.
    may_rotate: bool,
    /// Whether it is an old value that the caller may stop now, alone: `POST /api/v1/keys/{key}/values/{value}/stop`.
    may_stop: bool,
    /// Whether the caller may revoke it now.
    may_revoke: bool,
    /// Whether the text holds more values that the caller may act on: take this one out, and look the rest up.
    more: bool,
}

/// Look up a leaked value
///
/// Of several in one text the first that the caller may act on is told, and whether there are more. A text with more
/// different values than are looked up is refused: none is passed over in silence.
#[utoipa::path(
    post,
    path = "/api/v1/leaks",
    tag = "Leaks",
    operation_id = "lookUpLeak",
    request_body = LookUpLeak,
    responses((status = 200, description = "Whose it is, or nothing", body = LookedUp)),
)]
pub(crate) async fn look_up(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<LookUpLeak>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    if body.value.len() > LONGEST_TEXT {
        let detail = format!("send at most {LONGEST_TEXT} bytes; look a longer text up in parts");
        return Err(Problem::invalid(Flaw::at("/value", detail)));
    }
    Ok(json::ok(&match domain.look_up_leak(&op, &body.value).await? {
        Leak::Found { key, value, may, more, .. } => LookedUp {
            found: true,
            key: Some(Key::of(*key, op.now)),
            value: Some((*value).into()),
            may_rotate: may.rotate,
            may_stop: may.stop_old,
            may_revoke: may.revoke,
            more,
            ..LookedUp::default()
        },
        Leak::Token(leaked) => LookedUp {
            found: true,
            workload: leaked.workload.as_ref().map(|it| it.id.to_string()),
            may_revoke: leaked.may_revoke,
            more: leaked.more,
            token: Some(leaked.token.into()),
            ..LookedUp::default()
        },
        Leak::Unknown => LookedUp::default(),
    }))
}

impl From<LookUpError> for Problem {
    fn from(error: LookUpError) -> Self {
        match error {
            LookUpError::Refused(refused) => refused.into(),
            LookUpError::TooMany => Self::invalid(Flaw::at("/value", error)),
        }
    }
}
