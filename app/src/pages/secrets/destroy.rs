use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::secrets::{DestroyVersionError, SecretView};
use leptos::prelude::*;

use super::around;
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
    match around::load_version(&house, &op, &at).await {
        Ok((view, version)) => draw(&mut shell, &view, version.number, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn destroy(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let t = shell.text;
    let (view, version) = match around::load_version(&house, &op, &at).await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let (secret, number) = (&view.secret, version.number);
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
    draw(&mut shell, &view, number, Draft::refused(posted.fields, errors))
}

fn draw(shell: &mut Shell, view: &SecretView, number: i64, draft: Draft) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let secret = view.secret.clone();
    let labels: Vec<_> = view.labels_of(number).map(ToString::to_string).collect();
    let mut consequences = vec![t.secrets_destroy_final().to_owned()];
    if !labels.is_empty() {
        consequences.push(t.secrets_destroy_labels(&labels.join(", ")));
    }
    consequences.push(t.secrets_destroy_backups().to_owned());
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
