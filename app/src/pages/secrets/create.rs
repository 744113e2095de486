use axum::{extract::State, response::Response};
use keywarden_domain::{
    Action, Op, Refused,
    keys::Place,
    secrets::{Expected, PutError, PutSecret},
};
use keywarden_model::EnvironmentId;
use leptos::prelude::*;

use super::{around, fields, filter::PATH, reasons, validity, value};
use crate::{
    context::{Asking, House, PostedValue},
    form::{Draft, Errors, Params},
    pages::keys::{Spot, spots},
    pages::standards::held as standards,
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Choice, EmptyState, Form, PageHeader, SelectField, TextField, choice, crumb},
};

pub(super) async fn new(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking.at(Section::Secrets);
    match load(&house, &op, shell.text).await {
        Ok(choices) => form(&shell, choices, &params, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

/// Where a secret may be made, whose it may be, and how long its value.
struct Choices {
    spots: Vec<Spot>,
    owners: Vec<Choice>,
    longest: usize,
}

async fn load(house: &House, op: &Op, t: Text) -> Result<Choices, Refused> {
    Ok(Choices {
        spots: spots(house, op, Action::CreateSecret).await?,
        owners: fields::owners(house, op, t, None).await?,
        longest: house.domain.settings().max_value,
    })
}

pub(super) async fn create(
    State(house): State<House>,
    asking: Asking,
    params: Params,
    PostedValue(posted): PostedValue,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Secrets).once(&posted);
    let t = shell.text;
    let mut errors = Errors::new();
    let place = posted.fields.text("environment").parse::<EnvironmentId>().ok();
    if place.is_none() {
        errors.at("environment", t.form_choose());
    }
    let path = fields::read_path(t, &posted.fields, &mut errors);
    let attributes = fields::read_attributes(t, &posted.fields, &mut errors);
    let fits = reasons::fits(t, &posted.fields, &mut errors);
    let attributes = attributes.filter(|_| fits);
    let value = value::read(t, &house.domain, &posted.fields, &mut errors);
    let validity = validity::read(t, &posted.fields, &mut errors);
    if let (Some(place), Some(path), Some(attributes), Some(value), Some(validity)) =
        (place, path, attributes, value, validity)
    {
        let about = attributes.into_about();
        let put = PutSecret { value, label: None, expected: Some(Expected::Nothing), validity, about };
        match house.domain.put_secret(&op, &Place::Environment(place), &path, put).await {
            Ok(made) => {
                let page = format!("/secrets/{}", made.id);
                return render::done(&shell, &page, shell.text.secrets_created(path.as_str()));
            }
            Err(PutError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
            Err(error) => note(t, &mut errors, &error),
        }
    }
    value::again(t, &posted.fields, &mut errors);
    match load(&house, &op, t).await {
        Ok(choices) => form(&shell, choices, &params, Draft::refused(posted.fields, errors)),
        Err(refused) => render::refused(&shell, refused),
    }
}

fn note(t: Text, errors: &mut Errors, error: &PutError) {
    match error {
        PutError::Archived => errors.at("environment", t.keys_archived()),
        PutError::Deleted => errors.at("path", t.secrets_path_deleted()),
        PutError::Stale => errors.at("path", t.secrets_path_taken()),
        PutError::TooLong(wrong) => errors.at("value", value::said(t, *wrong)),
        PutError::Twin => errors.at("path", t.secrets_path_twin()),
        PutError::KeyExhausted => errors.whole(t.secrets_key_exhausted()),
        PutError::Lapsed => errors.at("expires_at", t.keys_expires_past()),
        PutError::Standard(breach) => standards::note(t, errors, breach),
        PutError::NoOwner | PutError::OwnerUnknown => errors.at("owner", t.keys_owner_unknown()),
        // None of them comes of a first version that is `current`.
        PutError::About | PutError::Previous | PutError::TooManyLabels | PutError::Refused(_) => {
            errors.whole(t.form_refused_whole());
        }
    }
}

fn form(shell: &Shell, choices: Choices, params: &Params, draft: Draft) -> Response {
    let t = shell.text;
    let Choices { spots, owners, longest } = choices;
    let (project, environment) = (params.text("project"), params.text("environment"));
    let fits = |it: &&Spot| {
        (project.is_empty() || it.project == project)
            && (environment.is_empty() || it.environment == environment)
    };
    // The one of the address, or the only one there is.
    let first = match (spots.iter().find(fits), spots.iter().filter(fits).count()) {
        (Some(spot), 1) => spot.id.clone(),
        _ => String::new(),
    };
    let folder = params.some("folder").map(|folder| format!("{folder}/"));
    let path = params.some("path").or(folder).unwrap_or_default();
    let (crumbs, cancel) = if project.is_empty() || environment.is_empty() {
        (vec![crumb(t.secrets(), PATH)], PATH.to_owned())
    } else {
        let folder = params.text("folder");
        let here = around::folder_path(project, environment, folder);
        (around::crumbs_to(t, project, environment, folder), here)
    };
    page(shell, t.secrets_create()).of(&draft).show(move || {
        if spots.is_empty() {
            return view! {
                <PageHeader title=t.secrets_create() crumbs=crumbs/>
                <EmptyState title=t.keys_nowhere() action=(t.projects(), "/projects")>{t.secrets_nowhere_why()}</EmptyState>
            }
            .into_any();
        }
        let places = spots.into_iter().map(|it| choice(it.id, it.name).named()).collect();
        view! {
            <PageHeader title=t.secrets_create() lead=t.secrets_create_lead() crumbs=crumbs/>
            <Form draft=draft submit=t.secrets_create() cancel=cancel>
                <SelectField name="environment" label=t.keys_environment() required=true placeholder=t.choose() choices=places value=first/>
                <TextField name="path" label=t.secrets_path() required=true mono=true maxlength=512 value=path hint=t.secrets_path_hint()/>
                {value::fields(t, value::Start::default(), longest)}
                {validity::fields(t)}
                {fields::attributes(t, None, owners)}
                {reasons::why(t)}
            </Form>
        }
        .into_any()
    })
}
