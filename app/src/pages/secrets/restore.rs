use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::secrets::{RestoreSecretError, Secret};
use leptos::prelude::*;

use super::around;
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, PageHeader},
};

pub(super) async fn ask(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    around::ask(&house, asking, &id, |shell, view| draw(shell, &view.secret, Draft::default())).await
}

pub(super) async fn restore(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let t = shell.text;
    let secret = match around::load(&house, &op, &id).await {
        Ok(view) => view.secret,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    match house.domain.restore_secret(&op, secret.id).await {
        Ok(()) => render::done(&shell, &around::path(&secret), t.secrets_restored(secret.path.as_str())),
        Err(RestoreSecretError::NotDeleted) => {
            let mut errors = Errors::new();
            errors.whole(t.secrets_not_deleted());
            draw(&mut shell, &secret, Draft::refused(posted.fields, errors))
        }
        Err(RestoreSecretError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
    }
}

fn draw(shell: &mut Shell, secret: &Secret, draft: Draft) -> Response {
    around::place(shell, &secret.project_slug);
    let t = shell.text;
    let secret = secret.clone();
    page(shell, t.secrets_restore()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.secrets_restore() crumbs=around::crumbs_below(t, &secret)/>
            <Confirm title=t.secrets_restore_title(secret.path.as_str()) consequences=vec![t.secrets_restore_why().to_owned()] calm=true>
                <Form draft=draft submit=t.secrets_restore() cancel=around::path(&secret)/>
            </Confirm>
        }
    })
}
