//! Paths, policies and things, as pages show them.

use keywarden_domain::{
    Resource,
    authz::{CameTo, Considered, Part},
    permissions::{Enough, Missing, Path, Thing, WrittenPolicies},
};
use leptos::prelude::*;

use crate::{
    cells,
    text::Text,
    ui::{Badge, Column, Row, Table, Tone},
};

/// A way to a yes in words; by the names of policies where people wrote what gives it.
pub(super) fn path(t: Text, path: &Path, written: &WrittenPolicies) -> String {
    let by = by(t, path, written);
    let names: Vec<_> = path.policies.iter().filter_map(|it| Some(written.get(it)?.name.as_str())).collect();
    if names.is_empty() || path.part == Part::Itself {
        return by;
    }
    t.permissions_path_policy(&by, &names.join("; "))
}

fn by(t: Text, path: &Path, written: &WrittenPolicies) -> String {
    let by = match path.part {
        Part::OrganizationRole(role) => t.permissions_path_role(role, false),
        Part::ProjectRole(role) => t.permissions_path_role(role, true),
        Part::Team(_) => {
            let team = path.team.as_ref().map(|(_, name)| name.as_str()).unwrap_or_default();
            return t.permissions_path_team(team);
        }
        Part::Together => t.permissions_path_together().to_owned(),
        Part::Itself => return policies(t, &path.policies, written),
    };
    match &path.team {
        Some((_, team)) => t.permissions_path_by_team(&by, team),
        None => by,
    }
}

/// Policies in words, or by the names that people gave them.
pub(super) fn policies(t: Text, ids: &[String], written: &WrittenPolicies) -> String {
    let name = |id: &String| match (t.policy(id), written.get(id)) {
        (Some(words), _) => words.to_owned(),
        (None, Some(it)) => t.permissions_written(&it.name),
        (None, None) => id.clone(),
    };
    ids.iter().map(name).collect::<Vec<_>>().join("; ")
}

/// A policy by its name, with the way to it for those who may see it.
fn policy(t: Text, id: &str, written: &WrittenPolicies) -> AnyView {
    match (t.policy(id), written.get(id)) {
        (Some(words), _) => view! { {words}" "<code translate="no">{id.to_owned()}</code> }.into_any(),
        (None, Some(it)) => {
            let (name, version) = (it.name.clone(), t.policies_version(it.version));
            let name = if it.viewable {
                let there = format!("/policies/{}?version={}", it.policy, it.version);
                view! { <a href=there translate="no">{name}</a> }.into_any()
            } else {
                view! { <span translate="no">{name}</span> }.into_any()
            };
            view! { {name}" · "{version} }.into_any()
        }
        (None, None) => view! { <code translate="no">{id.to_owned()}</code> }.into_any(),
    }
}

/// What a thing is called.
pub(super) fn name(t: Text, thing: &Thing) -> String {
    match thing.resource {
        Resource::Organization => t.permissions_organization().to_owned(),
        _ => thing.name.clone(),
    }
}

/// A thing by its name, with the way to it and where it lies.
pub(in crate::pages) fn thing(t: Text, thing: &Thing) -> AnyView {
    let id = thing.id();
    let href = match thing.resource {
        Resource::Organization => return t.permissions_organization().into_any(),
        Resource::ApiKey { .. } => format!("/keys/{id}"),
        Resource::Environment { project, .. } => format!("/projects/{project}/environments/{id}"),
        Resource::Person(_) => format!("/people/{id}"),
        Resource::Project(_) => format!("/projects/{id}"),
        Resource::Secret { .. } => format!("/secrets/{id}"),
        Resource::Team(_) => format!("/teams/{id}"),
        Resource::Workload { .. } => format!("/workloads/{id}"),
    };
    let project = thing.project.as_ref().filter(|_| !matches!(thing.resource, Resource::Project(_)));
    let place = project.map(|(id, name)| {
        view! { " · " <a href=format!("/projects/{id}") translate="no">{name.clone()}</a> }
    });
    view! { <a href=href translate="no">{thing.name.clone()}</a>{place} }.into_any()
}

/// The smallest role that would do.
pub(super) fn enough(t: Text, enough: Option<&Enough>, active: bool) -> String {
    match enough {
        None if active => t.permissions_enough_none().to_owned(),
        None => t.permissions_enough_inactive().to_owned(),
        Some(Enough { role, project: None }) => t.permissions_enough_organization(t.role(*role)),
        Some(Enough { role, project: Some((_, name)) }) => t.permissions_enough_project(t.role(*role), name),
    }
}

/// Every policy that speaks of a question, and what it came to.
pub(super) fn considered(t: Text, all: Vec<Considered>, written: &WrittenPolicies) -> AnyView {
    let columns = vec![
        Column::text(t.permissions_rule()),
        Column::text(t.permissions_effect()),
        Column::text(t.permissions_came_to()),
    ];
    let rows = all
        .into_iter()
        .map(|it| {
            let effect = if it.forbids {
                view! { <Badge label=t.permissions_forbids() tone=Tone::Bad/> }
            } else {
                view! { <Badge label=t.permissions_permits()/> }
            };
            let came_to = match it.came_to {
                CameTo::Applies => {
                    view! { <Badge label=t.permissions_applies() tone=Tone::Good/> }.into_any()
                }
                CameTo::AnotherPrincipal => t.permissions_another_principal().into_any(),
                CameTo::Failed => t.permissions_failed().into_any(),
                CameTo::OverOwner => t.permissions_over_owner().into_any(),
                CameTo::Conditions(clauses) => {
                    let clauses =
                        clauses.into_iter().map(|it| view! { <li><code translate="no">{it}</code></li> });
                    view! {
                        {t.permissions_conditions()}
                        <ul class="conditions">{clauses.collect_view()}</ul>
                    }
                    .into_any()
                }
            };
            let name = policy(t, &it.policy, written);
            let came_to = view! { {came_to} {missing(t, &it.missing)} };
            Row::plain(name, cells![effect, came_to])
        })
        .collect();
    view! { <Table caption=t.permissions_considered() columns=columns rows=rows/> }.into_any()
}

/// What conditions ask for and is not there.
fn missing(t: Text, missing: &[Missing]) -> Option<AnyView> {
    let items = missing.iter().map(|it| view! { <li>{t.permissions_missing_thing(it)}</li> }).collect_view();
    let some = view! { <p>{t.permissions_missing()}</p> <ul class="conditions">{items}</ul> };
    (!missing.is_empty()).then(|| some.into_any())
}
