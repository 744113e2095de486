//! Effective permissions: who can do something to a thing, what somebody can do, what would be if, and why it was refused.

pub(super) mod asked;
mod choosers;
pub(super) mod explained;
mod export;
mod held;
mod picture;
mod refusal;
mod simulate;
mod who_can;

use axum::{Router, routing::get};
use keywarden_domain::{Action, Op, Refused, Resource};

use crate::{
    context::House,
    text::Text,
    ui::{Choice, Crumb, choice, crumb},
};

pub(crate) fn routes() -> Router<House> {
    Router::new()
        .route("/permissions", get(who_can::show))
        .route("/permissions.csv", get(export::csv))
        .route("/permissions/simulator", get(simulate::show))
        .route("/people/{id}/permissions", get(held::of_person))
        .route("/workloads/{id}/permissions", get(held::of_workload))
        .route("/decisions", get(refusal::find))
        .route("/decisions/{id}", get(refusal::show))
}

pub(super) const WHO_CAN: &str = "/permissions";
pub(super) const SIMULATOR: &str = "/permissions/simulator";
const DECISIONS: &str = "/decisions";

/// The way to who can do something to a thing, for those who may look: a button on the thing's own page.
pub(super) async fn way_for(house: &House, op: &Op, resource: &Resource) -> Result<Option<String>, Refused> {
    let may = house.domain.may_explain(op, resource).await?;
    Ok(may.then(|| format!("{WHO_CAN}?resource={}", resource.name().1)))
}

/// The way to what a person or workload can do, for those who may look.
pub(super) async fn way_of(
    house: &House,
    op: &Op,
    resource: &Resource,
    home: &str,
) -> Result<Option<String>, Refused> {
    Ok(house.domain.may_explain(op, resource).await?.then(|| format!("{home}/permissions")))
}

fn way(t: Text) -> Vec<Crumb> {
    vec![crumb(t.people(), "/people"), crumb(t.permissions(), WHO_CAN)]
}

/// Actions by their names, all or those that are done to this.
fn actions(of: Option<&Resource>) -> Vec<Choice> {
    let fit = Action::ALL.iter().filter(|action| of.is_none_or(|it| action.applies_to(it)));
    let mut names: Vec<_> = fit.map(|action| action.name()).collect();
    names.sort_unstable();
    names.into_iter().map(|name| choice(name, name).named()).collect()
}

/// What people ask of such a thing first.
fn usual(resource: &Resource) -> Action {
    match resource {
        Resource::ApiKey { .. } => Action::RotateKey,
        Resource::Environment { .. } => Action::IssueKey,
        Resource::Organization => Action::CreateProject,
        Resource::Person(_) => Action::DeactivateUser,
        Resource::Project(_) => Action::ViewProject,
        Resource::Secret { .. } => Action::ReadSecret,
        Resource::Team(_) => Action::EditTeam,
        Resource::Workload { .. } => Action::IssueServiceToken,
    }
}
