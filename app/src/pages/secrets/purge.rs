use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Op, Refused,
    backup::Holding,
    secrets::{PurgeSecretError, Secret},
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

pub(super) async fn ask(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    match load(&house, &op, &id).await {
        Ok((secret, holding)) => draw(&mut shell, &secret, holding, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

/// The secret, and which backups hold its values.
async fn load(house: &House, op: &Op, id: &str) -> Result<(Secret, Holding), Refused> {
    let secret = around::load(house, op, id).await?.secret;
    let holding = house.domain.backups_holding_any(op, &secret).await?;
    Ok((secret, holding))
}

pub(super) async fn purge(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let t = shell.text;
    let (secret, holding) = match load(&house, &op, &id).await {
        Ok(loaded) => loaded,
        // In which folder it was, nobody can say any more.
        Err(refused) => return house.missed(&shell, &op, &posted, refused, "/secrets").await,
    };
    let mut errors = Errors::new();
    if posted.fields.text("name") == secret.path.name() {
        match house.domain.purge_secret(&op, secret.id).await {
            Ok(()) => {
                let folder =
                    around::folder_path(&secret.project_slug, &secret.environment_slug, secret.path.folder());
                return render::done(&shell, &folder, t.secrets_purged(secret.path.as_str()));
            }
            Err(PurgeSecretError::NotDeleted) => errors.whole(t.secrets_not_deleted()),
            Err(PurgeSecretError::Protected) => errors.whole(t.secrets_purge_protected()),
            Err(PurgeSecretError::Refused(refused)) => {
                return house.refused(&shell, &op, &posted, refused).await;
            }
        }
    } else {
        errors.at("name", t.secrets_destroy_name_wrong(secret.path.name()));
    }
    draw(&mut shell, &secret, holding, Draft::refused(posted.fields, errors))
}

fn draw(shell: &mut Shell, secret: &Secret, holding: Holding, draft: Draft) -> Response {
    around::place(shell, &secret.project_slug);
    let t = shell.text;
    let secret = secret.clone();
    let mut consequences = vec![t.secrets_purge_final().to_owned(), t.secrets_purge_path().to_owned()];
    consequences.extend(in_backups::sentences(t, holding));
    page(shell, t.secrets_destroy()).of(&draft).show(move || {
        let name = secret.path.name().to_owned();
        view! {
            <PageHeader title=t.secrets_destroy() crumbs=around::crumbs_below(t, &secret)/>
            <Confirm title=t.secrets_purge_title(secret.path.as_str()) consequences=consequences>
                <Form draft=draft submit=t.secrets_destroy() danger=true cancel=around::path(&secret)>
                    <TextField name="name" label=t.secrets_destroy_name() required=true mono=true maxlength=128 hint=t.secrets_destroy_name_hint(&name)/>
                </Form>
            </Confirm>
        }
    })
}
