//! `/access/requests/<id>/deny`: no, in words.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::access::{AccessError, Request};
use keywarden_model::Reason;
use leptos::prelude::*;

use super::{INBOX, path, show::load, way_to};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Confirm, Form, PageHeader, TextField},
};

pub(super) async fn before(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::Access);
    match load(&house.domain, &op, &id).await {
        Ok(shown) => draw(&shell, &shown.request, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn deny(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Access).once(&posted);
    let t = shell.text;
    let request = match load(&house.domain, &op, &id).await {
        Ok(shown) => shown.request,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    let words: Option<Reason> = errors.parsed(t, &posted.fields, "words", Text::name_wrong);
    if let Some(words) = words {
        match house.domain.deny_access(&op, request.id, words).await {
            Ok(_) => return render::done(&shell, INBOX, t.access_denied()),
            Err(AccessError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
            Err(error) => errors.whole(t.access_error(&error).unwrap_or_default()),
        }
    }
    draw(&shell, &request, Draft::refused(posted.fields, errors))
}

fn draw(shell: &Shell, request: &Request, draft: Draft) -> Response {
    let t = shell.text;
    let (crumbs, back) = (way_to(t, request), path(request.id));
    page(shell, t.access_deny_title()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.access_deny() crumbs=crumbs/>
            <Confirm title=t.access_deny_title() consequences=vec![t.access_deny_what().to_owned()]>
                <Form draft=draft submit=t.access_deny() danger=true cancel=back>
                    <TextField name="words" label=t.access_deny_words() maxlength=200 required=true/>
                </Form>
            </Confirm>
        }
    })
}
