//! `GET /policies/<id>/versions/<number>/replay` and `/policies/<id>/replay`: which decisions of the last 30 days would have been
//! others.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Op,
    policy::{
        Policy,
        difference::{DifferenceError, PolicyChange, Replay, Replayed},
    },
};
use leptos::prelude::*;

use super::{
    difference::{address, badge, name},
    load, version_of, way_to,
};
use crate::{
    cells,
    context::{Asking, House},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Banner, Column, EmptyState, LinkButton, PageHeader, Panel, Row, Table, Time, Tone, row},
};

pub(super) async fn version(
    State(house): State<House>,
    asking: Asking,
    Path((id, number)): Path<(String, String)>,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies);
    let t = shell.text;
    match version_of(&house.domain, &op, &id, &number).await {
        Err(refused) => render::refused(&shell, refused),
        Ok((shown, version)) => {
            let title = t.policies_replay_version(&shown.policy.name, version.number);
            show(&house, &shell, &op, (&shown.policy, Some(version.number), title)).await
        }
    }
}

pub(super) async fn disabling(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies);
    let t = shell.text;
    match load(&house.domain, &op, &id).await {
        Err(refused) => render::refused(&shell, refused),
        Ok(shown) => {
            let title = t.policies_replay_disabling(&shown.policy.name);
            show(&house, &shell, &op, (&shown.policy, None, title)).await
        }
    }
}

async fn show(
    house: &House,
    shell: &Shell,
    op: &Op,
    (policy, number, title): (&Policy, Option<i64>, String),
) -> Response {
    let t = shell.text;
    let (way, back) = (way_to(t, policy), address(policy, number));
    let change = number.map_or(PolicyChange::Disabled, PolicyChange::Version);
    let view = match house.domain.policy_replay(op, policy.id, change).await {
        Ok(replay) => whole(t, replay),
        Err(DifferenceError::Text(errors)) => {
            let lines = errors.iter().map(|it| t.policies_at_line(it.line, it.column, &it.says));
            let told = t.policies_text_no_longer(&lines.collect::<Vec<_>>().join(" "));
            view! { <Banner tone=Tone::Warn title=told/> }.into_any()
        }
        Err(DifferenceError::Refused(refused)) => return render::refused(shell, refused),
    };
    page(shell, title.clone()).show(move || {
        let back = view! { <LinkButton label=t.policies_difference() href=back/> }.into_any();
        view! {
            <PageHeader title=title crumbs=way lead=t.policies_replay_lead() actions=back/>
            {view}
        }
    })
}

fn whole(t: Text, replay: Replay) -> AnyView {
    let more = replay.more.then(|| {
        view! { <Banner tone=Tone::Warn title=t.policies_difference_left()>{t.policies_replay_more_why()}</Banner> }
    });
    let looked =
        t.policies_replay_asked(replay.asked, &t.number(u64::try_from(replay.times).unwrap_or_default()));
    let notes = [
        (replay.gone, t.policies_replay_gone(replay.gone)),
        (replay.moment_unknown, t.policies_replay_moment(replay.moment_unknown)),
        (replay.otherwise_today, t.policies_replay_otherwise(replay.otherwise_today)),
        (replay.unlisted, t.policies_replay_unlisted(replay.unlisted)),
    ];
    let notes = notes.into_iter().filter(|(count, _)| *count > 0);
    let notes = notes.map(|(_, note)| view! { <li>{note}</li> }).collect_view();
    let says = t.policies_replay_says(&t.number(replay.newly_denied), &t.number(replay.newly_allowed));
    let rows = rows(t, replay.rows);
    view! {
        {more}
        <ul class="policy-changes"><li>{says}</li></ul>
        <ul><li>{looked}</li>{notes}</ul>
        <Panel id="decisions" title=t.policies_replay_decisions()>{rows}</Panel>
    }
    .into_any()
}

fn rows(t: Text, rows: Vec<Replayed>) -> AnyView {
    let columns = vec![
        Column::text(t.policies_difference_who()),
        Column::text(t.policies_difference_change()),
        Column::text(t.policies_difference_what()),
        Column::text(t.policies_difference_thing()),
        Column::number(t.policies_replay_times()),
        Column::text(t.policies_replay_last()),
    ];
    let rows: Vec<Row> = rows.into_iter().map(|it| line(t, it)).collect();
    let empty = view! {
        <EmptyState heading=3 title=t.policies_replay_none()>{t.policies_replay_none_why()}</EmptyState>
    };
    view! { <Table caption=t.policies_replay_decisions() columns=columns rows=rows empty=empty.into_any()/> }
        .into_any()
}

fn line(t: Text, it: Replayed) -> Row {
    let thing = match it.kind {
        "organization" => t.policies_difference_organization().into_any(),
        _ => name(it.thing),
    };
    let times = t.number(u64::try_from(it.times).unwrap_or_default());
    let cells = cells![
        badge(t, it.change),
        t.action(it.action.name()),
        thing,
        times,
        view! { <Time at=it.last_at/> },
    ];
    let home = match it.who.id.split_once('_').map(|(kind, _)| kind) {
        Some("usr") => format!("/people/{}", it.who.id),
        Some("wkl") => format!("/workloads/{}", it.who.id),
        // The shell, and tokens made there, have no page.
        _ => return Row::plain(name(it.who), cells),
    };
    row(home, it.who.name.unwrap_or(it.who.id), cells)
}
