//! `/access/requests/<id>/withdraw`: taken back by whoever asked.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::access::{AccessError, Request};
use leptos::prelude::*;

use super::{LIST, path, show::load, way_to};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, PageHeader},
};

pub(super) async fn before(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::Access);
    match load(&house.domain, &op, &id).await {
        Ok(shown) => draw(&shell, &shown.request, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn withdraw(
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
    match house.domain.withdraw_access_request(&op, request.id).await {
        Ok(_) => return render::done(&shell, LIST, t.access_withdrawn()),
        Err(AccessError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
        Err(error) => errors.whole(t.access_error(&error).unwrap_or_default()),
    }
    draw(&shell, &request, Draft::refused(posted.fields, errors))
}

fn draw(shell: &Shell, request: &Request, draft: Draft) -> Response {
    let t = shell.text;
    let (crumbs, back) = (way_to(t, request), path(request.id));
    page(shell, t.access_withdraw_title()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.access_withdraw() crumbs=crumbs/>
            <Confirm title=t.access_withdraw_title() consequences=vec![t.access_withdraw_what().to_owned()] calm=true>
                <Form draft=draft submit=t.access_withdraw() cancel=back/>
            </Confirm>
        }
    })
}
