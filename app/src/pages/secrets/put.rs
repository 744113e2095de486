use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    keys::Place,
    secrets::{About, Expected, PutError, PutSecret, SecretView},
};
use leptos::prelude::*;

use super::{around, fields, reasons, reuse, validity, value};
use crate::{
    context::{Asking, House, PostedValue},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Form, Hidden, PageHeader},
};

pub(super) async fn new(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    match around::load(&house, &op, &id).await {
        Ok(view) => draw(&house, &mut shell, &view, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn put(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    PostedValue(posted): PostedValue,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let t = shell.text;
    let view = match around::load(&house, &op, &id).await {
        Ok(view) => view,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    let value = value::read(t, &house.domain, &posted.fields, &mut errors);
    let validity = validity::read(t, &posted.fields, &mut errors);
    let label = fields::read_label(t, &posted.fields, &mut errors);
    let fits = reasons::fits(t, &posted.fields, &mut errors);
    let label = label.filter(|_| fits);
    let seen = posted.fields.text("current").parse().ok();
    if seen.is_none() {
        errors.whole(t.form_unreadable());
    }
    if let (Some(value), Some(validity), Some(label), Some(seen)) = (value, validity, label, seen) {
        let secret = &view.secret;
        let put = PutSecret {
            value,
            label: Some(label),
            expected: Some(Expected::Number(seen)),
            validity,
            about: About::default(),
        };
        match house.domain.put_secret(&op, &Place::Environment(secret.environment), &secret.path, put).await {
            Ok(made) => {
                return render::done(
                    &shell,
                    &around::path(secret),
                    reuse::said(t, t.secrets_put(made.number), &made),
                );
            }
            Err(PutError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
            Err(error) => note(t, &mut errors, &error),
        }
    }
    value::again(t, &posted.fields, &mut errors);
    draw(&house, &mut shell, &view, Draft::refused(posted.fields, errors))
}

/// Why no version was made.
pub(super) fn note(t: Text, errors: &mut Errors, error: &PutError) {
    match error {
        PutError::About | PutError::NoOwner | PutError::OwnerUnknown => {
            errors.whole(t.form_refused_whole());
        }
        PutError::Archived => errors.whole(t.keys_archived()),
        PutError::Deleted => errors.whole(t.secrets_is_deleted()),
        PutError::KeyExhausted => errors.whole(t.secrets_key_exhausted()),
        PutError::Lapsed => errors.at("expires_at", t.keys_expires_past()),
        PutError::Previous => errors.at("own", t.secrets_label_follows()),
        PutError::Standard(breach) => errors.whole(t.standard_breach(breach)),
        PutError::TooLong(wrong) => errors.at("value", value::said(t, *wrong)),
        PutError::TooManyLabels => errors.at("own", t.secrets_label_many()),
        PutError::Stale | PutError::Twin | PutError::Refused(_) => errors.whole(t.changed_meanwhile()),
    }
}

fn draw(house: &House, shell: &mut Shell, view: &SecretView, draft: Draft) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let secret = view.secret.clone();
    // What is replaced: if another one is `current` by then, nothing is.
    let current = around::current(view).unwrap_or_default();
    let before = view.versions.iter().find(|it| it.number == current);
    let start = before.map(value::Start::of).unwrap_or_default();
    let most = house.domain.settings().max_value;
    page(shell, t.secrets_new_version()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.secrets_new_version() lead=t.secrets_new_version_lead() crumbs=around::crumbs_below(t, &secret)/>
            <Form draft=draft submit=t.secrets_new_version() cancel=around::path(&secret)>
                <Hidden name="current" value=current.to_string()/>
                {value::fields(t, start, most)}
                {validity::fields(t)}
                {fields::label(t)}
                {reasons::why(t)}
            </Form>
        }
    })
}
