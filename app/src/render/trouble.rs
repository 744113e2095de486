//! Pages for what went wrong. Each says what happened, what was not done, and what to do next.

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use keywarden_domain::{Fault, Refused};
use leptos::prelude::*;

use super::{done_before::done_before, page};
use crate::{
    shell::{Condition, Shell, encoded},
    text::Text,
    ui::{Action, EmptyState, Id},
};

/// 404, for what is not there and for what may not be seen: nobody can tell the two apart.
pub fn not_found(shell: &Shell) -> Response {
    let t = shell.text;
    let (decision, sees) = (shell.decision.id(), shell.policies);
    let others = asks(shell);
    page(shell, t.error_not_found()).status(StatusCode::NOT_FOUND).show(move || {
        view! {
            <EmptyState heading=1 title=t.error_not_found() action=(t.error_home(), "/") others=others>
                {t.error_not_found_why()}
                {decision.map(|id| told(t, id, sees))}
            </EmptyState>
        }
    })
}

/// The page for what the domain answers instead of doing it. Posts that may need a fresher passkey go through
/// [`House::refused`](crate::context::House::refused) instead; here that answer can only lead to the passkey.
pub fn refused(shell: &Shell, refused: Refused) -> Response {
    match refused {
        Refused::Fault(cause) if cause.leaves_doubt() => {
            tracing::error!(%cause, "a form may have been done");
            away(shell, shell.text.error_in_doubt(), shell.text.error_in_doubt_why())
        }
        Refused::Fault(Fault::NoPasskeys(cause)) => {
            tracing::error!(%cause, "no passkey works here");
            away(shell, shell.text.error_no_passkeys(), shell.text.error_no_passkeys_why())
        }
        Refused::Fault(Fault::ProjectSealed { seal, cause }) => {
            tracing::warn!(%seal, %cause, "a page waits for a project's own seal");
            let t = shell.text;
            away(shell, t.error_project_sealed(), t.error_project_sealed_why(&seal))
        }
        Refused::Fault(cause) if cause.is_passing() => {
            tracing::warn!(%cause, "page not answered");
            unavailable(shell)
        }
        Refused::Fault(cause) => {
            tracing::error!(%cause, "page failed");
            fault(shell)
        }
        Refused::Forbidden(action) => forbidden(shell, action.name()),
        Refused::NotFound => not_found(shell),
        Refused::Replayed(replayed) => done_before(shell, replayed),
        Refused::Stale => changed(shell),
        Refused::StepUp => super::see_other(&format!("/step-up?to={}", encoded(&shell.path))),
    }
}

/// 403: the thing may be seen, and this may not be done to it.
fn forbidden(shell: &Shell, action: &'static str) -> Response {
    let t = shell.text;
    let (decision, sees) = (shell.decision.id(), shell.policies);
    let others = asks(shell);
    page(shell, t.error_forbidden()).status(StatusCode::FORBIDDEN).show(move || {
        view! {
            <EmptyState heading=1 title=t.error_forbidden() action=(t.error_home(), "/") others=others>
                {t.error_forbidden_why(action)}
                {decision.map(|id| told(t, id, sees))}
            </EmptyState>
        }
    })
}

/// Whoever is signed in may ask for access; what the address names stands in the form, whether or not it is there.
fn asks(shell: &Shell) -> Vec<Action> {
    if shell.who.is_none() {
        return Vec::new();
    }
    let t = shell.text;
    let project = shell.path.strip_prefix("/projects/").and_then(|rest| rest.split(['/', '?']).next());
    let href = crate::pages::listing::href("/access/new", &[("project", project.unwrap_or_default())]);
    vec![(t.error_request_access(), href).into()]
}

/// By what those who may know find why; who sees policies is led there.
fn told(t: Text, id: String, sees: bool) -> AnyView {
    if sees {
        let href = format!("/decisions/{id}");
        return view! { " " <a href=href>{t.error_decision_open()}</a> " " <Id value=id label=t.error_decision_id()/> }
            .into_any();
    }
    view! { " " {t.error_decision()} " " <Id value=id label=t.error_decision_id()/> }.into_any()
}

/// 409: what the form speaks of is not any more what was seen.
fn changed(shell: &Shell) -> Response {
    let t = shell.text;
    let action = (t.error_retry(), shell.path.clone());
    page(shell, t.error_changed()).status(StatusCode::CONFLICT).show(move || {
        view! { <EmptyState heading=1 title=t.error_changed() action=action>{t.changed_meanwhile()}</EmptyState> }
    })
}

/// 410: a kept post that waits no more.
pub fn gone(shell: &Shell) -> Response {
    let t = shell.text;
    let back = shell.path.clone();
    page(shell, t.error_gone()).status(StatusCode::GONE).show(move || {
        view! {
            <EmptyState heading=1 title=t.error_gone() action=(t.error_gone_back(), back)>
                {t.error_gone_why()}
            </EmptyState>
        }
    })
}

/// 500, with the request id that finds the cause in the log. Nothing of the cause is shown.
pub fn fault(shell: &Shell) -> Response {
    let t = shell.text;
    let id = shell.request_id.clone();
    page(shell, t.error_fault()).status(StatusCode::INTERNAL_SERVER_ERROR).show(move || {
        view! {
            <EmptyState heading=1 title=t.error_fault() action=(t.error_home(), "/")>
                {t.error_fault_why()}
                " "
                <Id value=id label=t.error_request_id() whole=true/>
            </EmptyState>
        }
    })
}

/// 503: the store or the HSM is away.
pub fn unavailable(shell: &Shell) -> Response {
    let t = shell.text;
    let title = match shell.condition {
        Condition::Sealed { .. } => t.error_sealed(),
        _ => t.error_unavailable(),
    };
    away(shell, title, t.error_unavailable_why())
}

fn away(shell: &Shell, title: &'static str, why: impl Into<String>) -> Response {
    let t = shell.text;
    let why: String = why.into();
    let again = shell.path.clone();
    let mut response = page(shell, title).status(StatusCode::SERVICE_UNAVAILABLE).show(move || {
        view! {
            <EmptyState heading=1 title=title action=(t.error_retry(), again)>
                {why}
            </EmptyState>
        }
    });
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// 400, 413 or 415: what came is no form of ours, so there is no page to draw it on again.
pub fn refused_form(shell: &Shell, status: StatusCode) -> Response {
    let t = shell.text;
    page(shell, t.error_form()).status(status).show(|| {
        view! {
            <EmptyState heading=1 title=t.error_form() action=(t.error_home(), "/")>
                {t.form_unreadable_why()}
            </EmptyState>
        }
    })
}
