use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Op,
    secrets::{EditSecretError, Secret},
};
use leptos::prelude::*;

use super::{around, fields};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    pages::standards::held as standards,
    render::{self, page},
    shell::{Section, Shell},
    ui::{Form, Hidden, PageHeader},
};

pub(super) async fn form(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    match around::load(&house, &op, &id).await {
        Ok(view) => draw(&house, &mut shell, &op, &view.secret, Draft::default()).await,
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn save(
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
    let mut errors = Errors::new();
    let attributes = fields::read_attributes(t, &posted.fields, &mut errors);
    let seen = posted.fields.text("row_version").parse().ok();
    if seen.is_none() {
        errors.whole(t.form_unreadable());
    }
    if let (Some(attributes), Some(seen)) = (attributes, seen) {
        match house.domain.edit_secret(&op, secret.id, Some(seen), attributes.into_patch()).await {
            Ok(()) => return render::done(&shell, &around::path(&secret), t.saved()),
            Err(EditSecretError::Deleted) => errors.whole(t.secrets_is_deleted()),
            Err(EditSecretError::Stale) => errors.whole(t.changed_meanwhile()),
            Err(EditSecretError::OwnerUnknown) => errors.at("owner", t.keys_owner_unknown()),
            Err(EditSecretError::Standard(breach)) => standards::note(t, &mut errors, &breach),
            Err(EditSecretError::Refused(refused)) => {
                return house.refused(&shell, &op, &posted, refused).await;
            }
        }
    }
    draw(&house, &mut shell, &op, &secret, Draft::refused(posted.fields, errors)).await
}

async fn draw(house: &House, shell: &mut Shell, op: &Op, secret: &Secret, draft: Draft) -> Response {
    around::place(shell, &secret.project_slug);
    let t = shell.text;
    let owners = match fields::owners(house, op, t, Some(secret)).await {
        Ok(owners) => owners,
        Err(refused) => return render::refused(shell, refused),
    };
    let secret = secret.clone();
    page(shell, t.secrets_edit()).of(&draft).show(move || {
        let now = secret.clone();
        view! {
            <PageHeader title=t.secrets_edit() lead=t.secrets_edit_lead() crumbs=around::crumbs_below(t, &secret)/>
            <Form draft=draft submit=t.save() cancel=around::path(&secret)>
                <Hidden name="row_version" value=secret.row_version.to_string()/>
                {fields::attributes(t, Some(&now), owners)}
            </Form>
        }
    })
}
