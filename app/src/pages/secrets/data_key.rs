//! A new data key for the value that is read now.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::secrets::{RotateDataKeyError, SecretView};
use leptos::prelude::*;

use super::{around, reasons};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, PageHeader},
};

pub(super) async fn ask(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    around::ask(&house, asking, &id, |shell, view| draw(shell, view, Draft::default())).await
}

pub(super) async fn rotate(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let t = shell.text;
    let view = match around::load(&house, &op, &id).await {
        Ok(view) => view,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    if !reasons::fits(t, &posted.fields, &mut errors) {
        return draw(&mut shell, &view, Draft::refused(posted.fields, errors));
    }
    match house.domain.rotate_data_key(&op, view.secret.id).await {
        Ok(done) => {
            let said = t.data_key_rotated(done.number);
            return render::done(&shell, &around::path(&view.secret), said);
        }
        Err(RotateDataKeyError::Archived) => errors.whole(t.projects_is_archived()),
        Err(RotateDataKeyError::Deleted) => errors.whole(t.secrets_is_deleted()),
        Err(RotateDataKeyError::KeyExhausted) => errors.whole(t.data_key_exhausted()),
        Err(RotateDataKeyError::NoCurrent) => errors.whole(t.data_key_no_current()),
        Err(RotateDataKeyError::Refused(refused)) => {
            return house.refused(&shell, &op, &posted, refused).await;
        }
        Err(RotateDataKeyError::Stale) => errors.whole(t.encryption_changed()),
    }
    draw(&mut shell, &view, Draft::refused(posted.fields, errors))
}

fn draw(shell: &mut Shell, view: &SecretView, draft: Draft) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let secret = view.secret.clone();
    let consequences = vec![
        t.data_key_rotate_version().to_owned(),
        t.data_key_rotate_old().to_owned(),
        t.data_key_rotate_leak().to_owned(),
    ];
    page(shell, t.data_key_rotate()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.data_key_rotate() crumbs=around::crumbs_below(t, &secret)/>
            <Confirm title=t.data_key_rotate_title(secret.path.as_str()) consequences=consequences calm=true>
                <Form draft=draft submit=t.data_key_rotate() cancel=around::path(&secret)>{reasons::why(t)}</Form>
            </Confirm>
        }
    })
}
