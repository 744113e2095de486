//! `POST /api/v1/keys/verify`: asked all the time, so read in one go and answered in one go, with no layer around it.

use std::{borrow::Cow, net::IpAddr};

use axum::{
    extract::{Request, State},
    response::Response,
};
use chrono::{DateTime, Utc};
use http::{StatusCode, header};
use keywarden_domain::{
    Domain, Op,
    authz::Owner,
    keys::{Question, RateStatus, Route, Verdict},
};
use keywarden_model::{ApiKeyId, Metadata, RequestId, Scopes, Tags};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    body,
    caller::{authenticate_verifier, bearer},
    json,
    problem::{Kind, Problem},
};

/// Room for most answers.
const USUAL: usize = 640;

/// Is this key good?
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyKey<'a> {
    /// What your caller showed.
    #[serde(borrow)]
    #[schema(value_type = String, example = "kwk_live_0A1B2C3D4E5F_…")]
    key: Cow<'a, str>,
    /// What it is wanted for: all of these must be held.
    #[serde(default, deserialize_with = "json::absent")]
    #[schema(value_type = Vec<String>, example = json!(["orders:read"]))]
    scopes: Scopes,
    /// From where your caller came. A key with ranges is not good from an unknown address.
    #[schema(value_type = Option<String>, example = "198.51.100.7")]
    ip: Option<IpAddr>,
    /// What your caller calls itself: its agent, or a service's name. The first 200 bytes are kept with the key's use.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, example = "curl/8.5.0")]
    caller: Option<Cow<'a, str>>,
}

/// The answer. Of a key that is unknown, wrong or none of the caller's business it tells `valid` and `code`, no more.
#[derive(Serialize, ToSchema)]
#[serde(rename = "Verdict")]
#[schema(as = Verdict)]
pub(crate) struct Told<'a> {
    valid: bool,
    /// `valid`, or the first that fits of `not_found`, `revoked`, `suspended`, `not_yet_valid`, `expired`,
    /// `ip_not_allowed`, `insufficient_scope`, `rate_limited`.
    #[schema(example = "valid")]
    code: &'static str,
    #[serde(flatten)]
    key: Option<Facts<'a>>,
    /// When it stops being good by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
    /// Another value has taken its place: its caller should change over.
    superseded: bool,
    /// Where the key stands in its window, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit: Option<Window>,
    /// Only while the database does not answer: when the knowledge behind the answer was last known to be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<DateTime<Utc>>,
}

/// Whose key it is and what it is for.
#[derive(Serialize, ToSchema)]
pub(crate) struct Facts<'a> {
    #[serde(serialize_with = "json::shown")]
    #[schema(value_type = String, example = "key_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    key_id: ApiKeyId,
    #[schema(example = "pay")]
    project: &'a str,
    #[schema(example = "live")]
    environment: &'a str,
    #[schema(example = "Checkout")]
    name: &'a str,
    /// The id of a person or team.
    #[serde(serialize_with = "json::shown")]
    #[schema(value_type = String, example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    owner: Owner,
    #[schema(value_type = Vec<String>, example = json!(["orders:read"]))]
    scopes: &'a Scopes,
    #[schema(value_type = Vec<String>, example = json!(["team=payments"]))]
    tags: &'a Tags,
    #[schema(value_type = Object, example = json!({ "plan": "gold" }))]
    metadata: &'a Metadata,
}

/// Where a key stands in the window of its rate limit.
#[derive(Serialize, ToSchema)]
pub(crate) struct Window {
    /// Verifications in a window.
    #[schema(example = 100)]
    limit: u32,
    /// Those that are left.
    #[schema(example = 99)]
    remaining: u32,
    /// Until the next window begins.
    #[schema(example = 60)]
    reset_seconds: u32,
}

/// Is this key good?
///
/// The caller's workload must be allowed to verify somewhere; keys of other projects look like ones that do not exist.
#[utoipa::path(
    post,
    path = "/api/v1/keys/verify",
    tag = "Verification",
    operation_id = "verifyKey",
    extensions(("x-reads" = json!(true))),
    request_body = VerifyKey,
    responses((status = 200, description = "The verdict, good or not", body = Told)),
)]
pub(crate) async fn verify(State(domain): State<Domain>, request: Request) -> Response {
    let id = request.extensions().get::<RequestId>().copied();
    answered(&domain, request).await.unwrap_or_else(|problem| problem.answer(id))
}

async fn answered(domain: &Domain, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let token = bearer(parts.headers.get_all(header::AUTHORIZATION).iter());
    let op = authenticate_verifier(domain, token, &parts.headers, &parts.extensions).await?;
    json::says_json(&parts.headers)?;
    let bytes = json::bytes(&parts.headers, body).await?;
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(json::read::<json::Nothing>(&bytes).err().unwrap_or_else(json::no_object));
    }
    let asked: VerifyKey<'_> = serde_json::from_slice(&bytes).map_err(|_| why(&bytes))?;
    let verdict = ask(domain, &op, &asked).await?;
    let mut told = Vec::with_capacity(USUAL);
    serde_json::to_writer(&mut told, &Told::of(&verdict)).map_err(|error| json::unwritten(&error))?;
    Ok(json::written(StatusCode::OK, told))
}

async fn ask(domain: &Domain, op: &Op, asked: &VerifyKey<'_>) -> Result<Verdict, Problem> {
    let question = Question {
        presented: &asked.key,
        scopes: &asked.scopes,
        ip: asked.ip,
        caller: asked.caller.as_deref(),
        route: Route::Verify,
    };
    let verdict = domain.verify_key(op, &question).await;
    verdict.map_err(|refused| Problem::from(refused).decided(domain, &op.refusal))
}

/// What is wrong with the body, found by reading it again with care.
fn why(bytes: &[u8]) -> Problem {
    let read = json::read_with(bytes, |value| body::read::<VerifyKey<'_>>(value).map(drop));
    read.err().unwrap_or_else(|| Problem::new(Kind::Malformed, "the body is not JSON as we read it"))
}

impl<'a> Told<'a> {
    fn of(verdict: &'a Verdict) -> Self {
        Self {
            valid: verdict.valid(),
            code: verdict.code.as_str(),
            key: verdict.key().map(|key| Facts {
                key_id: key.id,
                project: &key.project_slug,
                environment: &key.environment_slug,
                name: &key.name,
                owner: key.owner,
                scopes: &key.scopes,
                tags: &key.tags,
                metadata: &key.metadata,
            }),
            expires_at: verdict.expires_at,
            superseded: verdict.superseded,
            rate_limit: verdict.rate_limit.map(Window::from),
            as_of: verdict.as_of,
        }
    }
}

impl From<RateStatus> for Window {
    fn from(status: RateStatus) -> Self {
        Self { limit: status.limit, remaining: status.remaining, reset_seconds: status.reset_seconds }
    }
}
