use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{Action, Refused, Resource, workloads::TokenState};
use keywarden_model::WorkloadId;
use leptos::prelude::*;

use super::rules;

use crate::{
    cells,
    context::{Asking, House},
    pages::permissions,
    render::{self, page},
    shell::Section,
    ui::{
        Badge, ButtonKind, Column, EmptyState, Facts, Id, LinkButton, PageHeader, Panel, Row, Table, Time,
        Tone, crumb, fact,
    },
};

pub(super) async fn show(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::Workloads);
    let loaded = async {
        let id: WorkloadId = id.parse().map_err(|_| Refused::NotFound)?;
        let shown = house.domain.workload(&op, id).await?;
        let this = Resource::Workload { id, project: shown.workload.project };
        let rules = house.domain.trust_rules(&op, id).await?;
        let may = [
            house.domain.would(&op, Action::IssueServiceToken, &this).await?,
            house.domain.would(&op, Action::DeactivateWorkload, &this).await?,
            house.domain.would(&op, Action::CreateTrustRule, &this).await?,
        ];
        let ways = [
            permissions::way_of(&house, &op, &this, &format!("/workloads/{id}")).await?,
            permissions::way_for(&house, &op, &this).await?,
        ];
        Ok((shown, rules, may, ways))
    };
    let (shown, rules, [may_issue, may_deactivate, may_add_rule], [of, who]) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    let t = shell.text;
    page(&shell, shown.workload.name.clone()).show(move || {
        let it = shown.workload;
        let base = format!("/workloads/{}", it.id);
        let active = it.is_active();
        let state = if active {
            view! { <Badge label=t.workloads_active() tone=Tone::Good/> }
        } else {
            view! { <Badge label=t.workloads_deactivated()/> }
        };
        let project = match &it.project_slug {
            Some(slug) => view! { <a href=format!("/projects/{slug}") translate="no">{slug.clone()}</a> }.into_any(),
            None => t.workloads_organization().into_any(),
        };
        let facts = vec![
            fact(t.workloads_id(), view! { <Id value=it.id.to_string()/> }),
            fact(t.workloads_project(), project),
            fact(t.workloads_last_used(), view! { <Time at=it.last_used_at/> }),
            fact(t.projects_created(), view! { <Time at=it.created_at/> }),
        ];
        let tokens = shown
            .tokens
            .into_iter()
            .map(|token| {
                let (label, tone) = match token.state {
                    TokenState::Active => (t.tokens_active(), Tone::Good),
                    TokenState::Expired => (t.tokens_expired(), Tone::Neutral),
                    TokenState::Revoked => (t.tokens_revoked(), Tone::Neutral),
                };
                let revoke = (may_issue && token.state == TokenState::Active)
                    .then(|| view! { <a href=format!("{base}/tokens/{}", token.id)>{t.revoke()}</a> });
                let cells = cells![
                    view! { <Badge label=label tone=tone/> },
                    view! { <Time at=token.created_at/> },
                    view! { <Time at=token.last_used_at/> },
                    view! { <Time at=token.expires_at/> },
                    revoke,
                ];
                Row::plain(view! { <code translate="no">{format!("kws_…_{}_…", token.public_id)}</code> }, cells)
            })
            .collect();
        let columns = vec![
            Column::text(t.tokens_value()),
            Column::text(t.workloads_state()),
            Column::minor(t.keys_issued_at()),
            Column::text(t.workloads_last_used()),
            Column::text(t.tokens_expires()),
            Column::text(t.revoke()),
        ];
        let roles = shown
            .roles
            .into_iter()
            .map(|role| {
                let place = match role.project_slug {
                    Some(slug) => view! { <a href=format!("/projects/{slug}#roles") translate="no">{slug.clone()}</a> }.into_any(),
                    None => t.workloads_organization().into_any(),
                };
                Row::plain(t.role(role.role), cells![place, view! { <Time at=role.created_at/> }])
            })
            .collect();
        let role_columns = vec![Column::text(t.roles_role()), Column::text(t.workloads_project()), Column::text(t.roles_since())];
        let no_token = view! { <EmptyState title=t.tokens_none()>{t.tokens_none_why()}</EmptyState> };
        let no_role = view! { <EmptyState title=t.workloads_no_role()>{t.workloads_no_role_why()}</EmptyState> };
        let rules = rules::panel(t, &it, rules, may_add_rule);
        let actions = view! {
            {of.map(|href| view! { <LinkButton label=t.permissions_of_workload_button() href=href/> })}
            {who.map(|href| view! { <LinkButton label=t.permissions_who_can() href=href/> })}
            {(may_deactivate && active).then(|| view! { <LinkButton label=t.workloads_deactivate() href=format!("{base}/deactivate")/> })}
            {(may_issue && active).then(|| view! { <LinkButton kind=ButtonKind::Primary label=t.tokens_issue() href=format!("{base}/tokens/new")/> })}
        };
        view! {
            <PageHeader title=it.name.clone() named=true state=state.into_any() actions=actions.into_any() crumbs=vec![crumb(t.workloads(), "/workloads")]/>
            <Facts facts=facts/>
            <Panel id="tokens" title=t.tokens()>
                <Table caption=t.tokens() columns=columns rows=tokens empty=no_token.into_any()/>
            </Panel>
            {rules}
            <Panel id="roles" title=t.roles()>
                <Table caption=t.roles() columns=role_columns rows=roles empty=no_role.into_any()/>
            </Panel>
        }
    })
}
