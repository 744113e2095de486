use axum::{extract::State, response::Response};
use keywarden_domain::{
    Action,
    keys::{IssueError, Place},
};
use keywarden_model::EnvironmentId;
use leptos::prelude::*;

use super::{
    choices::Choices,
    fields::{self, Start},
    shown_once::{Made, shown_once},
    terms,
};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors, Params},
    render::{self, page},
    shell::{Section, Shell},
    ui::{EmptyState, Form, PageHeader, SelectField, crumb},
};

pub(super) async fn new(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking.at(Section::Keys);
    match Choices::of(&house, &op, Action::IssueKey).await {
        Ok(choices) => form(&shell, choices, params.text("project"), Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn issue(
    State(house): State<House>,
    asking: Asking,
    params: Params,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Keys).once(&posted);
    let t = shell.text;
    let mut errors = Errors::new();
    let place = posted.fields.text("environment").parse::<EnvironmentId>().ok();
    if place.is_none() {
        errors.at("environment", t.form_choose());
    }
    let terms = terms::read(t, &posted.fields, &mut errors);
    let expires_at = terms::read_expiry(t, &posted.fields, &mut errors, shell.now);
    if let (Some(place), Some(terms), Ok(expires_at)) = (place, terms, expires_at) {
        let name = terms.name.to_string();
        match house.domain.issue_key(&op, terms.into_key(Place::Environment(place), expires_at)).await {
            Ok(issued) => {
                let made = Made { id: issued.id, name, value: &issued.value, title: t.keys_issued() };
                return shown_once(&shell, &house.domain.settings().origin, made);
            }
            Err(IssueError::Archived) => errors.at("environment", t.keys_archived()),
            Err(IssueError::NoOwner) => errors.at("owner", t.form_choose()),
            Err(IssueError::Terms(error)) => terms::note(t, &mut errors, &error),
            Err(IssueError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
        }
    }
    match Choices::of(&house, &op, Action::IssueKey).await {
        Ok(choices) => form(&shell, choices, params.text("project"), Draft::refused(posted.fields, errors)),
        Err(refused) => render::refused(&shell, refused),
    }
}

fn form(shell: &Shell, choices: Choices, project: &str, draft: Draft) -> Response {
    let t = shell.text;
    let first = choices.first(project);
    page(shell, t.keys_issue()).of(&draft).show(move || {
        let crumbs = vec![crumb(t.keys(), "/keys")];
        if choices.spots.is_empty() {
            return view! {
                <PageHeader title=t.keys_issue() crumbs=crumbs/>
                <EmptyState title=t.keys_nowhere() action=(t.projects(), "/projects")>{t.keys_nowhere_why()}</EmptyState>
            }
            .into_any();
        }
        let start = Start::default();
        view! {
            <PageHeader title=t.keys_issue() lead=t.keys_issue_lead() crumbs=crumbs/>
            <Form draft=draft submit=t.keys_issue() cancel="/keys">
                <SelectField name="environment" label=t.keys_environment() required=true placeholder=t.choose() choices=choices.environments() value=first hint=t.keys_environment_hint()/>
                {fields::who(t, choices.owners(t), &start)}
                {fields::life(t)}
                {fields::limits(t, &start)}
            </Form>
        }
        .into_any()
    })
}
