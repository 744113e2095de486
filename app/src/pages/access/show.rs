//! A request: what is asked for, who signed it, and what can be done with it.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Domain, Op, Refused,
    access::{Grant, LifeError, Request, Rule, RuleAt, ShownApproval, ShownRequest},
};
use keywarden_model::{AccessRequestId, AccessState};
use leptos::prelude::*;

use super::{grant_path, named, path, tone, way, what};
use crate::{
    cells,
    context::{Asking, House},
    pages::listing::href,
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{
        Badge, Banner, ButtonKind, Column, EmptyState, Facts, Id, LinkButton, PageHeader, Panel, Row, Table,
        Time, Tone, fact,
    },
};

/// By its id, for whoever may know of it.
pub(super) async fn load(domain: &Domain, op: &Op, id: &str) -> Result<ShownRequest, Refused> {
    let id: AccessRequestId = id.parse().map_err(|_| Refused::NotFound)?;
    domain.access_request(op, id).await
}

pub(super) async fn show(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::Access);
    let shown = match load(&house.domain, &op, &id).await {
        Ok(shown) => shown,
        Err(refused) => return render::refused(&shell, refused),
    };
    let t = shell.text;
    let now = shell.now;
    let title = what(t, shown.request.role, shown.request.project.as_deref());
    page(&shell, title.clone()).show(move || {
        let state = shown.request.state;
        let badge = view! { <Badge label=t.access_state_of(state) tone=tone(state)/> };
        let why = match (&shown.may.approve, state) {
            (Some(Err(LifeError::AlreadySigned)), AccessState::Pending) => {
                Some((Tone::Info, t.access_why_signed().to_owned()))
            }
            (Some(Err(why)), AccessState::Pending) => Some((Tone::Warn, t.access_life(why))),
            _ => None,
        };
        let why = why.map(|(tone, sentence)| view! { <Banner tone=tone title=sentence/> });
        let actions = actions(t, &shown);
        let known = facts(t, &shown.request, shown.rule.as_ref(), shown.may.see_rule);
        let held = shown.grant.as_ref().map(|it| {
            let held = grant(t, it, it.is_active(now));
            view! { <Panel id="grant" title=t.access_grant()>{held}</Panel> }
        });
        let signed = approvals(t, &shown);
        let evidence = (!shown.approvals.is_empty()).then(|| {
            let there = format!("{}/evidence", path(shown.request.id));
            view! { <LinkButton label=t.access_evidence() href=there/> }
        });
        view! {
            <PageHeader title=title crumbs=way(t) state=badge.into_any() actions=actions/>
            {why}
            <Panel id="request" title=t.access_what()>{known}</Panel>
            {held}
            <Panel id="signatures" title=t.access_approvals() aside=evidence.into_any()>{signed}</Panel>
        }
    })
}

fn actions(t: Text, shown: &ShownRequest) -> AnyView {
    let here = path(shown.request.id);
    let link = |may: bool, label: &'static str, step: &str| {
        let there = format!("{here}/{step}");
        may.then(|| view! { <LinkButton label=label href=there/> })
    };
    let approve = matches!(shown.may.approve, Some(Ok(()))).then(|| {
        let there = format!("{here}/approve");
        view! { <LinkButton kind=ButtonKind::Primary label=t.access_approve() href=there/> }
    });
    let withdraw = link(shown.may.withdraw, t.access_withdraw(), "withdraw");
    let edit = link(shown.may.edit, t.access_edit(), "edit");
    let deny = link(shown.may.deny, t.access_deny(), "deny");
    view! { {edit}{withdraw}{deny}{approve} }.into_any()
}

fn facts(t: Text, request: &Request, rule: Option<&(Rule, RuleAt)>, rules: bool) -> AnyView {
    let (reason, ticket) = (request.reason.clone(), request.ticket.clone());
    let mut facts = vec![
        fact(t.access_what(), what(t, request.role, request.project.as_deref())),
        fact(t.access_for(), named(&request.holder_name, &request.holder.to_string())),
        fact(t.access_lasts(), t.span(request.lasts)),
        fact(t.access_reason(), view! { <span translate="no">{reason}</span> }),
    ];
    if !ticket.is_empty() {
        facts.push(fact(t.access_ticket(), view! { <span translate="no">{ticket}</span> }));
    }
    facts.push(fact(t.access_asker(), named(&request.asker_name, &request.created_by)));
    facts.push(fact(t.access_asked_at(), view! { <Time at=request.created_at/> }));
    if request.state == AccessState::Pending {
        facts.push(fact(t.access_answer_by(), view! { <Time at=request.expires_at/> }));
        facts.extend(rule.map(|(rule, _)| {
            let project = request.project.as_deref().unwrap_or_default();
            let there = href("/access/rules", &[("project", project)]);
            let needs = t.access_rule_needs(rule.approvers);
            let link = rules.then(|| view! { " " <a href=there>{t.access_rules()}</a> });
            fact(t.access_statement_rule(), view! { {needs} {link} })
        }));
    }
    if let Some((at, _)) = &request.decided {
        facts.push(fact(t.access_answered(), view! { <Time at=*at/> }));
    }
    if !request.words.is_empty() {
        let words = request.words.clone();
        facts.push(fact(t.access_words(), view! { <span translate="no">{words}</span> }));
    }
    facts.push(fact(t.access_statement_request(), view! { <Id value=request.id.to_string()/> }));
    view! { <Facts facts=facts/> }.into_any()
}

fn grant(t: Text, grant: &Grant, active: bool) -> AnyView {
    let mut facts = vec![fact(t.access_ends(), view! { <Time at=grant.ends_at/> })];
    if let Some((at, how, _)) = &grant.ended {
        facts.push(fact(t.access_ended(), view! { {t.access_end(*how)} " " <Time at=*at/> }));
    }
    let ends = active.then(|| {
        let there = grant_path(grant.id);
        view! {
            <p class="actions">
                <LinkButton label=t.access_give_back() href=format!("{there}/give-back")/>
                <LinkButton label=t.access_revoke() href=format!("{there}/revoke")/>
            </p>
        }
    });
    view! { <Facts facts=facts/> {ends} }.into_any()
}

fn approvals(t: Text, shown: &ShownRequest) -> AnyView {
    let columns = vec![
        Column::text(t.access_approver()),
        Column::text(t.access_signed_at()),
        Column::text(t.access_state()),
    ];
    let rows: Vec<Row> = shown.approvals.iter().map(|it| line(t, it)).collect();
    let empty = view! {
        <EmptyState heading=3 title=t.access_approvals_none()>{t.access_approvals_none_why()}</EmptyState>
    };
    view! { <Table caption=t.access_approvals() columns=columns rows=rows empty=empty.into_any()/> }
        .into_any()
}

fn line(t: Text, approval: &ShownApproval) -> Row {
    let (label, tone) = if approval.counts {
        (t.access_counts(), Tone::Good)
    } else {
        (t.access_counts_not(), Tone::Neutral)
    };
    let cells = cells![view! { <Time at=approval.signed_at/> }, view! { <Badge label=label tone=tone/> }];
    Row::plain(named(&approval.name, &approval.approver), cells)
}
