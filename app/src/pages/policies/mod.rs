//! Policies: the list, a policy and its versions, the editor, and the steps of a version.

mod compare;
mod diff;
pub(crate) mod difference;
mod disable;
mod edit;
mod editor;
mod list;
pub(in crate::pages) mod names;
mod new;
mod proof;
mod replay;
mod review;
mod saved_tests;
mod sentence;
mod show;
mod steps;
mod templates;

use axum::{Router, routing::get};
use keywarden_domain::{
    Domain, Op, Refused,
    authz::PolicyScope,
    policy::{Policy, PolicyVersion, ShownPolicy},
};
use keywarden_model::{PolicyId, PolicyState};

pub(super) use names::{Names, Place};

use crate::{
    context::House,
    text::Text,
    ui::{Crumb, Tone, crumb},
};

pub(crate) fn routes() -> Router<House> {
    Router::new()
        .route("/policies", get(list::show))
        .route("/policies/new", get(new::form).post(new::create))
        .route("/policies/review", get(review::form).post(review::require))
        .route("/policies/tests", get(saved_tests::list::show))
        .route(SAVE_TEST, get(saved_tests::new::form).post(saved_tests::new::save))
        .route(
            "/policies/tests/{id}/delete",
            get(saved_tests::delete::before).post(saved_tests::delete::delete),
        )
        .route("/policies/{id}", get(show::show))
        .route("/policies/{id}/edit", get(edit::form).post(edit::save))
        .route("/policies/{id}/compare", get(compare::show))
        .route("/policies/{id}/difference", get(difference::disabling))
        .route("/policies/{id}/disable", get(disable::before).post(disable::disable))
        .route("/policies/{id}/replay", get(replay::disabling))
        .route("/policies/{id}/versions/{number}/difference", get(difference::version))
        .route("/policies/{id}/versions/{number}/replay", get(replay::version))
        .route("/policies/{id}/versions/{number}/{step}", get(steps::before).post(steps::take))
}

const LIST: &str = "/policies";
const TESTS: &str = "/policies/tests";
/// Where a simulation is saved as a test; its question stands in the address.
pub(super) const SAVE_TEST: &str = "/policies/tests/new";

/// A policy's page.
fn path(policy: &Policy) -> String {
    format!("{LIST}/{}", policy.id)
}

fn way(t: Text) -> Vec<Crumb> {
    vec![crumb(t.policies(), LIST)]
}

fn way_to(t: Text, policy: &Policy) -> Vec<Crumb> {
    let mut way = way(t);
    way.push(crumb(policy.name.clone(), path(policy)));
    way
}

async fn load(domain: &Domain, op: &Op, id: &str) -> Result<ShownPolicy, Refused> {
    let id: PolicyId = id.parse().map_err(|_| Refused::NotFound)?;
    domain.policy(op, id).await
}

/// A policy and one of its versions.
async fn version_of(
    domain: &Domain,
    op: &Op,
    id: &str,
    number: &str,
) -> Result<(ShownPolicy, PolicyVersion), Refused> {
    let shown = load(domain, op, id).await?;
    let number: i64 = number.parse().map_err(|_| Refused::NotFound)?;
    let version = shown.versions.iter().find(|it| it.number == number).cloned();
    Ok((shown, version.ok_or(Refused::NotFound)?))
}

/// Where a policy holds, by its name.
async fn place(domain: &Domain, op: &Op, policy: &Policy) -> Result<Place, Refused> {
    match policy.scope {
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
