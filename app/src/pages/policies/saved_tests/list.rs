//! `GET /policies/tests?project=…`: the tests of a place, and how they come out now.

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, Op, Refused, authz::PolicyScope, permissions::Under};
use leptos::prelude::*;

use super::super::way;
use crate::{
    context::{Asking, House},
    form::Params,
    pages::permissions::SIMULATOR,
    render::{self, page},
    shell::Section,
    ui::{EmptyState, FilterSelect, LinkButton, PageHeader, choice},
};

pub(in crate::pages::policies) async fn show(
    State(house): State<House>,
    asking: Asking,
    params: Params,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies);
    let loaded = async {
        let (scope, slug) = scope(&house.domain, &op, &params).await?;
        Ok((house.domain.run_policy_tests(&op, scope, Under::InForce).await?, slug))
    };
    let (ran, chosen) = match loaded.await {
        Ok(ran) => ran,
        Err(refused) => return render::refused(&shell, refused),
    };
    let t = shell.text;
    let projects: Vec<_> =
        shell.projects.iter().map(|it| choice(it.slug.clone(), it.name.clone()).named()).collect();
    page(&shell, t.policies_tests()).show(move || {
        let empty = view! {
            <EmptyState title=t.policies_tests_none() action=(t.permissions_simulate(), SIMULATOR)>{t.policies_tests_none_why()}</EmptyState>
        };
        let failing = ran.iter().filter(|it| !it.passes()).count() as u64;
        let said = format!("{}, {}", t.policies_tests_all(ran.len() as u64), t.policies_tests_failing(failing));
        let said = (!ran.is_empty()).then(|| view! { <p>{said}</p> });
        let ask = view! { <LinkButton label=t.permissions_simulate() href=SIMULATOR/> };
        view! {
            <PageHeader title=t.policies_tests() lead=t.policies_tests_lead() crumbs=way(t) actions=ask.into_any()/>
            <form method="get" action=super::TESTS class="filter-form">
                <FilterSelect name="project" label=t.policies_where() chosen=chosen any=t.policies_everywhere() choices=projects/>
                <button type="submit" class="button">{t.ui_filter()}</button>
            </form>
            {said}
            {super::table(t, ran, Some(empty.into_any()))}
        }
    })
}

/// Whose tests are listed, and the project's slug: the address says so.
async fn scope(domain: &Domain, op: &Op, params: &Params) -> Result<(PolicyScope, String), Refused> {
    match params.text("project") {
        "" => Ok((PolicyScope::Organization, String::new())),
        project => {
            let project = domain.project(op, project).await?;
            Ok((PolicyScope::Project(project.id), project.slug))
        }
    }
}
