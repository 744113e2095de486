//! What a solver shows of a version: on its page, and wherever somebody decides about it.

use keywarden_domain::policy::{
    Policy, PolicyVersion, ShownPolicy,
    proof::{CounterExample, ExampleFact, NoSolver, Proof, ProofEnd, ProofState, Verdict},
};
use keywarden_model::Role;
use leptos::prelude::*;

use super::{names::Names, path};
use crate::{
    text::Text,
    ui::{Actions, Badge, Banner, Facts, LinkButton, Panel, Time, Tone, fact},
};

/// Seconds after which a page that follows a proof is loaded again.
pub(super) const AGAIN: &str = "5";

/// Whether there will be more to see without anybody doing anything.
pub(super) fn goes_on(shown: &ShownPolicy, version: &PolicyVersion) -> bool {
    match shown.proofs.get(&version.number).map(|it| &it.state) {
        Some(ProofState::Running) => true,
        Some(ProofState::Waiting) => shown.solver.is_ok(),
        Some(ProofState::Done(_)) | None => false,
    }
}

/// The page of a version that is loaded again while its proof goes on.
pub(super) fn followed(policy: &Policy, number: i64, follow: bool) -> String {
    let here = path(policy);
    if follow {
        format!("{here}?version={number}&follow=1#proof")
    } else {
        format!("{here}?version={number}#proof")
    }
}

/// All of it.
pub(super) fn panel(t: Text, shown: &ShownPolicy, version: &PolicyVersion, names: &Names) -> AnyView {
    let says = says(t, shown, version, names);
    view! { <Panel id="proof" title=t.proofs()>{says}</Panel> }.into_any()
}

/// The same on the version's own page, which can be loaded again until the proof has ended.
pub(super) fn following(
    t: Text,
    shown: &ShownPolicy,
    version: &PolicyVersion,
    names: &Names,
    follows: bool,
) -> AnyView {
    let says = says(t, shown, version, names);
    let again = goes_on(shown, version).then(|| {
        let label = if follows { t.rewrap_follow_stop() } else { t.rewrap_follow() };
        let there = followed(&shown.policy, version.number, !follows);
        view! { <Actions><LinkButton label=label href=there/></Actions> }
    });
    view! { <Panel id="proof" title=t.proofs()>{says}{again}</Panel> }.into_any()
}

fn says(t: Text, shown: &ShownPolicy, version: &PolicyVersion, names: &Names) -> AnyView {
    let proof = shown.proofs.get(&version.number);
    match proof.map(|it| (it, &it.state)) {
        None => match &shown.solver {
            Ok(_) => view! { <Banner title=t.proofs_none()>{t.proofs_none_why()}</Banner> }.into_any(),
            Err(why) => missing(t, why),
        },
        Some((_, ProofState::Waiting)) => match &shown.solver {
            Ok(_) => view! { <Banner title=t.proofs_waiting()>{t.proofs_waiting_why()}</Banner> }.into_any(),
            Err(why) => missing(t, why),
        },
        Some((proof, ProofState::Running)) => {
            let (done, of_all) = (number(t, proof.compared), number(t, proof.environments));
            let at = t.proofs_running_at(&done, &of_all);
            view! { <Banner title=t.proofs_running()>{at}</Banner> }.into_any()
        }
        Some((proof, ProofState::Done(end))) => ended(t, proof, end, names),
    }
}

/// There is no solver, and why.
fn missing(t: Text, why: &NoSolver) -> AnyView {
    let why = t.proofs_because(&why.0);
    view! { <Banner title=t.proofs_none()>{t.proofs_no_solver_why()} " " {why}</Banner> }.into_any()
}

fn ended(t: Text, proof: &Proof, end: &ProofEnd, names: &Names) -> AnyView {
    let stale = end.is_stale.then(|| {
        view! { <Banner tone=Tone::Warn title=t.proofs_stale()>{t.proofs_stale_why()}</Banner> }
    });
    let (tone, label, means) = match &end.verdict {
        Verdict::Equivalent => (Tone::Good, t.proofs_equivalent(), t.proofs_equivalent_means()),
        Verdict::Grants(_) => (Tone::Warn, t.proofs_grants(), t.proofs_grants_means()),
        Verdict::GrantsNothing(_) => (Tone::Good, t.proofs_grants_nothing(), t.proofs_grants_nothing_means()),
        Verdict::Narrows(_) => (Tone::Good, t.proofs_narrows(), t.proofs_narrows_means()),
        Verdict::NotRun(_) => (Tone::Warn, t.proofs_none(), t.proofs_not_run_means()),
        Verdict::Unproven(_) => (Tone::Warn, t.proofs_unproven(), t.proofs_unproven_means()),
    };
    let why = end.verdict.why().map(|why| view! { <p>{t.proofs_because(why)}</p> });
    let (done, of_all) = (number(t, proof.compared), number(t, proof.environments));
    let took = match end.took.as_secs() {
        0 => t.proofs_a_moment().to_owned(),
        seconds => t.proofs_seconds(&t.number(seconds)),
    };
    let facts = vec![
        fact(t.proofs_verdict(), view! { <Badge label=label tone=tone/> }),
        fact(t.proofs_compared(), t.proofs_compared_of(&done, &of_all)),
        fact(t.proofs_solver(), view! { <span translate="no">{end.solver.clone()}</span> }),
        fact(t.proofs_when(), view! { <Time at=end.at/> }),
        fact(t.proofs_took(), took),
    ];
    let example = end.verdict.counter_example().map(|it| {
        let facts = example(t, it, names);
        view! { <h3>{t.proofs_example()}</h3> <Facts facts=facts/> }
    });
    view! { {stale} <p>{means}</p> {why} <Facts facts=facts/> {example} }.into_any()
}

fn example(t: Text, it: &CounterExample, names: &Names) -> Vec<crate::ui::Fact> {
    let outcome = |allowed: bool| {
        let (label, tone) =
            if allowed { (t.proofs_let(), Tone::Good) } else { (t.proofs_refused(), Tone::Neutral) };
        view! { <Badge label=label tone=tone/> }
    };
    let mut facts = vec![
        fact(t.proofs_who(), who(t, it, names)),
        fact(t.proofs_does(), t.action(&it.action)),
        fact(t.proofs_thing(), thing(t, it, names)),
        fact(t.proofs_moment(), view! { <Time at=it.now/> }),
        fact(t.proofs_signed_in(), t.proofs_method(&it.method)),
    ];
    if let Some(address) = it.address.clone() {
        facts.push(fact(t.proofs_from(), view! { <code translate="no">{address}</code> }));
    }
    if let Some(age) = it.passkey_age {
        facts.push(fact(t.proofs_passkey(), t.proofs_passkey_ago(&number(t, age))));
    }
    for one in &it.facts {
        facts.push(fact(besides(t, one), view! { <code translate="no">{one.value.clone()}</code> }));
    }
    facts.push(fact(t.proofs_now(), outcome(it.before)));
    facts.push(fact(t.proofs_with_version(), outcome(it.after)));
    facts
}

/// What something that a policy looks at is called.
fn besides(t: Text, it: &ExampleFact) -> String {
    match it.of.as_str() {
        "clock" => t.proofs_of_clock(&it.name),
        "context" => t.proofs_of_moment(&it.name),
        "environment" => t.proofs_of_environment(&it.name),
        "project" => t.proofs_of_project(&it.name),
        "tag" => t.proofs_tag(&it.name),
        _ => t.proofs_of_thing(&it.name),
    }
}

fn who(t: Text, it: &CounterExample, names: &Names) -> String {
    let named = |kind| it.principal_id.as_ref().map(|id| names.named(t, kind, id));
    let who = match it.principal.as_str() {
        "operator" => t.proofs_shell().to_owned(),
        "workload" => named("Workload").unwrap_or_else(|| t.proofs_some_workload().to_owned()),
        _ => named("Person").unwrap_or_else(|| t.proofs_some_person().to_owned()),
    };
    let role =
        |role: &String| role.parse::<Role>().map_or_else(|_| role.clone(), |role| t.role(role).to_owned());
    let roles = it.roles.iter().map(role);
    let of_project = it.project_roles.iter().map(|it| t.proofs_project_role(&role(it)));
    let teams = it.teams.iter().map(|id| names.named(t, "Team", id));
    let held: Vec<_> = roles.chain(of_project).chain(teams).collect();
    if held.is_empty() { who } else { t.proofs_with_roles(&who, &held.join(", ")) }
}

fn thing(t: Text, it: &CounterExample, names: &Names) -> String {
    let kind = match it.resource.as_str() {
        "environment" => "Environment",
        "key" => "ApiKey",
        "organization" => "Organization",
        "project" => "Project",
        "secret" => "Secret",
        "team" => "Team",
        "workload" => "Workload",
        _ => "Person",
    };
    let what = t.policies_one_of(kind);
    let mut thing = match &it.resource_id {
        _ if kind == "Organization" => return t.policies_everywhere().to_owned(),
        Some(id) => names.named(t, kind, id),
        None => t.proofs_any_thing(&what.to_lowercase()),
    };
    let place = match (&it.environment, &it.project) {
        (Some(id), _) => Some(names.named(t, "Environment", id)),
        (None, Some(id)) if kind != "Project" => Some(names.named(t, "Project", id)),
        _ => None,
    };
    if let Some(place) = place {
        thing = t.proofs_in_place(&thing, &place);
    }
    if it.own {
        thing = t.proofs_of_their_own(&thing);
    }
    if it.owner {
        thing = t.proofs_an_owner(&thing);
    }
    thing
}

fn number(t: Text, n: i64) -> String {
    t.number(n.try_into().unwrap_or_default())
}
