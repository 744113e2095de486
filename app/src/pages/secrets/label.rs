//! Pointing a label at a version, and taking one away.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Op, Refused,
    secrets::{LabelError, SecretView},
};
use keywarden_model::SecretLabel;
use leptos::prelude::*;

use super::{around, fields};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Confirm, Form, Hidden, PageHeader, RadioGroup, TextField, version_state_name},
};

pub(super) async fn form(
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

pub(super) async fn set(
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
    let number = version.number;
    let mut errors = Errors::new();
    let label = fields::read_label(t, &posted.fields, &mut errors);
    let seen = posted.fields.text("row_version").parse().ok();
    if seen.is_none() {
        errors.whole(t.form_unreadable());
    }
    if let (Some(label), Some(seen)) = (label, seen) {
        match house.domain.label_secret(&op, view.secret.id, Some(seen), &label, number).await {
            Ok(()) => {
                let said = t.secrets_labelled(label.as_str(), number);
                return render::done(&shell, &around::path(&view.secret), said);
            }
            Err(LabelError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
            Err(error) => note(t, &mut errors, &error),
        }
    }
    draw(&mut shell, &view, number, Draft::refused(posted.fields, errors))
}

fn note(t: Text, errors: &mut Errors, error: &LabelError) {
    match error {
        LabelError::Deleted => errors.whole(t.secrets_is_deleted()),
        LabelError::Destroyed => errors.whole(t.secrets_label_destroyed()),
        LabelError::Follows => errors.at("own", t.secrets_label_follows()),
        LabelError::NotEnabled(state) => {
            errors.at("label", t.secrets_label_not_enabled(version_state_name(t, *state)));
        }
        LabelError::VersionDeleted => errors.whole(t.secrets_label_deleted()),
        LabelError::TooMany => errors.at("own", t.secrets_label_many()),
        LabelError::NoVersion | LabelError::Stale | LabelError::Refused(_) => {
            errors.whole(t.changed_meanwhile());
        }
    }
}

fn draw(shell: &mut Shell, view: &SecretView, number: i64, draft: Draft) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let secret = view.secret.clone();
    page(shell, t.secrets_label_set()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.secrets_label_set() lead=t.secrets_label_lead(number) crumbs=around::crumbs_below_version(t, &secret, number)/>
            <Form draft=draft submit=t.secrets_label_set() cancel=around::version_path(&secret, number)>
                <Hidden name="row_version" value=secret.row_version.to_string()/>
                <RadioGroup name="label" label=t.secrets_label_which() required=true choices=fields::labels(t) value="current"/>
                <TextField name="own" label=t.secrets_label_name() mono=true maxlength=64 hint=t.secrets_label_name_hint()/>
            </Form>
        }
    })
}

pub(super) async fn ask(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    match load(&house, &op, &at).await {
        Ok((view, label, number)) => draw_removal(&mut shell, &view, &label, number, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn remove(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let t = shell.text;
    let (view, label, number) = match load(&house, &op, &at).await {
        Ok(loaded) => loaded,
        Err(refused) => {
            return house.missed(&shell, &op, &posted, refused, &format!("/secrets/{}", at.0)).await;
        }
    };
    let mut errors = Errors::new();
    match house.domain.unlabel_secret(&op, view.secret.id, &label).await {
        Ok(()) => {
            return render::done(&shell, &around::path(&view.secret), t.secrets_unlabelled(label.as_str()));
        }
        Err(LabelError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
        Err(LabelError::Follows) => errors.whole(t.secrets_label_stays()),
        Err(error) => note(t, &mut errors, &error),
    }
    draw_removal(&mut shell, &view, &label, number, Draft::refused(posted.fields, errors))
}

/// The secret, and a label that it has.
async fn load(
    house: &House,
    op: &Op,
    (id, label): &(String, String),
) -> Result<(SecretView, SecretLabel, i64), Refused> {
    let view = around::load(house, op, id).await?;
    let found = view.labels.iter().find(|(it, _)| it.as_str() == label).cloned();
    let (label, number) = found.ok_or(Refused::NotFound)?;
    Ok((view, label, number))
}

fn draw_removal(
    shell: &mut Shell,
    view: &SecretView,
    label: &SecretLabel,
    number: i64,
    draft: Draft,
) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let secret = view.secret.clone();
    let title = t.secrets_unlabel_title(label.as_str(), number);
    page(shell, t.secrets_unlabel()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.secrets_unlabel() crumbs=around::crumbs_below_version(t, &secret, number)/>
            <Confirm title=title consequences=vec![t.secrets_unlabel_why().to_owned()]>
                <Form draft=draft submit=t.secrets_unlabel() danger=true cancel=around::version_path(&secret, number)/>
            </Confirm>
        }
    })
}
