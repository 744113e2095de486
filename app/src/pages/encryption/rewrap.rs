//! How far a rewrap is.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::{HeaderValue, header};
use keywarden_domain::{
    Action, Op, Refused,
    rewraps::{self, Kind, Rewrap, SwitchRewrapError},
};
use leptos::prelude::*;

use super::around::{self, TREE, rewrap_path};
use crate::{
    context::{Asking, House, Posted},
    form::Params,
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{
        Act, Actions, Banner, ButtonKind, Crumb, Facts, Id, LinkButton, PageHeader, Panel, Time, Tone, crumb,
        fact,
    },
};

/// Seconds between two looks.
const AGAIN: &str = "5";

async fn load(house: &House, op: &Op, id: &str) -> Result<(Rewrap, bool), Refused> {
    let rewrap = house.domain.find_rewrap(op, id.parse().map_err(|_| Refused::NotFound)?).await?;
    let action = if rewrap.project.is_some() { Action::RotateProjectKey } else { Action::ManageSeals };
    let may = house.domain.would(op, action, &rewrap.resource()).await?;
    Ok((rewrap, may))
}

pub(super) async fn show(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    params: Params,
) -> Response {
    let Asking { shell, op } = asking.at(Section::System);
    let (rewrap, may) = match load(&house, &op, &id).await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    let goes_on = rewrap.state == rewraps::State::Running;
    let follows = goes_on && params.text("follow") == "1";
    let mut response = draw(&shell, rewrap, may, follows);
    if follows {
        // Asked for by whoever reads it, and ends with the rewrap.
        response.headers_mut().insert(header::REFRESH, HeaderValue::from_static(AGAIN));
    }
    response
}

fn draw(shell: &Shell, rewrap: Rewrap, may: bool, follows: bool) -> Response {
    let t = shell.text;
    let what = t.rewrap_kind(rewrap.kind, rewrap.project_slug.as_deref());
    page(shell, what.clone()).show(move || {
        let skipped = (rewrap.skipped > 0).then(|| {
            let title = t.rewrap_skipped(rewrap.skipped.unsigned_abs());
            view! { <Banner tone=Tone::Bad title=title>{t.rewrap_skipped_why()}</Banner> }
        });
        // Nothing came under the new key yet: servers take it in within seconds.
        let waits = rewrap.kind == Kind::ProjectKeys
            && rewrap.state == rewraps::State::Running
            && rewrap.done == 0
            && rewrap.total > 0;
        let waits = waits.then(|| {
            view! { <Banner tone=Tone::Info title=t.rewrap_waits()>{t.rewrap_waits_why()}</Banner> }
        });
        let key = |id: &str| match rewrap.kind {
            Kind::KeyringKeys => view! { <span>{id.parse().map_or_else(|_| "—".to_owned(), |it| t.encryption_number(it))}</span> }.into_any(),
            Kind::DataKeys | Kind::ProjectKeys => view! { <Id value=id.to_owned()/> }.into_any(),
        };
        let mut facts = vec![
            fact(t.rewrap_from(), key(&rewrap.from_key)),
            fact(t.rewrap_to(), key(&rewrap.to_key)),
            fact(t.rewrap_started(), view! { <Time at=rewrap.started_at/> }),
        ];
        match rewrap.ended_at {
            Some(at) => facts.push(fact(t.rewrap_ended(), view! { <Time at=at/> })),
            None => facts.push(fact(t.rewrap_moved(), view! { <Time at=rewrap.moved_at/> })),
        }
        view! {
            <PageHeader title=what state=around::state(t, rewrap.state) crumbs=crumbs(t, &rewrap)/>
            {skipped}
            {waits}
            <Panel id="progress" title=t.rewrap_progress()>
                {around::progress(t, &rewrap)}
                {(rewrap.state != rewraps::State::Done).then(|| view! { <p>{t.rewrap_reads()}</p> })}
                {follows.then(|| view! { <p>{t.rewrap_following()}</p> })}
                {verbs(t, &rewrap, may, follows)}
            </Panel>
            <Facts facts=facts/>
        }
    })
}

fn verbs(t: Text, rewrap: &Rewrap, may: bool, follows: bool) -> AnyView {
    let id = rewrap.id;
    let again = match (rewrap.state, follows) {
        (rewraps::State::Running, false) => Some((t.rewrap_follow(), rewrap_path(id, true))),
        (rewraps::State::Running, true) => Some((t.rewrap_follow_stop(), rewrap_path(id, false))),
        _ => None,
    };
    let switch = match rewrap.state {
        rewraps::State::Running => Some((t.rewrap_pause(), format!("/rewraps/{id}/pause"))),
        rewraps::State::Paused => Some((t.rewrap_resume(), format!("/rewraps/{id}/resume"))),
        rewraps::State::Done => None,
    };
    let switch = switch.filter(|_| may);
    view! {
        <Actions>
            {switch.map(|(label, action)| view! { <Act id="switch" kind=ButtonKind::Quiet label=label action=action/> })}
            {again.map(|(label, href)| view! { <LinkButton label=label href=href/> })}
        </Actions>
    }
    .into_any()
}

fn crumbs(t: Text, rewrap: &Rewrap) -> Vec<Crumb> {
    match &rewrap.project_slug {
        Some(slug) => vec![
            crumb(t.projects(), "/projects"),
            crumb(slug.clone(), format!("/projects/{slug}")),
            crumb(t.project_key(), format!("/projects/{slug}/key")),
        ],
        None => vec![crumb(t.system(), "/system"), crumb(t.encryption(), TREE)],
    }
}

pub(super) async fn pause(house: State<House>, asking: Asking, id: Path<String>, posted: Posted) -> Response {
    switch(house, asking, id, posted, true).await
}

pub(super) async fn resume(
    house: State<House>,
    asking: Asking,
    id: Path<String>,
    posted: Posted,
) -> Response {
    switch(house, asking, id, posted, false).await
}

async fn switch(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
    rests: bool,
) -> Response {
    let Asking { shell, op } = asking.at(Section::System).once(&posted);
    let t = shell.text;
    let rewrap = match load(&house, &op, &id).await {
        Ok((rewrap, _)) => rewrap,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let (done, said) = if rests {
        (house.domain.pause_rewrap(&op, rewrap.id).await, t.rewrap_paused_now())
    } else {
        (house.domain.resume_rewrap(&op, rewrap.id).await, t.rewrap_resumed_now())
    };
    let said = match done {
        Ok(()) => said.to_owned(),
        Err(SwitchRewrapError::Is(state)) => t.rewrap_is(t.rewrap_state(state)),
        Err(SwitchRewrapError::Refused(refused)) => {
            return house.refused(&shell, &op, &posted, refused).await;
        }
    };
    render::done(&shell, &rewrap_path(rewrap.id, false), said)
}
