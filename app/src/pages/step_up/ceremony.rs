//! `POST /step-up/start` and `/step-up/finish`, for the script.

use axum::{extract::State, response::Response};
use http::StatusCode;
use keywarden_domain::{
    passkeys::PasskeyError,
    people::{CeremonyError, SessionChange},
};
use serde::Deserialize;

use crate::{
    context::{
        Asking, House,
        json::{self, Answer, Json},
    },
    pages::ceremony,
    shell::{Shell, back_path},
};

/// Of the form, what says how it goes on.
#[derive(Debug, Deserialize)]
pub(super) struct Goal {
    kept_post: Option<String>,
    #[serde(default)]
    to: String,
}

const PAGE: &str = "/step-up";

pub(super) async fn start(State(house): State<House>, Asking { shell, op }: Asking) -> Response {
    match house.domain.start_step_up(&op).await {
        Ok(started) => ceremony::started(&started),
        Err(error) => refused(&shell, error),
    }
}

pub(super) async fn finish(
    State(house): State<House>,
    Asking { shell, op }: Asking,
    Json(answer): Json<Answer<Goal>>,
) -> Response {
    match house.domain.finish_step_up(&op, answer.ceremony, &answer.credential()).await {
        Ok(signed_in) => {
            let mut response = match answer.fields.kept_post {
                Some(_) => json::submit(),
                None => json::location(back_path(&answer.fields.to)),
            };
            response.extensions_mut().insert(SessionChange::from(signed_in));
            response
        }
        Err(error) => refused(&shell, error),
    }
}

/// Whoever shows another passkey than the one that opened the session is not who is asked for.
fn refused(shell: &Shell, error: CeremonyError) -> Response {
    let t = shell.text;
    let sentence = match error {
        CeremonyError::Passkey(PasskeyError::NoPasskey) => t.step_up_gone_why(),
        CeremonyError::Passkey(
            PasskeyError::AnotherPasskey | PasskeyError::OtherPerson | PasskeyError::UnknownCredential,
        ) => t.step_up_another(),
        error => return ceremony::refused(shell, error, PAGE),
    };
    tracing::info!(%error, "passkey refused");
    json::error(StatusCode::UNAUTHORIZED, sentence)
}
