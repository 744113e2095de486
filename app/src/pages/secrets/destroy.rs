use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Op, Refused,
    backup::Holding,
    secrets::{DestroyVersionError, SecretView},
};
use leptos::prelude::*;

use super::{around, in_backups};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, PageHeader, TextField},
};

pub(super) async fn ask(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    match load(&house, &op, &at).await {
        Ok((view, number, holding)) => draw(&mut shell, &view, number, holding, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

/// The version, and which backups hold it.
async fn load(house: &House, op: &Op, at: &(String, String)) -> Result<(SecretView, i64, Holding), Refused> {
    let (view, version) = around::load_version(house, op, at).await?;
    let holding = house.domain.backups_holding(op, &view.secret, &version).await?;
    Ok((view, version.number, holding))
}

pub(super) async fn destroy(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let t = shell.text;
    let (view, number, holding) = match load(&house, &op, &at).await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let secret = &view.secret;
    let mut errors = Errors::new();
    if posted.fields.text("name") == secret.path.name() {
        match house.domain.destroy_secret_version(&op, secret.id, number).await {
            Ok(()) => return render::done(&shell, &around::path(secret), t.secrets_destroyed_now(number)),
            Err(DestroyVersionError::Already) => errors.whole(t.secrets_is_destroyed()),
            Err(DestroyVersionError::Current) => errors.whole(t.secrets_destroy_current()),
            Err(DestroyVersionError::Protected) => errors.whole(t.secrets_destroy_protected()),
            Err(DestroyVersionError::Refused(refused)) => {
                return house.refused(&shell, &op, &posted, refused).await;
            }
        }
    } else {
        errors.at("name", t.secrets_destroy_name_wrong(secret.path.name()));
    }
    draw(&mut shell, &view, number, holding, Draft::refused(posted.fields, errors))
}

fn draw(shell: &mut Shell, view: &SecretView, number: i64, holding: Holding, draft: Draft) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let secret = view.secret.clone();
    let labels: Vec<_> = view.labels_of(number).map(ToString::to_string).collect();
    let mut consequences = vec![t.secrets_destroy_final().to_owned()];
    if !labels.is_empty() {
        consequences.push(t.secrets_destroy_labels(&labels.join(", ")));
    }
    consequences.extend(in_backups::sentences(t, holding));
    page(shell, t.secrets_destroy()).of(&draft).show(move || {
        let name = secret.path.name().to_owned();
        view! {
            <PageHeader title=t.secrets_destroy() crumbs=around::crumbs_below_version(t, &secret, number)/>
            <Confirm title=t.secrets_destroy_title(number, secret.path.as_str()) consequences=consequences>
                <Form draft=draft submit=t.secrets_destroy() danger=true cancel=around::version_path(&secret, number)>
                    <TextField name="name" label=t.secrets_destroy_name() required=true mono=true maxlength=128 hint=t.secrets_destroy_name_hint(&name)/>
                </Form>
            </Confirm>
        }
    })
}
