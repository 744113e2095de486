use axum::{extract::State, response::Response};
use keywarden_domain::{
    Action, SecretString,
    keys::{ImportError, ImportKey, ImportedValue, Place},
};
use keywarden_model::EnvironmentId;
use leptos::prelude::*;

use super::{
    choices::Choices,
    fields::{self, Start},
    moments, terms,
};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors, Fields, Params},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{EmptyState, FieldGroup, Form, PageHeader, SelectField, TextField, TextKind, crumb},
};

pub(super) async fn new(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking.at(Section::Keys);
    match Choices::of(&house, &op, Action::ImportKey).await {
        Ok(choices) => form(&shell, choices, params.text("project"), Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn import(
    State(house): State<House>,
    asking: Asking,
    params: Params,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Keys).once(&posted);
    let t = shell.text;
    let mut errors = Errors::new();
    let by_digest = !posted.fields.text("sha256").is_empty();
    let at_value = if by_digest { "sha256" } else { "value" };
    if let Some((name, import)) = read(t, &posted.fields, &mut errors, &shell) {
        match house.domain.import_key(&op, import).await {
            Ok(id) => return render::done(&shell, &format!("/keys/{id}"), t.keys_imported_now(&name)),
            Err(ImportError::Archived) => errors.at("environment", t.keys_archived()),
            Err(ImportError::Known) => errors.at(at_value, t.keys_import_known()),
            Err(ImportError::LastDay) => errors.at("last_day", t.keys_last_day_wrong()),
            Err(ImportError::Malformed) => errors.at("sha256", t.keys_sha256_wrong()),
            Err(ImportError::NoOwner) => errors.at("owner", t.form_choose()),
            Err(ImportError::Ours) => errors.at("value", t.keys_import_ours()),
            Err(ImportError::Weak) => errors.at("value", t.keys_import_weak()),
            Err(ImportError::Terms(error)) => terms::note(t, &mut errors, &error),
            Err(ImportError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
        }
    }
    match Choices::of(&house, &op, Action::ImportKey).await {
        Ok(choices) => form(&shell, choices, params.text("project"), Draft::refused(posted.fields, errors)),
        Err(refused) => render::refused(&shell, refused),
    }
}

/// The key's name and all that is known of it.
fn read(t: Text, fields: &Fields, errors: &mut Errors, shell: &Shell) -> Option<(String, ImportKey)> {
    let place = fields.text("environment").parse::<EnvironmentId>().ok();
    if place.is_none() {
        errors.at("environment", t.form_choose());
    }
    let (value, digest) = (fields.text("value"), fields.text("sha256"));
    let value = match (value.is_empty(), digest.is_empty()) {
        (false, true) => Some(ImportedValue::Value(SecretString::new(value.to_owned()))),
        (true, false) => Some(ImportedValue::Sha256(digest.to_owned())),
        _ => {
            errors.at("value", t.keys_import_either());
            None
        }
    };
    let last_day = moments::read(fields.text("last_day"));
    if last_day.is_none() {
        errors.at("last_day", t.keys_date_wrong());
    }
    let terms = terms::read(t, fields, errors);
    let expires_at = terms::read_expiry(t, fields, errors, shell.now);
    let terms = terms?;
    let name = terms.name.to_string();
    let key = terms.into_key(Place::Environment(place?), expires_at.ok()?);
    Some((name, ImportKey { key, value: value?, last_day: last_day? }))
}

fn form(shell: &Shell, choices: Choices, project: &str, draft: Draft) -> Response {
    let t = shell.text;
    let first = choices.first(project);
    page(shell, t.keys_import()).of(&draft).show(move || {
        let crumbs = vec![crumb(t.keys(), "/keys")];
        if choices.spots.is_empty() {
            return view! {
                <PageHeader title=t.keys_import() crumbs=crumbs/>
                <EmptyState title=t.keys_nowhere() action=(t.projects(), "/projects")>{t.keys_nowhere_why()}</EmptyState>
            }
            .into_any();
        }
        let start = Start::default();
        view! {
            <PageHeader title=t.keys_import() lead=t.keys_import_lead() crumbs=crumbs/>
            <Form draft=draft submit=t.keys_import() cancel="/keys">
                <SelectField name="environment" label=t.keys_environment() required=true placeholder=t.choose() choices=choices.environments() value=first hint=t.keys_environment_hint()/>
                <FieldGroup label=t.keys_import_value()>
                    <TextField name="value" label=t.keys_value() kind=TextKind::Secret maxlength=512 hint=t.keys_import_value_hint()/>
                    <TextField name="sha256" label=t.keys_sha256() mono=true maxlength=64 hint=t.keys_sha256_hint()/>
                    <TextField name="last_day" label=t.keys_last_day() kind=TextKind::DateTime required=true hint=t.keys_last_day_hint()/>
                </FieldGroup>
                {fields::who(t, choices.owners(t), &start)}
                {fields::life(t)}
                {fields::limits(t, &start)}
            </Form>
        }
        .into_any()
    })
}
