//! Pages before anybody is known, and pages for what went wrong.

use axum::{extract::State, response::Response};
use chrono::TimeDelta;
use leptos::prelude::*;

use super::shell::{bare as bare_shell, framed, now};
use crate::{
    console::Console,
    islands::Countdown,
    render::{self, page},
    shell::{Condition, Elevation, Flash, Section, Visit},
    ui::{Button, ButtonKind, PageHeader},
};

pub(super) async fn bare(State(console): State<Console>, visit: Visit) -> Response {
    let shell = bare_shell(console, visit);
    let t = shell.text;
    page(&shell, t.gallery_sign_in()).show(move || {
        view! {
            <PageHeader title=t.gallery_sign_in() lead=t.gallery_sign_in_lead()/>
            <form method="post" class="form"><Button kind=ButtonKind::Primary label=t.gallery_use_passkey()/></form>
        }
    })
}

pub(super) async fn degraded(State(console): State<Console>, visit: Visit) -> Response {
    let mut shell = framed(console, visit, Some(Section::Home));
    shell.condition =
        Condition::Degraded { since: now() - TimeDelta::minutes(2), until: now() + TimeDelta::minutes(3) };
    shell.elevations.push(Elevation {
        role: "payments-admin".into(),
        until: now() + TimeDelta::hours(1),
        give_back: "/account".into(),
    });
    let t = shell.text;
    shell.flash = Some(Flash::new(t.gallery_revoked("pay-prod")));
    page(&shell, t.home()).show(move || {
        view! {
            <PageHeader title=t.home()/>
            <p>{t.gallery_left()} " " <Countdown until=now().timestamp() + 180 now=now().timestamp() ended=t.gallery_over()/></p>
        }
    })
}

pub(super) async fn missing(State(console): State<Console>, visit: Visit) -> Response {
    render::not_found(&framed(console, visit, None))
}

pub(super) async fn fault(State(console): State<Console>, visit: Visit) -> Response {
    let mut shell = framed(console, visit, None);
    shell.request_id = "req_01JDB2W1N9F6Q3R8T5V7X9Z0AB".into();
    render::fault(&shell)
}

pub(super) async fn unavailable(State(console): State<Console>, visit: Visit) -> Response {
    render::unavailable(&framed(console, visit, None))
}
