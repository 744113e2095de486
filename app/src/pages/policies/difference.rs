//! `GET /policies/<id>/versions/<number>/difference` and `/policies/<id>/difference`: who would gain and who would lose what by
//! a version, or by doing without the policy.

use std::time::Duration;

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Domain, Op, Refused,
    policy::{
        Policy,
        difference::{
            Called, Change, Difference, DifferenceError, Grant, Line, PolicyChange, Row as Changed, RowKey,
            RowPage, Sum, When,
        },
    },
};
use keywarden_model::PolicyId;
use leptos::prelude::*;
use tokio::time::timeout;

use super::{load, path, version_of, way_to};
use crate::{
    cells,
    context::{Asking, House},
    form::{Fields, Params},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Badge, Banner, Column, EmptyState, LinkButton, PageHeader, Pager, Panel, Row, Table, Tone, row},
};

const PAGE: u32 = 50;
/// Lines before a step, which asks for a decision and not for an hour of reading.
const FEW: usize = 10;
/// What [`preview`] sends.
const PREVIEW: &str = "preview";
/// How long the page of a step waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where it stands what would change by a version, or without any.
pub(super) fn address(policy: &Policy, version: Option<i64>) -> String {
    match version {
        None => format!("{}/difference", path(policy)),
        Some(number) => format!("{}/versions/{number}/difference", path(policy)),
    }
}

pub(super) async fn version(
    State(house): State<House>,
    asking: Asking,
    Path((id, number)): Path<(String, String)>,
    params: Params,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies);
    let t = shell.text;
    match version_of(&house.domain, &op, &id, &number).await {
        Err(refused) => render::refused(&shell, refused),
        Ok((shown, version)) => {
            let title = t.policies_difference_version(&shown.policy.name, version.number);
            let change = PolicyChange::Version(version.number);
            show(&house, &shell, &op, (&shown.policy, change, title), &params).await
        }
    }
}

pub(super) async fn disabling(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    params: Params,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies);
    let t = shell.text;
    match load(&house.domain, &op, &id).await {
        Err(refused) => render::refused(&shell, refused),
        Ok(shown) => {
            let title = t.policies_difference_disabling(&shown.policy.name);
            show(&house, &shell, &op, (&shown.policy, PolicyChange::Disabled, title), &params).await
        }
    }
}

async fn show(
    house: &House,
    shell: &Shell,
    op: &Op,
    (policy, change, title): (&Policy, PolicyChange, String),
    params: &Params,
) -> Response {
    let after = params.some("after").and_then(|it| RowKey::parse(&it));
    let wanted = RowPage { after, limit: PAGE };
    let t = shell.text;
    let (way, back) = (way_to(t, policy), path(policy));
    let number = match change {
        PolicyChange::Disabled => None,
        PolicyChange::Version(number) => Some(number),
    };
    let here = address(policy, number);
    let view = match house.domain.policy_difference(op, policy.id, change, &wanted).await {
        Ok(found) => {
            let pager = Pager {
                shown: String::new(),
                first: params.any(&["after"]).then(|| params.first(&here)),
                next: found.next.as_ref().map(|it| params.after(&here, &it.to_string())),
            };
            whole(t, found, pager)
        }
        Err(DifferenceError::Text(errors)) => {
            let lines = errors.iter().map(|it| t.policies_at_line(it.line, it.column, &it.says));
            let told = t.policies_text_no_longer(&lines.collect::<Vec<_>>().join(" "));
            view! { <Banner tone=Tone::Warn title=told/> }.into_any()
        }
        Err(DifferenceError::Refused(refused)) => return render::refused(shell, refused),
    };
    let replay = here.replace("/difference", "/replay");
    page(shell, title.clone()).show(move || {
        let links = view! {
            <LinkButton label=t.policies_replay() href=replay/>
            <LinkButton label=t.policies_one() href=back/>
        };
        view! {
            <PageHeader title=title crumbs=way lead=t.policies_difference_lead() actions=links.into_any()/>
            {view}
        }
    })
}

/// The button of a form that asks what would change, and does nothing.
pub(crate) fn preview(t: Text) -> AnyView {
    let label = t.policies_difference_preview();
    view! { <button type="submit" class="button" name="do" value=PREVIEW>{label}</button> }.into_any()
}

/// Whether it was that button.
pub(crate) fn is_preview(fields: &Fields) -> bool {
    fields.text("do") == PREVIEW
}

/// What would change by an act, as the page before it tells.
#[derive(Debug)]
pub(crate) enum Impact {
    /// Whoever asks may not see all that would be told.
    Hidden,
    /// Nothing to say: the act changes nobody's standing, or it is not settled yet.
    None,
    /// This.
    Shown(Box<Difference>),
    /// It takes longer than the page waits, or cannot be found out. That keeps nobody from the act: it may be what mends.
    Unknown,
}

impl Impact {
    pub(super) async fn of(
        domain: &Domain,
        op: &Op,
        policy: PolicyId,
        change: PolicyChange,
    ) -> Result<Self, Refused> {
        match timeout(PATIENCE, domain.policy_difference(op, policy, change, &RowPage::default())).await {
            Ok(Ok(found)) => Ok(Self::Shown(Box::new(found))),
            Ok(Err(DifferenceError::Text(_))) => Ok(Self::None),
            Ok(Err(DifferenceError::Refused(refused))) => Self::without(refused),
            Err(_) => Ok(Self::Unknown),
        }
    }

    /// Of something that is given or taken.
    pub(crate) async fn given(domain: &Domain, op: &Op, grant: Grant) -> Result<Self, Refused> {
        match timeout(PATIENCE, domain.grant_difference(op, grant, &RowPage::default())).await {
            Ok(Ok(found)) => Ok(Self::Shown(Box::new(found))),
            Ok(Err(refused)) => Self::without(refused),
            Err(_) => Ok(Self::Unknown),
        }
    }

    fn without(refused: Refused) -> Result<Self, Refused> {
        match refused {
            Refused::Forbidden(_) => Ok(Self::Hidden),
            Refused::Fault(cause) => {
                tracing::error!(%cause, "what would change cannot be found out");
                Ok(Self::Unknown)
            }
            refused => Err(refused),
        }
    }
}

/// The most of it in short, above the form of the act; and where all of it stands.
pub(crate) fn panel(t: Text, impact: Impact, there: Option<&str>) -> Option<AnyView> {
    let (body, aside) = match impact {
        Impact::None => return None,
        Impact::Hidden => (view! { <p>{t.policies_difference_hidden()}</p> }.into_any(), None),
        Impact::Unknown => {
            let all = there.map(|there| view! { <a href=there.to_owned()>{t.policies_difference_all()}</a> });
            (view! { <p>{t.policies_difference_unknown()}</p> }.into_any(), all.map(IntoAny::into_any))
        }
        Impact::Shown(found) => {
            let all = there.map(|there| view! { <a href=there.to_owned()>{t.policies_difference_all()}</a> });
            let body = if found.is_none() {
                let why = found.left.nothing().then(|| t.policies_difference_none_why());
                view! { {cautions(t, &found)} <p>{none(t, &found)}". "{why}</p> }.into_any()
            } else {
                let (sums, cautions) = (sums(t, &found), cautions(t, &found));
                let left = found.lines.len().saturating_sub(FEW).saturating_add(found.more_lines);
                let more =
                    (left > 0).then(|| view! { <p>{t.policies_difference_more_lines(left as u64)}</p> });
                let lines = lines(t, found.lines.into_iter().take(FEW).collect());
                view! { {cautions} {sums} {lines} {more} }.into_any()
            };
            (body, all.map(IntoAny::into_any))
        }
    };
    Some(match aside {
        None => view! { <Panel id="difference" title=t.policies_difference()>{body}</Panel> }.into_any(),
        Some(aside) => {
            view! { <Panel id="difference" title=t.policies_difference() aside=aside>{body}</Panel> }
                .into_any()
        }
    })
}

fn whole(t: Text, found: Difference, pager: Pager) -> AnyView {
    let cautions = cautions(t, &found);
    let looked = t.policies_difference_looked(&t.number(found.people as u64), &t.number(found.things as u64));
    if found.is_none() {
        let why = found.left.nothing().then(|| t.policies_difference_none_why());
        return view! {
            {cautions}
            <EmptyState title=none(t, &found)>{why}" "{looked}</EmptyState>
        }
        .into_any();
    }
    let sums = sums(t, &found);
    let more = (found.more_lines > 0)
        .then(|| view! { <p>{t.policies_difference_more_lines(found.more_lines as u64)}</p> });
    let lines = lines(t, found.lines);
    let rows = rows(t, found.rows, pager);
    view! {
        {cautions}
        {sums}
        <p>{looked}</p>
        <Panel id="lines" title=t.policies_difference_lines()>{lines}{more}</Panel>
        <Panel id="rows" title=t.policies_difference_rows()>{rows}</Panel>
    }
    .into_any()
}

fn none(t: Text, found: &Difference) -> &'static str {
    if found.left.nothing() { t.policies_difference_none() } else { t.policies_difference_none_seen() }
}

/// What must be known besides, to read it right.
fn cautions(t: Text, found: &Difference) -> AnyView {
    let left = (!found.left.nothing()).then(|| {
        view! { <Banner tone=Tone::Warn title=t.policies_difference_left()>{t.policies_difference_left_why()}</Banner> }
    });
    let moody = found.moody.then(
        || view! { <Banner title=t.policies_difference_moody()>{t.policies_difference_moody_why()}</Banner> },
    );
    view! { {left} {moody} }.into_any()
}

/// A sentence for what is gained, lost, and perhaps either at other moments.
fn sums(t: Text, found: &Difference) -> AnyView {
    let whose = |sum: Sum| t.policies_whose(sum.people, sum.workloads);
    let now = [Change::Gained, Change::Lost].into_iter().filter_map(|change| {
        let sum = found.at_the_moment(change);
        let things = t.policies_difference_things(sum.things);
        let says = match change {
            Change::Gained => t.policies_difference_gain(&whose(sum), &things),
            Change::Lost => t.policies_difference_lose(&whose(sum), &things),
        };
        (sum.pairs > 0).then_some(says)
    });
    let perhaps = [Change::Gained, Change::Lost].into_iter().filter_map(|change| {
        let sum = *found.sums.get(&(change, When::Otherwise))?;
        let things = t.policies_difference_things(sum.things);
        Some(match change {
            Change::Gained => t.policies_difference_may_gain(&whose(sum), &things),
            Change::Lost => t.policies_difference_may_lose(&whose(sum), &things),
        })
    });
    let says = now.chain(perhaps).map(|says| view! { <li>{says}</li> }).collect_view();
    view! { <ul class="policy-changes">{says}</ul> }.into_any()
}

pub(super) fn badge(t: Text, change: Change) -> AnyView {
    let tone = match change {
        Change::Gained => Tone::Warn,
        Change::Lost => Tone::Info,
    };
    view! { <Badge label=t.policies_change(change) tone=tone/> }.into_any()
}

pub(super) fn name(called: Called) -> AnyView {
    match called.name {
        Some(name) => view! { <span translate="no">{name}</span> }.into_any(),
        None => view! { <code translate="no">{called.id}</code> }.into_any(),
    }
}

fn lines(t: Text, lines: Vec<Line>) -> AnyView {
    let columns = vec![
        Column::text(t.policies_difference_what()),
        Column::text(t.policies_difference_change()),
        Column::text(t.policies_difference_who()),
        Column::text(t.policies_difference_thing()),
        Column::text(t.policies_difference_where()),
        Column::text(t.policies_difference_when()),
    ];
    let rows = lines.into_iter().map(|it| {
        let place = match (it.project, it.environment) {
            (None, _) => t.policies_everywhere().into_any(),
            (Some(project), None) => name(project),
            (Some(project), Some(environment)) => {
                view! { {name(project)} " / " {name(environment)} }.into_any()
            }
        };
        let cells = cells![
            badge(t, it.change),
            t.policies_whose(it.sum.people, it.sum.workloads),
            t.policies_count(it.kind, it.sum.things),
            place,
            t.policies_difference_moment(it.when),
        ];
        Row::plain(t.action(it.action.name()), cells)
    });
    let rows = rows.collect();
    view! { <Table caption=t.policies_difference_lines() columns=columns rows=rows/> }.into_any()
}

fn rows(t: Text, rows: Vec<Changed>, pager: Pager) -> AnyView {
    let columns = vec![
        Column::text(t.policies_difference_who()),
        Column::text(t.policies_difference_change()),
        Column::text(t.policies_difference_what()),
        Column::text(t.policies_difference_thing()),
        Column::text(t.policies_difference_when()),
    ];
    let rows = rows.into_iter().map(|it| {
        let home = if it.who.id.starts_with("wkl_") { "workloads" } else { "people" };
        let home = format!("/{home}/{}", it.who.id);
        let thing = match it.kind {
            "organization" => t.policies_difference_organization().into_any(),
            _ => name(it.thing),
        };
        let cells = cells![
            badge(t, it.change),
            t.action(it.action.name()),
            thing,
            t.policies_difference_moment(it.when)
        ];
        row(home, it.who.name.unwrap_or(it.who.id), cells)
    });
    let rows = rows.collect();
    view! { <Table caption=t.policies_difference_rows() columns=columns rows=rows pager=pager/> }.into_any()
}
