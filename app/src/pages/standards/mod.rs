//! Standards: the list, a standard with what breaks it, the form, and the steps of a version.

mod edit;
mod end;
mod form;
pub(in crate::pages) mod held;
mod list;
mod new;
mod show;
mod steps;

use axum::{Router, routing::get};
use keywarden_domain::{
    Domain, Op, Refused,
    authz::PolicyScope,
    standards::{ShownStandard, Standard, StandardVersion},
};
use keywarden_model::{PolicyState, StandardId};
use leptos::prelude::*;

use crate::{
    context::House,
    pages::policies::names::{Names, Place},
    text::Text,
    ui::{Crumb, Tone, crumb},
};

pub(crate) fn routes() -> Router<House> {
    Router::new()
        .route("/standards", get(list::show))
        .route("/standards/new", get(new::form).post(new::create))
        .route("/standards/{id}", get(show::show))
        .route("/standards/{id}/edit", get(edit::form).post(edit::save))
        .route("/standards/{id}/end", get(end::before).post(end::end))
        .route("/standards/{id}/versions/{number}/{step}", get(steps::before).post(steps::take))
}

const LIST: &str = "/standards";

/// A standard's page.
fn path(standard: &Standard) -> String {
    format!("{LIST}/{}", standard.id)
}

fn way(t: Text) -> Vec<Crumb> {
    vec![crumb(t.standards(), LIST)]
}

fn way_to(t: Text, standard: &Standard) -> Vec<Crumb> {
    let mut way = way(t);
    way.push(crumb(standard.name.clone(), path(standard)));
    way
}

async fn load(domain: &Domain, op: &Op, id: &str) -> Result<ShownStandard, Refused> {
    let id: StandardId = id.parse().map_err(|_| Refused::NotFound)?;
    domain.standard(op, id).await
}

/// A standard and one of its versions.
async fn version_of(
    domain: &Domain,
    op: &Op,
    id: &str,
    number: &str,
) -> Result<(ShownStandard, StandardVersion), Refused> {
    let shown = load(domain, op, id).await?;
    let number: i64 = number.parse().map_err(|_| Refused::NotFound)?;
    let version = shown.versions.iter().find(|it| it.number == number).cloned();
    Ok((shown, version.ok_or(Refused::NotFound)?))
}

/// Where a standard holds, by its name.
async fn place(domain: &Domain, op: &Op, scope: PolicyScope) -> Result<Place, Refused> {
    match scope {
        PolicyScope::Organization => Ok(Place::Organization),
        PolicyScope::Project(id) => {
            let project = domain.project(op, &id.to_string()).await?;
            Ok(Place::Project { id, name: project.name })
        }
    }
}

fn tone(state: PolicyState) -> Tone {
    match state {
        PolicyState::Active => Tone::Good,
        PolicyState::Draft => Tone::Info,
        PolicyState::InReview | PolicyState::Scheduled => Tone::Warn,
        PolicyState::Superseded | PolicyState::Withdrawn => Tone::Neutral,
    }
}

/// Who did something: a person by name, where it is known.
fn actor(t: Text, names: &Names, id: &str) -> AnyView {
    if !id.starts_with("usr_") {
        return view! { <code translate="no">{id.to_owned()}</code> }.into_any();
    }
    let (name, there) = (names.named(t, "Person", id), format!("/people/{id}"));
    view! { <a href=there translate="no">{name}</a> }.into_any()
}
