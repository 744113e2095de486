//! `/teams/new`.

use axum::{extract::State, response::Response};
use keywarden_domain::teams::{CreateTeamError, NewTeam};
use keywarden_model::{Name, Slug};
use leptos::prelude::*;

use super::{LIST, way};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Form, PageHeader, TextField},
};

pub(super) async fn new(asking: Asking) -> Response {
    form(&asking.at(Section::People).shell, Draft::default())
}

pub(super) async fn create(State(house): State<House>, asking: Asking, posted: Posted) -> Response {
    let Asking { shell, op } = asking.at(Section::People).once(&posted);
    let t = shell.text;
    let mut errors = Errors::new();
    let name = posted.fields.text("name").parse::<Name>();
    if let Err(error) = &name {
        errors.at("name", t.name_wrong(error));
    }
    let slug = posted.fields.text("slug").parse::<Slug>();
    if let Err(error) = &slug {
        errors.at("slug", t.slug_wrong(error));
    }
    if let (Ok(name), Ok(slug)) = (name, slug) {
        let (home, said) = (format!("{LIST}/{slug}"), t.teams_created(name.as_str()));
        match house.domain.create_team(&op, NewTeam { slug, name }).await {
            Ok(_) => return render::done(&shell, &home, said),
            Err(CreateTeamError::NameTaken) => errors.at("name", t.teams_name_taken()),
            Err(CreateTeamError::SlugTaken) => errors.at("slug", t.teams_slug_taken()),
            Err(CreateTeamError::Refused(refused)) => {
                return house.refused(&shell, &op, &posted, refused).await;
            }
        }
    }
    form(&shell, Draft::refused(posted.fields, errors))
}

fn form(shell: &Shell, draft: Draft) -> Response {
    let t = shell.text;
    page(shell, t.teams_new()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.teams_new() crumbs=way(t)/>
            <Form draft=draft submit=t.teams_new() cancel=LIST>
                <TextField name="name" label=t.teams_name() required=true maxlength=120/>
                <TextField name="slug" label=t.teams_slug() hint=t.teams_slug_hint() required=true maxlength=40 mono=true/>
            </Form>
        }
    })
}
