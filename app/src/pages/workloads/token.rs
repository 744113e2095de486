use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Refused,
    workloads::{IssueTokenError, IssuedToken, RevokeTokenError, ServiceToken, TokenLifetime, Workload},
};
use keywarden_model::WorkloadId;
use leptos::prelude::*;

use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{
        ButtonKind, CodeBlock, Confirm, Form, LinkButton, PageHeader, Panel, SecretValue, SelectField,
        choice, crumb,
    },
};

/// Days that a token may last.
const DAYS: [i64; 5] = [1, 7, 30, 90, 365];

pub(super) async fn new(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::Workloads);
    match load(&house, &op, &id).await {
        Ok((workload, _)) => form(&shell, &workload, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn issue(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Workloads).once(&posted);
    let t = shell.text;
    let (workload, _) = match load(&house, &op, &id).await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    let days = posted.fields.text("days").parse::<i64>().ok().filter(|days| DAYS.contains(days));
    let lifetime = days.and_then(|days| TokenLifetime::from_seconds(days.saturating_mul(86_400)).ok());
    let Some(lifetime) = lifetime else {
        errors.at("days", t.form_choose());
        return form(&shell, &workload, Draft::refused(posted.fields, errors));
    };
    match house.domain.issue_service_token(&op, workload.id, lifetime).await {
        Ok(issued) => return shown_once(&shell, &house.domain.settings().origin, &workload, &issued),
        Err(IssueTokenError::Deactivated) => errors.whole(t.workloads_is_deactivated()),
        Err(IssueTokenError::TooMany) => errors.whole(t.tokens_too_many()),
        Err(IssueTokenError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
    }
    form(&shell, &workload, Draft::refused(posted.fields, errors))
}

/// The answer to the post itself: the value is in no other page.
fn shown_once(shell: &Shell, origin: &str, workload: &Workload, issued: &IssuedToken) -> Response {
    let t = shell.text;
    let value = issued.value.expose().to_owned();
    let curl = format!(
        "curl {origin}/api/v1/keys/verify \\\n  -H \"Authorization: Bearer $KEYWARDEN_TOKEN\" \\\n  -H 'Content-Type: application/json' \\\n  -d '{{\"key\":\"kwk_…\"}}'"
    );
    let name = workload.name.clone();
    let back = format!("/workloads/{}", workload.id);
    page(shell, t.tokens_issued()).lives_at(back.clone()).show(move || {
        view! {
            <PageHeader title=t.tokens_issued() crumbs=vec![crumb(t.workloads(), "/workloads"), crumb(name, back.clone())]/>
            <Panel id="value" title=t.tokens_value()>
                <SecretValue id="secret" label=t.tokens_value() value=value hint=t.shown_once()/>
                <CodeBlock id="curl" label=t.tokens_try() text=curl/>
                <LinkButton kind=ButtonKind::Primary label=t.stored_it() href=back/>
            </Panel>
        }
    })
}

fn form(shell: &Shell, workload: &Workload, draft: Draft) -> Response {
    let t = shell.text;
    let workload = workload.clone();
    page(shell, t.tokens_issue()).of(&draft).show(move || {
        let back = format!("/workloads/{}", workload.id);
        let days = DAYS.into_iter().map(|n| choice(n.to_string(), t.span_days(n.unsigned_abs()))).collect();
        view! {
            <PageHeader title=t.tokens_issue() lead=t.tokens_issue_lead() crumbs=vec![crumb(t.workloads(), "/workloads"), crumb(workload.name.clone(), back.clone())]/>
            <Form draft=draft submit=t.tokens_issue() cancel=back>
                <SelectField name="days" label=t.tokens_lasts() required=true choices=days value="90" hint=t.tokens_lasts_hint()/>
            </Form>
        }
    })
}

pub(super) async fn ask(
    State(house): State<House>,
    asking: Asking,
    Path((id, token)): Path<(String, String)>,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Workloads);
    let loaded =
        load(&house, &op, &id).await.and_then(|(workload, tokens)| Ok((workload, pick(tokens, &token)?)));
    match loaded {
        Ok((workload, token)) => confirm(&shell, &workload, &token, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn revoke(
    State(house): State<House>,
    asking: Asking,
    Path((id, token)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Workloads).once(&posted);
    let t = shell.text;
    let loaded =
        load(&house, &op, &id).await.and_then(|(workload, tokens)| Ok((workload, pick(tokens, &token)?)));
    let (workload, token) = match loaded {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    match house.domain.revoke_service_token(&op, token.id).await {
        Ok(_) => render::done(&shell, &format!("/workloads/{}", workload.id), t.tokens_revoked_now()),
        Err(RevokeTokenError::Revoked) => {
            let mut errors = Errors::new();
            errors.whole(t.tokens_revoked_already());
            confirm(&shell, &workload, &token, Draft::refused(posted.fields, errors))
        }
        Err(RevokeTokenError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
    }
}

fn confirm(shell: &Shell, workload: &Workload, token: &ServiceToken, draft: Draft) -> Response {
    let t = shell.text;
    let (workload, token) = (workload.clone(), token.clone());
    page(shell, t.tokens_revoke()).of(&draft).show(move || {
        let back = format!("/workloads/{}", workload.id);
        let last = match token.last_used_at {
            Some(at) => t.tokens_last_used_at(&at.format("%Y-%m-%d %H:%M UTC").to_string()),
            None => t.tokens_never_used().to_owned(),
        };
        view! {
            <PageHeader title=t.tokens_revoke() crumbs=vec![crumb(t.workloads(), "/workloads"), crumb(workload.name.clone(), back.clone())]/>
            <Confirm title=t.tokens_revoke_title(&token.public_id) consequences=vec![t.tokens_revoke_breaks(&workload.name), last]>
                <Form draft=draft submit=t.tokens_revoke() danger=true cancel=back/>
            </Confirm>
        }
    })
}

async fn load(
    house: &House,
    op: &keywarden_domain::Op,
    id: &str,
) -> Result<(Workload, Vec<ServiceToken>), Refused> {
    let id: WorkloadId = id.parse().map_err(|_| Refused::NotFound)?;
    let shown = house.domain.workload(op, id).await?;
    Ok((shown.workload, shown.tokens))
}

fn pick(tokens: Vec<ServiceToken>, id: &str) -> Result<ServiceToken, Refused> {
    tokens.into_iter().find(|token| token.id.to_string() == id).ok_or(Refused::NotFound)
}
