//! A standard: what it asks for, what breaks it, its versions, and what can be done with them.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Action, Domain, Op, Refused, Resource,
    authz::PolicyScope,
    standards::{Found, Report, ReportPlace, ShownStandard, Standard, StandardVersion, Tally, Thing},
};
use keywarden_model::PolicyState;
use leptos::prelude::*;

use super::{actor, held, load, path, place, steps::Step, tone, way};
use crate::{
    cells,
    context::{Asking, House},
    form::Params,
    pages::{
        listing::href,
        policies::names::{Names, Place},
    },
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{
        Badge, Banner, ButtonKind, Column, EmptyState, Facts, Id, LinkButton, PageHeader, Pager, Panel, Row,
        Table, Time, Tone, fact, row,
    },
};

/// Things on one page of the report.
const PAGE: u32 = 25;

/// What whoever looks may do with it.
#[derive(Clone, Copy, Debug)]
struct May {
    write: bool,
    approve: bool,
    turn: bool,
    end: bool,
}

impl May {
    async fn ask(domain: &Domain, op: &Op, standard: &Standard) -> Result<Self, Refused> {
        let home = match standard.scope {
            PolicyScope::Organization => Resource::Organization,
            PolicyScope::Project(project) => Resource::Project(project),
        };
        Ok(Self {
            write: domain.would(op, Action::DraftPolicy, &home).await?,
            approve: domain.would(op, Action::ApprovePolicy, &home).await?,
            turn: domain.would(op, Action::ActivatePolicy, &home).await?,
            end: domain.would(op, Action::DisablePolicy, &home).await?,
        })
    }

    fn step(self, step: Step) -> bool {
        match step {
            Step::Activate | Step::RollBack => self.turn,
            Step::Approve => self.approve,
            Step::Submit | Step::Withdraw => self.write,
        }
    }
}

pub(super) async fn show(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    params: Params,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies);
    let loaded = async {
        let shown = load(&house.domain, &op, &id).await?;
        let place = place(&house.domain, &op, shown.standard.scope).await?;
        let names = Names::load(&house.domain, &op, &place).await?;
        let may = May::ask(&house.domain, &op, &shown.standard).await?;
        let wanted = match params.read::<i64>("version") {
            None => shown.active().or(shown.versions.first()),
            Some(number) => shown.versions.iter().find(|it| it.number == number),
        };
        let version = wanted.cloned().ok_or(Refused::NotFound)?;
        let (id, number) = (shown.standard.id, version.number);
        let after = params.read::<ReportPlace>("after");
        let broken = if version.rules.is_some() {
            let report = house.domain.standard_report(&op, id, number, after, PAGE).await?;
            Some((report, house.domain.standard_tally(&op, id, number).await?))
        } else {
            None
        };
        Ok((shown, version, place, names, may, broken))
    };
    let (shown, version, place, names, may, broken) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    let t = shell.text;
    page(&shell, shown.standard.name.clone()).show(move || {
        let here = path(&shown.standard);
        let state = view! { <Badge label=t.standard_state(version.state) tone=tone(version.state)/> };
        let ending = shown.standard.ending_by.as_ref().map(|by| {
            let who = names.named(t, "Person", by);
            view! { <Banner tone=Tone::Warn title=t.standards_ending(&who)/> }
        });
        let title = t.policies_version(version.number);
        let known = facts(t, &shown.standard, &version, &place, &names);
        let asks = held::said(t, version.rules.as_ref());
        let asks = asks.into_iter().map(|it| view! { <li>{it}</li> }).collect_view();
        let report = broken.map(|broken| {
            let report = report(t, &here, &params, broken);
            view! { <Panel id="report" title=t.standards_report()>{report}</Panel> }
        });
        let unreadable = version.rules.is_none().then(|| {
            let active = version.state == PolicyState::Active;
            let why = if active { t.standards_unreadable_active() } else { t.standards_unreadable_why() };
            view! { <Banner tone=Tone::Bad title=t.standards_unreadable()>{why}</Banner> }
        });
        let table = versions(t, &here, &shown.versions, &names, may);
        let actions = actions(t, &shown, &version, may);
        let name = shown.standard.name.clone();
        view! {
            <PageHeader title=name named=true crumbs=way(t) state=state.into_any() actions=actions/>
            {ending}
            {unreadable}
            <Panel id="asks" title=t.standards_asks()><ul>{asks}</ul></Panel>
            {report}
            <Panel id="version" title=title>{known}</Panel>
            <Panel id="versions" title=t.policies_versions()>{table}</Panel>
        }
    })
}

fn actions(t: Text, shown: &ShownStandard, version: &StandardVersion, may: May) -> AnyView {
    let here = path(&shown.standard);
    let waits = version.state == PolicyState::InReview && version.approved.is_none();
    let primary = if waits { Step::Approve } else { Step::Activate };
    let steps = Step::of(version.state).filter(|it| may.step(*it)).map(|step| {
        let kind = if step == primary { ButtonKind::Primary } else { ButtonKind::Quiet };
        let there = format!("{here}/versions/{}/{}", version.number, step.slug());
        view! { <LinkButton kind=kind label=step.label(t) href=there/> }
    });
    let steps = steps.collect_view();
    let edit = may.write.then(|| {
        let there = format!("{here}/edit?version={}", version.number);
        view! { <LinkButton label=t.standards_edit() href=there/> }
    });
    let end = (may.end && shown.active().is_some())
        .then(|| view! { <LinkButton label=t.standards_end() href=format!("{here}/end")/> });
    view! { {edit}{end}{steps} }.into_any()
}

fn report(t: Text, here: &str, params: &Params, (report, tally): (Report, Tally)) -> AnyView {
    let said = t.standard_tally(tally);
    let columns = vec![
        Column::text(t.standards_thing()),
        Column::text(t.standards_place()),
        Column::text(t.standards_asks()),
    ];
    let later = report.next.is_some();
    let next = report.next.map(|it| {
        let version = params.text("version");
        href(here, &[("version", version), ("after", it.to_string().as_str())])
    });
    let first = params.any(&["after"]).then(|| href(here, &[("version", params.text("version"))]));
    let pager = Pager { shown: String::new(), first, next };
    let rows: Vec<Row> = report.found.into_iter().map(|it| breaks(t, it)).collect();
    let why = if later { t.standards_report_later() } else { t.standards_report_clean_why() };
    let empty = view! { <EmptyState heading=3 title=t.standards_report_clean()>{why}</EmptyState> };
    view! {
        <p>{said}</p>
        <Table caption=t.standards_report() columns=columns rows=rows pager=pager empty=empty.into_any()/>
    }
    .into_any()
}

fn breaks(t: Text, found: Found) -> Row {
    let Found { thing, project_slug, environment_slug, demands } = found;
    let (there, name) = match thing {
        Thing::Environment(_) => {
            (format!("/projects/{project_slug}/environments/{environment_slug}"), environment_slug.clone())
        }
        Thing::Key(id, name) => (format!("/keys/{id}"), name),
        Thing::Secret(id, path) => (format!("/secrets/{id}"), path),
    };
    let home = format!("{project_slug} / {environment_slug}");
    let cells = cells![view! { <span translate="no">{home}</span> }, held::demanded(t, &demands)];
    row(there, name, cells)
}

fn facts(t: Text, standard: &Standard, version: &StandardVersion, place: &Place, names: &Names) -> AnyView {
    let home = match place {
        Place::Organization => t.standards_everywhere().into_any(),
        Place::Project { name, .. } => view! { <span translate="no">{name.clone()}</span> }.into_any(),
    };
    let environments = version.rules.as_ref().map(|rules| {
        let named: Vec<_> = rules.environments.iter().map(|it| it.as_str().to_owned()).collect();
        if named.is_empty() {
            return t.standards_environments_all().into_any();
        }
        view! { <span translate="no">{named.join(", ")}</span> }.into_any()
    });
    let mut facts = vec![
        fact(t.policies_state(), t.standard_state(version.state)),
        fact(t.standards_where(), home),
        fact(t.policies_who_wrote(), actor(t, names, &version.created_by)),
        fact(t.policies_when_written(), view! { <Time at=version.created_at/> }),
    ];
    facts.extend(environments.map(|it| fact(t.standards_environments(), it)));
    if let Some((at, by)) = version.approved.clone() {
        facts.push(fact(t.policies_approved_by(), view! { {actor(t, names, &by)} " " <Time at=at/> }));
    }
    if let Some((at, by)) = version.activated.clone() {
        facts.push(fact(t.standards_since(), view! { <Time at=at/> " " {actor(t, names, &by)} }));
    }
    if let Some(at) = version.ended_at {
        facts.push(fact(t.standards_until(), view! { <Time at=at/> }));
    }
    if !version.note.as_str().is_empty() {
        let note = version.note.as_str().to_owned();
        facts.push(fact(t.standards_about(), view! { <span translate="no">{note}</span> }));
    }
    facts.push(fact(t.policies_id(), view! { <Id value=standard.id.to_string()/> }));
    view! { <Facts facts=facts/> }.into_any()
}

fn versions(t: Text, here: &str, versions: &[StandardVersion], names: &Names, may: May) -> AnyView {
    let columns = vec![
        Column::text(t.policies_versions()),
        Column::text(t.policies_state()),
        Column::text(t.policies_who_wrote()),
        Column::text(t.policies_when_written()),
        Column::text(t.standards_since()),
        Column::text(t.policies_next()),
    ];
    let rows: Vec<Row> = versions
        .iter()
        .map(|it| {
            let title = t.policies_version(it.number);
            let steps = Step::of(it.state).filter(|step| may.step(*step)).map(|step| {
                let there = format!("{here}/versions/{}/{}", it.number, step.slug());
                let name = format!("{}: {title}", step.label(t));
                view! { <a href=there aria-label=name>{step.label(t)}</a> " " }
            });
            let steps = steps.collect_view();
            let cells = cells![
                view! { <Badge label=t.standard_state(it.state) tone=tone(it.state)/> },
                actor(t, names, &it.created_by),
                view! { <Time at=it.created_at/> },
                view! { <Time at=it.activated.as_ref().map(|(at, _)| *at)/> },
                view! { <span class="policy-steps">{steps}</span> },
            ];
            row(format!("{here}?version={}", it.number), title, cells)
        })
        .collect();
    view! { <Table caption=t.policies_versions() columns=columns rows=rows/> }.into_any()
}
