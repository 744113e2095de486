//! `/access/requests/<id>/approve`: the exact text, and the passkey that signs it. It stands alone, as every page that asks for a
//! passkey does. What it shows is read back from the bytes that are signed.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use keywarden_domain::{
    Domain, Op, Refused,
    access::{AccessError, Approved, Statement},
    passkeys::PasskeyError,
    people::CeremonyError,
};
use keywarden_model::AccessRequestId;
use keywarden_model::time::{instant, seconds};
use leptos::prelude::*;
use serde::Deserialize;

use super::{LIST, named, path, show, what};
use crate::{
    context::{
        Asking, House,
        json::{self, Answer, Json},
    },
    pages::ceremony::{self, Ask, PasskeyForm, SCRIPT},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Banner, Fact, Facts, PageHeader, Time, Tone, fact},
};

/// The form has no fields of its own.
#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

/// What is to be signed, as the bytes say it; or why it cannot be.
async fn statement(
    domain: &Domain,
    op: &Op,
    id: &str,
) -> Result<Result<(AccessRequestId, Statement, String), AccessError>, Refused> {
    let shown = show::load(domain, op, id).await?;
    let id = shown.request.id;
    match shown.may.approve {
        Some(Ok(())) => {}
        Some(Err(why)) => return Ok(Err(why.into())),
        // Whoever may not approve, or what is answered already, leads to the request's page.
        None => return Ok(Err(AccessError::ChangedMeanwhile)),
    }
    let made = match domain.access_statement(op, id).await {
        Ok(statement) => statement,
        Err(AccessError::Refused(refused)) => return Err(refused),
        Err(error) => return Ok(Err(error)),
    };
    let bytes = made.bytes().map_err(Refused::from)?;
    // Drawn from nothing but the bytes.
    let read = Statement::read(&bytes).ok_or(Refused::NotFound)?;
    Ok(Ok((id, read, String::from_utf8_lossy(&bytes).into_owned())))
}

pub(super) async fn before(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Access);
    let (id, statement, exact) = match statement(&house.domain, &op, &id).await {
        Ok(Ok(read)) => read,
        Ok(Err(_)) => return render::see_other(&format!("{LIST}/requests/{id}")),
        Err(refused) => return render::refused(&shell, refused),
    };
    shell.who = None;
    let t = shell.text;
    page(&shell, t.access_approve_title()).script(SCRIPT).show(move || {
        let here = path(id);
        let lines = lines(t, &statement);
        view! {
            <PageHeader title=t.access_approve_title() lead=t.access_sign_why()/>
            <section class="statement" aria-labelledby="statement-title">
                <h2 id="statement-title">{t.access_sign_this()}</h2>
                <Facts facts=lines/>
                <details>
                    <summary>{t.access_sign_exact()}</summary>
                    <pre tabindex="0"><code translate="no">{exact}</code></pre>
                </details>
            </section>
            <Banner tone=Tone::Info title=t.access_sign_limit_why()/>
            <PasskeyForm
                ask=Ask::Get
                start=format!("{here}/approve/start")
                finish=format!("{here}/approve/finish")
                submit=t.access_approve_do()
                cancel=here
            />
        }
    })
}

/// Everything that the statement says, line by line.
fn lines(t: Text, it: &Statement) -> Vec<Fact> {
    let project = it.project.as_ref().map(|project| project.name.as_str());
    let (reason, ticket) = (it.reason.clone(), it.ticket.clone());
    let both = |named: &keywarden_domain::access::Named| {
        let id = named.id.clone();
        view! { {self::named(&named.name, &named.id)} " " <code translate="no">{id}</code> }
    };
    let place = it.project.as_ref().map(|project| project.id.clone());
    let (origin, instance) = (it.origin.clone(), it.instance.clone());
    let wording = t.access_statement_wording(it.revision);
    let request = it.request.to_string();
    let rule = t.access_statement_rule_is(&it.rule.scope, it.rule.version, it.rule.approvers);
    let mut lines = vec![
        fact(t.access_statement_who(), both(&it.approver)),
        fact(
            t.access_what(),
            view! { {what(t, it.role, project)} " " {place.map(|id| view! { <code translate="no">{id}</code> })} },
        ),
        fact(t.access_for(), both(&it.holder)),
        fact(t.access_lasts(), t.span(seconds(it.lasts_seconds))),
        fact(t.access_reason(), view! { <span translate="no">{reason}</span> }),
    ];
    if !ticket.is_empty() {
        lines.push(fact(t.access_ticket(), view! { <span translate="no">{ticket}</span> }));
    }
    lines.push(fact(t.access_asker(), both(&it.asker)));
    lines.push(fact(t.access_statement_rule(), view! { <span translate="no">{rule}</span> }));
    lines.push(fact(t.access_answer_by(), view! { <Time at=instant(&it.expires_at)/> }));
    lines.push(fact(
        t.access_statement_request(),
        view! { <code translate="no">{request}</code> ", " {wording} },
    ));
    lines.push(fact(
        t.access_statement_instance(),
        view! { <span translate="no">{origin}</span> " " <code translate="no">{instance}</code> },
    ));
    lines
}

pub(super) async fn start(
    State(house): State<House>,
    Asking { shell, op }: Asking,
    Path(id): Path<String>,
) -> Response {
    let Ok(id) = id.parse() else { return json::refusal(&shell, Refused::NotFound, LIST) };
    match house.domain.start_access_approval(&op, id).await {
        Ok(started) => ceremony::started(&started),
        Err(error) => refused(&shell, id, error),
    }
}

pub(super) async fn finish(
    State(house): State<House>,
    Asking { shell, op }: Asking,
    Path(id): Path<String>,
    Json(answer): Json<Answer<Nothing>>,
) -> Response {
    let Nothing {} = answer.fields;
    let t = shell.text;
    let Ok(id) = id.parse() else { return json::refusal(&shell, Refused::NotFound, LIST) };
    let done = house.domain.finish_access_approval(&op, id, answer.ceremony, &answer.credential()).await;
    match done {
        Ok(approved) => {
            let sentence = match approved {
                Approved::Granted { .. } => t.access_signed_granted().to_owned(),
                Approved::Waits { have, need } => t.access_signed_waits(have, need),
            };
            render::told(&shell, json::location(&path(id)), sentence)
        }
        Err(error) => refused(&shell, id, error),
    }
}

fn refused(shell: &Shell, id: AccessRequestId, error: AccessError) -> Response {
    let t = shell.text;
    match error {
        // What stands on the page is not what would be signed.
        AccessError::Ceremony(CeremonyError::Passkey(PasskeyError::ContentChanged)) => {
            json::error(StatusCode::CONFLICT, t.access_why_changed())
        }
        AccessError::Ceremony(error) => ceremony::refused(shell, error, &path(id)),
        AccessError::Refused(refused) => json::refusal(shell, refused, &path(id)),
        error => match t.access_error(&error) {
            Some(sentence) => json::error(StatusCode::CONFLICT, &sentence),
            None => json::error(StatusCode::CONFLICT, t.access_why_changed()),
        },
    }
}
