//! Whether the newest backup would come back: what was looked at, when, and asking for another look.

use axum::{extract::State, response::Response};
use keywarden_domain::backup::{Backups, Drill, DrillError, DrillReport, DrillSeal, DrillState};
use leptos::prelude::*;

use crate::{
    cells,
    context::{Asking, House, Posted},
    render,
    shell::Section,
    text::Text,
    ui::{Act, Actions, Badge, Banner, Column, EmptyState, Panel, Row, Table, Time, Tone},
};

/// The last look found something wrong: above everything else.
pub(super) fn warning(t: Text, kept: &Backups) -> Option<AnyView> {
    let ended = kept.drills.iter().find(|drill| drill.ended_at.is_some())?;
    (ended.state == DrillState::Failed).then(|| {
        view! { <Banner tone=Tone::Bad title=t.drills_last_failed()>{t.drills_last_failed_why()}</Banner> }
            .into_any()
    })
}

pub(super) fn section(t: Text, kept: &Backups) -> AnyView {
    let (drills, verbs) = (drills(t, kept), verbs(t, kept));
    view! {
        <Panel id="drills" title=t.drills()>{drills}{verbs}</Panel>
    }
    .into_any()
}

fn verbs(t: Text, kept: &Backups) -> Option<AnyView> {
    kept.may_drill.then(|| {
        view! { <Actions><Act id="drill" label=t.drills_begin() action="/system/drills"/></Actions> }
            .into_any()
    })
}

fn drills(t: Text, kept: &Backups) -> AnyView {
    if kept.drills.is_empty() {
        let cli = "keywarden backup drill";
        return view! {
            <EmptyState heading=3 title=t.drills_none() cli=cli>{t.drills_what()}</EmptyState>
        }
        .into_any();
    }
    let rows = kept.drills.iter().map(|drill| row(t, drill)).collect();
    let columns = vec![
        Column::text(t.drills_when()),
        Column::text(t.drills_backup_of()),
        Column::text(t.projects_state()),
        Column::number(t.drills_took()),
        Column::text(t.drills_looked_at()),
        Column::text(t.drills_wrong()),
    ];
    view! { <Table caption=t.drills() columns=columns rows=rows/> }.into_any()
}

fn row(t: Text, drill: &Drill) -> Row {
    let state = match drill.state {
        DrillState::Asked => view! { <Badge label=t.drills_asked()/> },
        DrillState::Failed => view! { <Badge label=t.drills_failed() tone=Tone::Bad/> },
        DrillState::Passed => view! { <Badge label=t.drills_passed() tone=Tone::Good/> },
        DrillState::Running => view! { <Badge label=t.drills_running() tone=Tone::Info/> },
    };
    let took =
        drill.took().map_or_else(|| "—".to_owned(), |took| t.drills_seconds(&t.number(took.as_secs())));
    let cells = cells![
        view! { <Time at=drill.made_at/> },
        state,
        took,
        looked_at(t, drill.report.as_ref()),
        wrong(t, drill.report.as_ref()),
    ];
    Row::plain(view! { <Time at=drill.asked_at/> }, cells)
}

/// What was looked at, and under what it came back.
fn looked_at(t: Text, report: Option<&DrillReport>) -> String {
    let Some(it) = report else { return "—".to_owned() };
    let [rows, events, opened, compared] = [it.rows, it.events, it.opened, it.compared].map(|n| t.number(n));
    let counts = t.drills_counts(&rows, &events, &opened, &compared);
    match &it.seal {
        Some(DrillSeal::Token) => format!("{counts}. {}", t.drills_token()),
        Some(DrillSeal::Software { why }) => format!("{counts}. {}", t.drills_software(why)),
        None => counts,
    }
}

/// What was wrong, and what only seals of projects open.
fn wrong(t: Text, report: Option<&DrillReport>) -> AnyView {
    match report {
        Some(it) if !it.failures.is_empty() || !it.apart.is_empty() => {
            let apart = it.apart.iter().map(|apart| t.drills_apart(apart));
            let told =
                it.failures.iter().cloned().chain(apart).map(|told| view! { <li>{told}</li> }).collect_view();
            view! { <ul>{told}</ul> }.into_any()
        }
        _ => view! { "—" }.into_any(),
    }
}

pub(super) async fn ask(State(house): State<House>, asking: Asking, posted: Posted) -> Response {
    let Asking { shell, op } = asking.at(Section::System).once(&posted);
    let t = shell.text;
    let said = match house.domain.ask_for_drill(&op).await {
        Ok(_) => t.drills_asked_now(),
        Err(DrillError::NoKey) => t.drills_no_key(),
        Err(DrillError::Off) => t.drills_off(),
        Err(DrillError::UnderWay) => t.drills_under_way(),
        Err(DrillError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
    };
    render::done(&shell, "/system", said)
}
