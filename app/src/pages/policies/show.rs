//! A policy: what it says, its text, its versions, and what can be done with them.

use axum::{
    extract::{Path, State},
    http::{HeaderValue, header},
    response::Response,
};
use keywarden_domain::{
    Action, Domain, Op, Refused, Resource,
    authz::PolicyScope,
    policy::{Policy, PolicyVersion, ShownPolicy, form::Form},
};
use keywarden_model::PolicyState;
use leptos::prelude::*;

use super::{
    difference, load,
    names::{Names, Place},
    path, place, proof, saved_tests,
    sentence::sentence,
    steps::Step,
    tone, way,
};
use crate::{
    cells,
    context::{Asking, House},
    form::Params,
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{
        Badge, Banner, ButtonKind, CodeBlock, Column, EmptyState, Facts, FilterSelect, Id, LinkButton,
        PageHeader, Panel, Row, Table, Time, Tone, choice, fact, row,
    },
};

/// What whoever looks may do with it.
#[derive(Clone, Copy, Debug)]
struct May {
    write: bool,
    approve: bool,
    turn: bool,
    disable: bool,
    /// See who may do what, and so what would change.
    explain: bool,
}

impl May {
    async fn ask(domain: &Domain, op: &Op, policy: &Policy) -> Result<Self, Refused> {
        let home = match policy.scope {
            PolicyScope::Organization => Resource::Organization,
            PolicyScope::Project(project) => Resource::Project(project),
        };
        Ok(Self {
            write: domain.would(op, Action::DraftPolicy, &home).await?,
            approve: domain.would(op, Action::ApprovePolicy, &home).await?,
            turn: domain.would(op, Action::ActivatePolicy, &home).await?,
            disable: domain.would(op, Action::DisablePolicy, &home).await?,
            explain: domain.may_explain(op, &home).await?,
        })
    }

    fn step(self, step: Step) -> bool {
        match step {
            Step::Activate | Step::RollBack => self.turn,
            Step::Approve => self.approve,
            Step::Prove | Step::Submit | Step::Withdraw => self.write,
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
        let place = place(&house.domain, &op, &shown.policy).await?;
        let names = Names::load(&house.domain, &op, &place).await?;
        let may = May::ask(&house.domain, &op, &shown.policy).await?;
        let wanted = match params.read::<i64>("version") {
            None => shown.active().or(shown.versions.first()),
            Some(number) => shown.versions.iter().find(|it| it.number == number),
        };
        let version = wanted.cloned().ok_or(Refused::NotFound)?;
        let ran = saved_tests::under(&house.domain, &op, &shown.policy, &version).await?;
        Ok((shown, version, place, names, may, ran))
    };
    let (shown, version, place, names, may, ran) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    let t = shell.text;
    let follows = params.text("follow") == "1" && proof::goes_on(&shown, &version);
    let mut response = page(&shell, shown.policy.name.clone()).show(move || {
        let here = path(&shown.policy);
        let state = view! { <Badge label=t.policy_state(version.state) tone=tone(version.state)/> };
        let ending = shown.policy.ending_by.as_ref().map(|by| {
            let who = names.named(t, "Person", by);
            view! { <Banner tone=Tone::Warn title=t.policies_ending(&who)/> }
        });
        let title = t.policies_version(version.number);
        let said = says(t, &version, &names);
        let proven = proof::following(t, &shown, &version, &names, follows);
        let known = facts(t, &shown.policy, &version, &place, &names);
        let table = versions(t, &here, &shown.versions, &names, may);
        let comparing = (shown.versions.len() > 1).then(|| comparison(t, &here, &shown.versions));
        let actions = actions(t, &shown, &version, may);
        let name = shown.policy.name.clone();
        view! {
            <PageHeader title=name named=true crumbs=way(t) state=state.into_any() actions=actions/>
            {ending}
            <Panel id="says" title=t.policies_says()>{said}</Panel>
            <Panel id="version" title=title>{known}</Panel>
            {saved_tests::panel(t, ran, &shown.policy)}
            {proven}
            <CodeBlock id="text" label=t.policies_text() text=version.text.clone()/>
            <Panel id="versions" title=t.policies_versions()>{table}{comparing}</Panel>
        }
    });
    if follows {
        // Asked for by whoever reads it, and ends with the proof.
        response.headers_mut().insert(header::REFRESH, HeaderValue::from_static(proof::AGAIN));
    }
    response
}

fn actions(t: Text, shown: &ShownPolicy, version: &PolicyVersion, may: May) -> AnyView {
    let here = path(&shown.policy);
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
        view! { <LinkButton label=t.policies_edit() href=there/> }
    });
    let there = difference::address(&shown.policy, Some(version.number));
    let changes = (may.explain && version.state != PolicyState::Active)
        .then(|| view! { <LinkButton label=t.policies_difference() href=there/> });
    let active = shown.active().is_some();
    let disable = (may.disable && active)
        .then(|| view! { <LinkButton label=t.policies_disable() href=format!("{here}/disable")/> });
    let events = format!("/audit?resource={}", shown.policy.id);
    view! { {steps} {changes} {edit} {disable} <LinkButton label=t.policies_what_happened() href=events/> }
        .into_any()
}

/// The sentence, or why there is none.
fn says(t: Text, version: &PolicyVersion, names: &Names) -> AnyView {
    match Form::read(&version.text) {
        Ok(form) => sentence(t, &form, names),
        Err(why) => {
            let why = t.policies_not_shown(&why);
            view! { <Banner title=t.policies_only_text()>{why}</Banner> }.into_any()
        }
    }
}

fn facts(t: Text, policy: &Policy, version: &PolicyVersion, place: &Place, names: &Names) -> AnyView {
    let home = match place {
        Place::Organization => t.policies_everywhere().into_any(),
        Place::Project { name, .. } => view! { <span translate="no">{name.clone()}</span> }.into_any(),
    };
    let mut facts = vec![
        fact(t.policies_state(), t.policy_state_means(version.state)),
        fact(t.policies_effect_column(), t.policy_effect(version.effect)),
        fact(t.policies_where(), home),
        fact(t.policies_who_wrote(), actor(t, names, &version.created_by)),
        fact(t.policies_when_written(), view! { <Time at=version.created_at/> }),
    ];
    if let Some((at, by)) = version.approved.clone() {
        facts.push(fact(t.policies_approved_by(), view! { {actor(t, names, &by)} " " <Time at=at/> }));
    }
    if let Some((at, by)) = version.scheduled.clone() {
        facts.push(fact(t.policies_starts(), view! { <Time at=at/> " " {actor(t, names, &by)} }));
    }
    if let Some((at, by)) = version.activated.clone() {
        facts.push(fact(t.policies_decides_since(), view! { <Time at=at/> " " {actor(t, names, &by)} }));
    }
    if let Some(at) = version.ended_at {
        facts.push(fact(t.policies_decided_until(), view! { <Time at=at/> }));
    }
    if !version.note.as_str().is_empty() {
        let note = version.note.as_str().to_owned();
        facts.push(fact(t.policies_note(), view! { <span translate="no">{note}</span> }));
    }
    facts.push(fact(t.policies_id(), view! { <Id value=policy.id.to_string()/> }));
    view! { <Facts facts=facts/> }.into_any()
}

/// Who did something: a person by name, where it is known.
fn actor(t: Text, names: &Names, id: &str) -> AnyView {
    if !id.starts_with("usr_") {
        return view! { <code translate="no">{id.to_owned()}</code> }.into_any();
    }
    let (name, there) = (names.named(t, "Person", id), format!("/people/{id}"));
    view! { <a href=there translate="no">{name}</a> }.into_any()
}

fn versions(t: Text, here: &str, versions: &[PolicyVersion], names: &Names, may: May) -> AnyView {
    let columns = vec![
        Column::text(t.policies_versions()),
        Column::text(t.policies_state()),
        Column::text(t.policies_who_wrote()),
        Column::text(t.policies_when_written()),
        Column::text(t.policies_decides_since()),
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
                view! { <Badge label=t.policy_state(it.state) tone=tone(it.state)/> },
                actor(t, names, &it.created_by),
                view! { <Time at=it.created_at/> },
                view! { <Time at=it.activated.as_ref().map(|(at, _)| *at)/> },
                view! { <span class="policy-steps">{steps}</span> },
            ];
            row(format!("{here}?version={}", it.number), title, cells)
        })
        .collect();
    let empty =
        view! { <EmptyState heading=3 title=t.policies_versions()>{t.policies_none_decides()}</EmptyState> };
    view! { <Table caption=t.policies_versions() columns=columns rows=rows empty=empty.into_any()/> }
        .into_any()
}

fn comparison(t: Text, here: &str, versions: &[PolicyVersion]) -> AnyView {
    let choices =
        || versions.iter().map(|it| choice(it.number.to_string(), t.policies_version(it.number))).collect();
    let (newest, before) = (versions.first(), versions.get(1));
    let number = |it: Option<&PolicyVersion>| it.map(|it| it.number.to_string()).unwrap_or_default();
    view! {
        <form method="get" action=format!("{here}/compare") class="filter-form policy-compare">
            <FilterSelect name="from" label=t.policies_compare_from() chosen=number(before) choices=choices()/>
            <FilterSelect name="to" label=t.policies_compare_to() chosen=number(newest) choices=choices()/>
            <button type="submit" class="button">{t.policies_compare()}</button>
        </form>
    }
    .into_any()
}
