//! Deleting one version, and taking that back.

use axum::{
    extract::{Path, State},
    response::Response,
};
use chrono::TimeDelta;
use keywarden_domain::{
    Op, Refused,
    secrets::{DeleteVersionError, RestoreVersionError, SecretView, Version},
};
use leptos::prelude::*;

use super::around;
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, PageHeader, version_state_name},
};

type At = Path<(String, String)>;

pub(super) async fn ask_delete(State(house): State<House>, asking: Asking, Path(at): At) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    match load(&house, &op, &at).await {
        Ok((view, version, days)) => draw_delete(&mut shell, &view, &version, days, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn delete(
    State(house): State<House>,
    asking: Asking,
    Path(at): At,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let t = shell.text;
    let (view, version, days) = match load(&house, &op, &at).await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let (id, number) = (view.secret.id, version.number);
    let mut errors = Errors::new();
    match house.domain.delete_secret_version(&op, id, number).await {
        Ok(deletion) => {
            let said = t.secrets_version_deleted_now(number, &around::day(t, deletion.purge_at));
            return render::done(&shell, &around::version_path(&view.secret, number), said);
        }
        Err(DeleteVersionError::Current) => errors.whole(t.secrets_version_delete_current()),
        Err(DeleteVersionError::Deleted) => errors.whole(t.secrets_is_deleted()),
        Err(DeleteVersionError::Is(state)) => {
            errors.whole(t.secrets_version_is(number, version_state_name(t, state)));
        }
        Err(DeleteVersionError::Refused(refused)) => {
            return house.refused(&shell, &op, &posted, refused).await;
        }
    }
    draw_delete(&mut shell, &view, &version, days, Draft::refused(posted.fields, errors))
}

/// The version, and for how many days its environment keeps what is deleted.
async fn load(house: &House, op: &Op, at: &(String, String)) -> Result<(SecretView, Version, i64), Refused> {
    let (view, version) = around::load_version(house, op, at).await?;
    let secret = &view.secret;
    let environment = house.domain.environment(op, secret.project, &secret.environment.to_string()).await?;
    Ok((view, version, environment.secret_recovery_days))
}

fn draw_delete(shell: &mut Shell, view: &SecretView, version: &Version, days: i64, draft: Draft) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let (secret, number) = (view.secret.clone(), version.number);
    let until = TimeDelta::try_days(days).and_then(|window| shell.now.checked_add_signed(window));
    let until = until.map(|at| around::day(t, at)).unwrap_or_default();
    let labels: Vec<_> = view.labels_of(number).map(ToString::to_string).collect();
    let mut consequences = vec![t.secrets_disable_unread().to_owned()];
    if around::current(view) == Some(number) {
        consequences.push(t.secrets_version_delete_current().to_owned());
    }
    if !labels.is_empty() {
        consequences.push(t.secrets_version_delete_labels(&labels.join(", ")));
    }
    consequences.push(t.secrets_version_delete_until(days, &until));
    page(shell, t.secrets_delete()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.secrets_delete() crumbs=around::crumbs_below_version(t, &secret, number)/>
            <Confirm title=t.secrets_version_delete_title(number, secret.path.as_str()) consequences=consequences>
                <Form draft=draft submit=t.secrets_delete() danger=true cancel=around::version_path(&secret, number)/>
            </Confirm>
        }
    })
}

pub(super) async fn ask_restore(State(house): State<House>, asking: Asking, Path(at): At) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    match around::load_version(&house, &op, &at).await {
        Ok((view, version)) => draw_restore(&mut shell, &view, version.number, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn restore(
    State(house): State<House>,
    asking: Asking,
    Path(at): At,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let t = shell.text;
    let (view, version) = match around::load_version(&house, &op, &at).await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let number = version.number;
    let mut errors = Errors::new();
    match house.domain.restore_secret_version(&op, view.secret.id, number).await {
        Ok(()) => {
            let page = around::version_path(&view.secret, number);
            return render::done(&shell, &page, t.secrets_version_restored(number));
        }
        Err(RestoreVersionError::Deleted) => errors.whole(t.secrets_is_deleted()),
        Err(RestoreVersionError::Is(state)) => {
            errors.whole(t.secrets_version_is(number, version_state_name(t, state)));
        }
        Err(RestoreVersionError::Refused(refused)) => {
            return house.refused(&shell, &op, &posted, refused).await;
        }
    }
    draw_restore(&mut shell, &view, number, Draft::refused(posted.fields, errors))
}

fn draw_restore(shell: &mut Shell, view: &SecretView, number: i64, draft: Draft) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let secret = view.secret.clone();
    page(shell, t.secrets_restore()).of(&draft).show(move || {
        let consequences = vec![t.secrets_version_restore_why().to_owned()];
        view! {
            <PageHeader title=t.secrets_restore() crumbs=around::crumbs_below_version(t, &secret, number)/>
            <Confirm title=t.secrets_version_restore_title(number, secret.path.as_str()) consequences=consequences calm=true>
                <Form draft=draft submit=t.secrets_restore() cancel=around::version_path(&secret, number)/>
            </Confirm>
        }
    })
}
