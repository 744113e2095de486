use axum::{
    extract::{Path, State},
    response::Response,
};
use chrono::TimeDelta;
use keywarden_domain::{
    Action, Refused, Resource,
    audit::{Page, Query},
    keys::{DrainBoard, KeyView, Step, UsagePoint},
};
use keywarden_model::time::earlier;
use leptos::prelude::*;

use super::{around, audit, drain, overview};
use crate::{
    context::{Asking, House},
    form::Params,
    pages::{permissions, standards::held as standards},
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{Badge, ButtonKind, KeyStateBadge, LinkButton, PageHeader, Tabs, Tone, tab},
};

/// Days of the chart, today's included.
const DAYS: i64 = 30;
const EVENTS: u32 = 50;

/// What the chosen tab shows.
enum Shown {
    Audit(Page),
    Drain(DrainBoard),
    Overview(Vec<UsagePoint>),
}

pub(super) async fn show(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    params: Params,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Keys);
    let loaded = async {
        let view = around::load(&house, &op, &id).await?;
        let id = view.key.id;
        // Owners see their keys; what was done in a project is its roles' to read.
        let may_audit =
            house.domain.would(&op, Action::ReadAudit, &Resource::Project(view.key.project)).await?;
        let shown = match params.text("tab") {
            "audit" if may_audit => {
                let before = params.some("after").map(|text| text.parse().map_err(|_| Refused::NotFound));
                let query = Query {
                    resource: Some(id.to_string()),
                    before: before.transpose()?,
                    limit: EVENTS,
                    ..Query::default()
                };
                Shown::Audit(house.domain.events(&op, &query).await?)
            }
            "drain" => Shown::Drain(house.domain.drain_board(&op, id).await?),
            _ => {
                let from = earlier(op.now, TimeDelta::days(DAYS - 1));
                Shown::Overview(house.domain.key_usage(&op, id, from, op.now, Step::Day).await?)
            }
        };
        let who = permissions::way_for(&house, &op, &view.key.resource()).await?;
        let since = view.values.first().map_or(view.key.created_at, |newest| newest.created_at);
        let breaches = house.domain.breaches_of_key(&op, &view.key, since).await?;
        Ok((view, may_audit, who, shown, breaches))
    };
    let (view, may_audit, who, shown, breaches) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    around::place(&mut shell, &view.key.project_slug);
    let t = shell.text;
    page(&shell, view.key.name.to_string()).show(move || {
        let tabs = tabs(t, &view, &shown, may_audit);
        let body = match shown {
            Shown::Audit(found) => audit::view(t, &view.key, &params, found),
            Shown::Drain(board) => drain::view(t, &view, &board),
            Shown::Overview(usage) => overview::view(t, &view, &usage),
        };
        view! {
            {header(t, &view, who)}
            {standards::banner(t, &breaches)}
            <Tabs tabs=tabs/>
            {body}
        }
    })
}

fn header(t: Text, view: &KeyView, who: Option<String>) -> AnyView {
    let KeyView { key, state, values, may } = view;
    let path = around::path(key);
    let draining = around::draining(values) > 0;
    let badges = view! {
        <KeyStateBadge state=*state/>
        <Badge label=format!("{} / {}", key.project_slug, key.environment_slug) named=true/>
        {draining.then(|| view! { <Badge label=t.keys_draining() tone=Tone::Info/> })}
        {key.imported.then(|| view! { <Badge label=t.keys_imported()/> })}
    };
    let link = |may: bool, label: &'static str, verb: &str| {
        may.then(|| view! { <LinkButton label=label href=format!("{path}/{verb}")/> })
    };
    let actions = view! {
        {who.map(|href| view! { <LinkButton label=t.permissions_who_can() href=href/> })}
        {link(may.edit, t.edit(), "edit")}
        {link(may.suspend, t.keys_suspend(), "suspend")}
        {link(may.resume, t.keys_resume(), "resume")}
        {link(may.revoke, t.revoke(), "revoke")}
        {may.rotate.then(|| view! { <LinkButton kind=ButtonKind::Primary label=t.keys_rotate() href=format!("{path}/rotate")/> })}
    };
    view! {
        <PageHeader
            title=key.name.to_string()
            named=true
            crumbs=around::crumbs(t, key)
            state=badges.into_any()
            actions=actions.into_any()
        />
    }
    .into_any()
}

fn tabs(t: Text, view: &KeyView, shown: &Shown, may_audit: bool) -> Vec<crate::ui::Tab> {
    let path = around::path(&view.key);
    let draining = around::draining(&view.values);
    let drain =
        tab(t.keys_tab_drain(), around::drain_path(&view.key)).current(matches!(shown, Shown::Drain(_)));
    let mut tabs = vec![
        tab(t.keys_tab_overview(), path.clone()).current(matches!(shown, Shown::Overview(_))),
        if draining > 0 { drain.count(draining) } else { drain },
    ];
    if may_audit {
        let audit = tab(t.audit(), format!("{path}?tab=audit"));
        tabs.push(audit.current(matches!(shown, Shown::Audit(_))));
    }
    tabs
}
