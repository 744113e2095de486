//! What the passkey script posts and is answered: JSON, small, never a page.

use axum::{
    body::to_bytes,
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use keywarden_domain::{Fault, Refused, passkeys::ANSWER_LIMIT};
use keywarden_model::CeremonyId;
use serde::{Serialize, de::DeserializeOwned};

use super::{House, refusals::STEP_UP};
use crate::{
    shell::{Shell, encoded},
    text::Text,
};

/// Room for the fields beside a credential.
const FIELDS: usize = 16 << 10;

/// A body of JSON. What is none is answered 400, 413 or 415 without a word: only our own script posts here.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

/// The end of a ceremony, beside the form's own fields.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Answer<T> {
    /// Which ceremony.
    pub(crate) ceremony: CeremonyId,
    /// What the authenticator said.
    credential: serde_json::Value,
    /// The form's fields.
    #[serde(flatten)]
    pub(crate) fields: T,
}

impl<T> Answer<T> {
    /// The credential as the domain reads it.
    pub(crate) fn credential(&self) -> Vec<u8> {
        self.credential.to_string().into_bytes()
    }
}

impl<T: DeserializeOwned> FromRequest<House> for Json<T> {
    type Rejection = StatusCode;

    async fn from_request(request: Request, _: &House) -> Result<Self, StatusCode> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let body = to_bytes(request.into_body(), ANSWER_LIMIT + FIELDS).await;
        let body = body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
        serde_json::from_slice(&body).map(Self).map_err(|_| StatusCode::BAD_REQUEST)
    }
}

/// JSON that nobody stores.
pub(crate) fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    let Ok(text) = serde_json::to_string(body) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, text).into_response()
}

/// The script goes there.
pub(crate) fn location(path: &str) -> Response {
    answer(StatusCode::OK, &serde_json::json!({ "location": path }))
}

/// The script sends the form itself, as if there were no script.
pub(crate) fn submit() -> Response {
    answer(StatusCode::OK, &serde_json::json!({ "submit": true }))
}

/// The script shows this sentence in the form.
pub(crate) fn error(status: StatusCode, sentence: &str) -> Response {
    answer(status, &serde_json::json!({ "error": sentence }))
}

/// As [`error`], with what those who may know find the refusal by.
fn decided(shell: &Shell, status: StatusCode, sentence: &str) -> Response {
    answer(status, &serde_json::json!({ "error": sentence, "decision": shell.decision.id() }))
}

/// What is refused to everybody alike. `back` is the page with the form.
pub(crate) fn refusal(shell: &Shell, refused: Refused, back: &str) -> Response {
    let t: Text = shell.text;
    match refused {
        Refused::StepUp => location(&format!("{STEP_UP}?to={}", encoded(back))),
        Refused::Fault(fault) if fault.leaves_doubt() => {
            tracing::error!(%fault, "a form may have been done");
            error(StatusCode::SERVICE_UNAVAILABLE, t.error_in_doubt_why())
        }
        Refused::Fault(Fault::NoPasskeys(cause)) => {
            tracing::error!(%cause, "no passkey works here");
            error(StatusCode::SERVICE_UNAVAILABLE, t.error_no_passkeys_why())
        }
        Refused::Fault(Fault::ProjectSealed { seal, cause }) => {
            tracing::warn!(%seal, %cause, "a page waits for a project's own seal");
            error(StatusCode::SERVICE_UNAVAILABLE, &t.error_project_sealed_why(&seal))
        }
        Refused::Fault(fault) if fault.is_passing() => {
            tracing::warn!(%fault, "page not answered");
            error(StatusCode::SERVICE_UNAVAILABLE, t.error_unavailable_why())
        }
        Refused::Fault(fault) => {
            tracing::error!(%fault, "page failed");
            error(StatusCode::INTERNAL_SERVER_ERROR, &t.error_fault_with(&shell.request_id))
        }
        Refused::Forbidden(_) => decided(shell, StatusCode::FORBIDDEN, t.error_forbidden()),
        Refused::NotFound => decided(shell, StatusCode::NOT_FOUND, t.error_not_found()),
        Refused::Replayed(_) => error(StatusCode::CONFLICT, t.error_done_before()),
        Refused::Stale => error(StatusCode::CONFLICT, t.changed_meanwhile()),
    }
}
