use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Op,
    policy::difference::{Described, Grant},
    secrets::{EditSecretError, Secret, SecretPatch},
};
use leptos::prelude::*;

use super::{around, fields};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    pages::{
        policies::difference::{Impact, is_preview, panel, preview},
        standards::held as standards,
    },
    render::{self, page},
    shell::{Section, Shell},
    ui::{Form, Hidden, PageHeader},
};

pub(super) async fn form(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    match around::load(&house, &op, &id).await {
        Ok(view) => draw(&house, &mut shell, &op, &view.secret, (Impact::None, Draft::default())).await,
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
    if is_preview(&posted.fields) {
        let impact = match attributes.map(fields::Attributes::into_patch) {
            None => Impact::None,
            Some(SecretPatch { tags, owner, .. }) => {
                let described = Described::Secret(secret.id);
                let grant = Grant::Describe(described, owner, tags.unwrap_or(secret.tags.clone()));
                match Impact::given(&house.domain, &op, grant).await {
                    Ok(impact) => impact,
                    Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
                }
            }
        };
        let draft = Draft::refused(posted.fields, errors);
        return draw(&house, &mut shell, &op, &secret, (impact, draft)).await;
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
    draw(&house, &mut shell, &op, &secret, (Impact::None, Draft::refused(posted.fields, errors))).await
}

async fn draw(
    house: &House,
    shell: &mut Shell,
    op: &Op,
    secret: &Secret,
    (impact, draft): (Impact, Draft),
) -> Response {
    around::place(shell, &secret.project_slug);
    let t = shell.text;
    let owners = match fields::owners(house, op, t, Some(secret)).await {
        Ok(owners) => owners,
        Err(refused) => return render::refused(shell, refused),
    };
    let secret = secret.clone();
    page(shell, t.secrets_edit()).of(&draft).show(move || {
        let now = secret.clone();
        let impact = panel(t, impact, None);
        view! {
            <PageHeader title=t.secrets_edit() lead=t.secrets_edit_lead() crumbs=around::crumbs_below(t, &secret)/>
            {impact}
            <Form draft=draft submit=t.save() cancel=around::path(&secret) beside=preview(t)>
                <Hidden name="row_version" value=secret.row_version.to_string()/>
                {fields::attributes(t, Some(&now), owners)}
            </Form>
        }
    })
}
