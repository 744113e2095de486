//! The first page: what needs this person.

use axum::{Router, extract::State, response::Response, routing::get};
use keywarden_domain::{
    Action, Resource,
    overview::{Attention, KeyInBrief},
    projects::Count,
    workloads::Workload,
};
use leptos::prelude::*;

use crate::{
    cells,
    context::{Asking, House},
    pages::notices::NoticeList,
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{ButtonKind, Column, EmptyState, LinkButton, PageHeader, Panel, Table, Time, row},
};

pub(crate) fn routes() -> Router<House> {
    Router::new().route("/", get(home))
}

async fn home(State(house): State<House>, asking: Asking) -> Response {
    let Asking { shell, op } = asking.at(Section::Home);
    let loaded = async {
        let overview = house.domain.overview(&op).await?;
        let may_create = house.domain.would(&op, Action::CreateProject, &Resource::Organization).await?;
        let notices = house.domain.own_notices(&op).await?;
        Ok((overview, may_create, notices))
    };
    let (overview, may_create, notices) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    let t = shell.text;
    let has_projects = !shell.projects.is_empty();
    page(&shell, t.home()).show(move || {
        if !has_projects {
            let empty = if may_create {
                view! {
                    <EmptyState title=t.home_first() action=(t.projects_create(), "/projects/new")>{t.home_first_why()}</EmptyState>
                }
                .into_any()
            } else {
                view! { <EmptyState title=t.projects_none_yours()>{t.projects_none_yours_why()}</EmptyState> }.into_any()
            };
            return view! { <PageHeader title=t.home()/> <NoticeList notices=notices/> {empty} }.into_any();
        }
        let panels: Vec<_> = [
            keys(t, "expiring", (t.home_expiring(), t.keys_expires()), overview.keys_expiring, |key| view! { <Time at=key.expires_at/> }.into_any()),
            keys(t, "old-values", (t.home_old_values(), t.drain_last_old()), overview.old_values_used, |key| view! { <Time at=key.last_used_at/> }.into_any()),
            keys(t, "unowned", (t.home_unowned(), t.keys_last_used()), overview.keys_without_owner, |key| view! { <Time at=key.last_used_at/> }.into_any()),
            keys(t, "unused", (t.home_unused(), t.keys_last_used()), overview.keys_unused, |key| view! { <Time at=key.last_used_at/> }.into_any()),
            tokens(t, overview.tokens_expiring),
        ]
        .into_iter()
        .flatten()
        .collect();
        let calm = panels.is_empty().then(|| {
            view! {
                <EmptyState title=t.home_calm() action=(t.keys_issue(), "/keys/new")>{t.home_calm_why()}</EmptyState>
            }
        });
        let actions = view! { <LinkButton kind=ButtonKind::Primary label=t.keys_issue() href="/keys/new"/> };
        view! {
            <PageHeader title=t.home() lead=t.home_lead() actions=actions.into_any()/>
            <NoticeList notices=notices/>
            {calm}
            <div class="attention">{panels}</div>
        }
        .into_any()
    })
}

/// `12`, `1,000+`.
fn counted(t: Text, count: Count) -> String {
    format!("{}{}", t.number(count.counted), if count.more { "+" } else { "" })
}

fn all(path: &str, filter: &[(&str, &str)]) -> Option<String> {
    (!filter.is_empty()).then(|| {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(filter).finish();
        format!("{path}?{query}")
    })
}

fn keys(
    t: Text,
    id: &'static str,
    (title, when_heading): (&str, &str),
    attention: Attention<KeyInBrief>,
    when: impl Fn(&KeyInBrief) -> AnyView,
) -> Option<AnyView> {
    if attention.first.is_empty() {
        return None;
    }
    let rows = attention
        .first
        .iter()
        .map(|key| {
            let project = view! { <span translate="no">{key.project_slug.clone()}</span> };
            row(format!("/keys/{}", key.id), key.name.clone(), cells![project, when(key)])
        })
        .collect();
    let columns =
        vec![Column::text(t.keys_name()), Column::text(t.workloads_project()), Column::text(when_heading)];
    let aside =
        all("/keys", attention.filter).map(|href| view! { <LinkButton label=t.home_all() href=href/> });
    let title = format!("{title} ({})", counted(t, attention.count));
    Some(
        view! {
            <Panel id=id title=title.clone() aside=aside.into_any()>
                <Table caption=title columns=columns rows=rows/>
            </Panel>
        }
        .into_any(),
    )
}

fn tokens(t: Text, attention: Attention<Workload>) -> Option<AnyView> {
    if attention.first.is_empty() {
        return None;
    }
    let rows = attention
        .first
        .iter()
        .map(|it| {
            row(
                format!("/workloads/{}", it.id),
                it.name.clone(),
                cells![view! { <Time at=it.tokens_until/> }],
            )
        })
        .collect();
    let columns = vec![Column::text(t.workloads_name()), Column::text(t.workloads_token_until())];
    let aside =
        all("/workloads", attention.filter).map(|href| view! { <LinkButton label=t.home_all() href=href/> });
    let title = format!("{} ({})", t.home_tokens(), counted(t, attention.count));
    Some(
        view! {
            <Panel id="tokens" title=title.clone() aside=aside.into_any()>
                <Table caption=title columns=columns rows=rows/>
            </Panel>
        }
        .into_any(),
    )
}
