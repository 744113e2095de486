use axum::{
    extract::{Path, State},
    response::Response,
};
use chrono::TimeDelta;
use keywarden_domain::{
    Op, Refused,
    environments::Environment,
    secrets::{Address, DeleteSecretError, Expected, References, SecretView},
};
use leptos::prelude::*;

use super::{around, template};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, Hidden, PageHeader},
};

pub(super) async fn ask(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    match load(&house, &op, &id).await {
        Ok(loaded) => draw(&mut shell, &loaded, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn delete(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let t = shell.text;
    let loaded = match load(&house, &op, &id).await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    let Ok(seen) = posted.fields.text("current").parse() else {
        errors.whole(t.form_unreadable());
        return draw(&mut shell, &loaded, Draft::refused(posted.fields, errors));
    };
    let secret = &loaded.view.secret;
    let expected = Some(Expected::Number(seen));
    match house.domain.delete_secret(&op, &Address::Id(secret.id), expected).await {
        Ok(deletion) => {
            let said = t.secrets_deleted_now(secret.path.as_str(), &around::day(t, deletion.purge_at));
            return render::done(&shell, &around::path(secret), said);
        }
        Err(DeleteSecretError::Already) => errors.whole(t.secrets_is_deleted()),
        Err(DeleteSecretError::Stale) => errors.whole(t.changed_meanwhile()),
        Err(DeleteSecretError::Refused(refused)) => {
            return house.refused(&shell, &op, &posted, refused).await;
        }
    }
    draw(&mut shell, &loaded, Draft::refused(posted.fields, errors))
}

/// The secret, the environment that says how long it can be restored, and what refers to it.
struct Loaded {
    view: SecretView,
    environment: Environment,
    references: References,
}

async fn load(house: &House, op: &Op, id: &str) -> Result<Loaded, Refused> {
    let view = around::load(house, op, id).await?;
    let secret = &view.secret;
    let environment = house.domain.environment(op, secret.project, &secret.environment.to_string()).await?;
    let references = house.domain.secret_references(op, secret.id).await?;
    Ok(Loaded { view, environment, references })
}

fn draw(shell: &mut Shell, loaded: &Loaded, draft: Draft) -> Response {
    let Loaded { view, environment, references } = loaded;
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let secret = view.secret.clone();
    let current = around::current(view).unwrap_or_default();
    let days = environment.secret_recovery_days;
    let until = TimeDelta::try_days(days).and_then(|window| shell.now.checked_add_signed(window));
    let until = until.map(|at| around::day(t, at)).unwrap_or_default();
    let mut consequences = vec![
        t.secrets_delete_unread().to_owned(),
        t.secrets_delete_until(days, &until),
        t.secrets_delete_path().to_owned(),
    ];
    consequences.extend(template::consequence(t, references));
    page(shell, t.secrets_delete()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.secrets_delete() crumbs=around::crumbs_below(t, &secret)/>
            <Confirm title=t.secrets_delete_title(secret.path.as_str()) consequences=consequences>
                <Form draft=draft submit=t.secrets_delete() danger=true cancel=around::path(&secret)>
                    <Hidden name="current" value=current.to_string()/>
                </Form>
            </Confirm>
        }
    })
}
