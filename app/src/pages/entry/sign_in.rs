//! `/sign-in`: one button. A ceremony begun in one browser is finished in no other.

use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use keywarden_domain::people::{Browser, CeremonyError, SessionChange, SetupState};
use leptos::prelude::*;
use serde::Deserialize;

use super::counted;
use crate::{
    context::{
        Anybody, Guest, House,
        json::{self, Answer, Json},
    },
    pages::ceremony::{self, Ask, PasskeyForm, SCRIPT},
    render::{self, page},
    shell::back_path,
    ui::{EmptyState, PageHeader},
};

const PAGE: &str = "/sign-in";

/// Where to go on to.
#[derive(Debug, Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

pub(super) async fn show(
    State(house): State<House>,
    Anybody { shell, op }: Anybody,
    Query(Next { next }): Query<Next>,
) -> Response {
    let t = shell.text;
    if op.actor.person().is_some_and(|person| !person.recovering) {
        return render::see_other(back_path(&next));
    }
    let title = match house.domain.setup_state().await {
        Ok(SetupState::Done { organization }) => t.sign_in_to(&organization),
        Ok(SetupState::Waiting) => {
            return page(&shell, t.setup_waiting()).show(move || {
                view! { <EmptyState heading=1 title=t.setup_waiting()>{t.setup_waiting_why()}</EmptyState> }
            });
        }
        Err(fault) => return render::refused(&shell, fault.into()),
    };
    page(&shell, t.sign_in()).script(SCRIPT).show(move || {
        view! {
            <PageHeader title=title lead=t.sign_in_lead()/>
            <PasskeyForm ask=Ask::Get start="/sign-in/start" finish="/sign-in/finish" submit=t.sign_in_do()>
                <input type="hidden" name="next" value=next/>
            </PasskeyForm>
            <p><a href="/recover">{t.sign_in_lost()}</a></p>
        }
    })
}

pub(super) async fn start(
    State(house): State<House>,
    Guest { shell, op }: Guest,
    Extension(browser): Extension<Browser>,
) -> Response {
    match house.domain.start_sign_in(&op, browser).await {
        Ok(started) => counted(ceremony::started(&started)),
        Err(error) => ceremony::refused(&shell, error, PAGE),
    }
}

pub(super) async fn finish(
    State(house): State<House>,
    Anybody { shell, op }: Anybody,
    Extension(browser): Extension<Browser>,
    Json(answer): Json<Answer<Next>>,
) -> Response {
    match house.domain.finish_sign_in(&op, browser, answer.ceremony, &answer.credential()).await {
        Ok(signed_in) => {
            let mut response = json::location(back_path(&answer.fields.next));
            response.extensions_mut().insert(SessionChange::from(signed_in));
            response
        }
        Err(error @ CeremonyError::Refused(_)) => ceremony::refused(&shell, error, PAGE),
        Err(error) => counted(ceremony::refused(&shell, error, PAGE)),
    }
}
