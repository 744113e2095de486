//! `GET /policies?q=…&project=…&state=…&after=…`.

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Action, Resource,
    authz::PolicyScope,
    policy::{ListedPolicy, PolicyQuery, ReviewRule},
    projects::Project,
};
use keywarden_model::PolicyState;
use leptos::prelude::*;

use super::{LIST, path, tone};
use crate::{
    cells,
    context::{Asking, House},
    form::Params,
    pages::listing::href,
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{
        Badge, ButtonKind, Column, EmptyState, FilterBar, FilterChip, FilterSelect, LinkButton, PageHeader,
        Pager, Row, Table, Time, choice, row,
    },
};

const PAGE: u32 = 50;
/// Projects whose names are shown.
const PROJECTS: u32 = 200;
/// What a policy can be looked for by: where one of its versions is.
const STATES: [PolicyState; 4] =
    [PolicyState::Active, PolicyState::Draft, PolicyState::InReview, PolicyState::Scheduled];

pub(super) async fn show(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Policies);
    let loaded = async {
        let scope = match params.text("project") {
            "" => None,
            slug => Some(PolicyScope::Project(house.domain.project(&op, slug).await?.id)),
        };
        let query = PolicyQuery {
            scope,
            state: params.read("state"),
            search: params.some("q"),
            after: params.read("after"),
            limit: PAGE,
        };
        let home = match scope {
            Some(PolicyScope::Project(project)) => Resource::Project(project),
            _ => Resource::Organization,
        };
        let may_write = house.domain.would(&op, Action::DraftPolicy, &home).await?;
        let may_see_all = house.domain.would(&op, Action::ViewPolicy, &Resource::Organization).await?;
        let review = if may_see_all { Some(house.domain.policy_review(&op).await?) } else { None };
        let may_test = may_see_all || house.domain.sees_policies(&op).await?;
        let projects = house.domain.projects_in_sight(&op, PROJECTS).await?;
        let may = (may_write, may_see_all, may_test);
        Ok((house.domain.policies(&op, &query).await?, may, review, projects))
    };
    let (found, (may_write, may_see_all, may_test), review, names) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    let slug = params.text("project").to_owned();
    shell.project = shell.projects.iter().find(|it| it.slug == slug).cloned();
    let t = shell.text;
    let projects: Vec<_> =
        shell.projects.iter().map(|it| choice(it.slug.clone(), it.name.clone()).named()).collect();
    page(&shell, t.policies()).show(move || {
        let filters = ["q", "state", "project"];
        let new = href("/policies/new", &[("project", params.text("project"))]);
        let state = params.read::<PolicyState>("state");
        let said = |name: &str| match name {
            "project" => format!("{}: {}", t.policies_where(), params.text(name)),
            "state" => format!("{}: {}", t.policies_state(), state.map(|it| t.policy_state(it)).unwrap_or_default()),
            _ => format!("{}: {}", t.keys_search_chip(), params.text(name)),
        };
        let chips: Vec<_> = filters
            .into_iter()
            .filter(|name| !params.text(name).is_empty())
            .map(|name| FilterChip { label: said(name), remove: params.without(LIST, name) })
            .collect();
        let columns = vec![
            Column::text(t.policies_name()),
            Column::text(t.policies_effect_column()),
            Column::text(t.policies_state()),
            Column::text(t.policies_where()),
            Column::minor(t.policies_when_written()),
        ];
        let rows: Vec<Row> = found.policies.into_iter().map(|it| line(t, it, &names)).collect();
        let begun = params.any(&filters) || !rows.is_empty();
        let empty = if params.any(&filters) {
            view! { <EmptyState title=t.policies_none_found() action=(t.list_clear(), LIST)>{t.policies_none_found_why()}</EmptyState> }.into_any()
        } else if may_write && may_see_all {
            view! { <EmptyState title=t.policies_none() action=(t.policies_new(), new.clone()) cli="keywarden policy apply policies">{t.policies_none_why()}</EmptyState> }.into_any()
        } else if may_see_all {
            view! { <EmptyState title=t.policies_none()>{t.policies_none_why()}</EmptyState> }.into_any()
        } else {
            view! { <EmptyState title=t.policies_none_seen()>{t.policies_none_seen_why()}</EmptyState> }.into_any()
        };
        let pager = Pager {
            shown: String::new(),
            first: params.any(&["after"]).then(|| params.first(LIST)),
            next: found.next.map(|place| params.after(LIST, &place.to_string())),
        };
        let make = (may_write && begun)
            .then(|| view! { <LinkButton kind=ButtonKind::Primary label=t.policies_new() href=new/> });
        let rule = review.map(|rule| {
            let label = match rule {
                ReviewRule::Ending => t.policies_review_ending(),
                ReviewRule::Off => t.policies_review_off(),
                ReviewRule::On => t.policies_review_on(),
            };
            view! { <p class="policy-rule">{label} " " <a href="/policies/review">{t.policies_review_change()}</a></p> }
        });
        let states = Vec::from(STATES.map(|it| choice(it.as_str(), t.policy_state(it))));
        let tests = href("/policies/tests", &[("project", params.text("project"))]);
        let beside = may_test.then(|| {
            view! {
                <LinkButton label=t.policies_tests() href=tests/>
                <LinkButton label=t.standards_see() href="/standards"/>
            }
        });
        let buttons = view! { {beside} {make} };
        view! {
            <PageHeader title=t.policies() lead=t.policies_lead() actions=buttons.into_any()/>
            {rule}
            {begun.then(|| view! {
                <FilterBar action=LIST search=params.text("q").to_owned() search_label=t.policies_search() chips=chips>
                    <FilterSelect name="project" label=t.policies_where() chosen=params.text("project").to_owned() choices=projects/>
                    <FilterSelect name="state" label=t.policies_state() chosen=params.text("state").to_owned() choices=states/>
                </FilterBar>
            })}
            <Table caption=t.policies() columns=columns rows=rows pager=pager empty=empty/>
        }
    })
}

fn line(t: Text, listed: ListedPolicy, projects: &[Project]) -> Row {
    let ListedPolicy { policy, active, newest: (state, effect) } = listed;
    let does = active.map_or(effect, |(_, effect)| effect);
    let newer = active.is_none_or(|(number, _)| number != policy.newest);
    let deciding = active.is_some().then(
        || view! { <Badge label=t.policy_state(PolicyState::Active) tone=tone(PolicyState::Active)/> " " },
    );
    let newest = newer.then(|| view! { <Badge label=t.policy_state(state) tone=tone(state)/> });
    let home = match policy.scope {
        PolicyScope::Organization => t.policies_everywhere().into_any(),
        PolicyScope::Project(id) => {
            let name =
                projects.iter().find(|it| it.id == id).map_or_else(|| id.to_string(), |it| it.name.clone());
            view! { <span translate="no">{name}</span> }.into_any()
        }
    };
    let cells = cells![
        t.policy_effect(does),
        view! { {deciding}{newest} },
        home,
        view! { <Time at=policy.created_at/> },
    ];
    row(path(&policy), policy.name.clone(), cells)
}
