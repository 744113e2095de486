//! `/access/requests/<id>/edit`: asking for something else. What was signed counts no more.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::access::{AccessError, Request};
use leptos::prelude::*;

use super::{
    form::{fields, terms, typed},
    path,
    show::load,
    way_to,
};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Form, PageHeader},
};

pub(super) async fn form(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::Access);
    match load(&house.domain, &op, &id).await {
        Ok(shown) => draw(&shell, &shown.request, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn save(
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
    if let Some(terms) = terms(t, &posted.fields, &mut errors) {
        match house.domain.edit_access_request(&op, request.id, terms).await {
            Ok(id) => return render::done(&shell, &path(id), t.access_edited()),
            Err(AccessError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
            Err(error @ (AccessError::TooLong(_) | AccessError::TooShort)) => {
                errors.at("lasts", t.access_error(&error).unwrap_or_default());
            }
            Err(error) => errors.whole(t.access_error(&error).unwrap_or_default()),
        }
    }
    draw(&shell, &request, Draft::refused(posted.fields, errors))
}

fn draw(shell: &Shell, request: &Request, draft: Draft) -> Response {
    let t = shell.text;
    let (crumbs, back) = (way_to(t, request), path(request.id));
    let (lasts, reason, ticket) = (typed(request.lasts), request.reason.clone(), request.ticket.clone());
    page(shell, t.access_edit()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.access_edit() lead=t.access_edit_why() crumbs=crumbs/>
            <Form draft=draft submit=t.access_edit() cancel=back>
                {fields(t, lasts, reason, ticket)}
            </Form>
        }
    })
}
