//! What happens to a version: each step has its page, which says what follows, and its post.

use axum::{
    extract::{Path, State},
    response::Response,
};
use chrono::{DateTime, Utc};
use keywarden_domain::{
    Domain, Op, Refused,
    policy::{Activate, ChangePolicyError, Policy, PolicyVersion, ShownPolicy, difference::PolicyChange},
};
use keywarden_model::{PolicyEffect, PolicyId, PolicyState};
use leptos::prelude::*;

use super::{
    difference::{self, Impact},
    names::Names,
    path, place, proof, version_of, way_to,
};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Confirm, Form, Hidden, PageHeader, TextField, TextKind},
};

/// A step of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Activate,
    Approve,
    Prove,
    RollBack,
    Submit,
    Withdraw,
}

impl Step {
    const ALL: [Self; 6] =
        [Self::Activate, Self::Approve, Self::Prove, Self::RollBack, Self::Submit, Self::Withdraw];

    /// Its name in addresses.
    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Approve => "approve",
            Self::Prove => "prove",
            Self::RollBack => "roll-back",
            Self::Submit => "submit",
            Self::Withdraw => "withdraw",
        }
    }

    /// The button.
    pub(super) fn label(self, t: Text) -> &'static str {
        match self {
            Self::Activate => t.policies_activate(),
            Self::Approve => t.policies_approve(),
            Self::Prove => t.proofs_prove(),
            Self::RollBack => t.policies_roll_back(),
            Self::Submit => t.policies_submit(),
            Self::Withdraw => t.policies_withdraw(),
        }
    }

    /// Whether a version in this state may take it.
    pub(super) fn suits(self, state: PolicyState) -> bool {
        match self {
            Self::Activate | Self::Withdraw => state.is_open(),
            Self::Approve => state == PolicyState::InReview,
            Self::Prove => state.is_open() || state == PolicyState::Superseded,
            Self::RollBack => state == PolicyState::Superseded,
            Self::Submit => state == PolicyState::Draft,
        }
    }

    /// Those that a version in this state may take.
    pub(super) fn of(state: PolicyState) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |it| it.suits(state))
    }

    fn title(self, t: Text, name: &str, number: i64) -> String {
        match self {
            Self::Activate => t.policies_activate_title(name, number),
            Self::Approve => t.policies_approve_title(name, number),
            Self::Prove => t.proofs_prove_title(name, number),
            Self::RollBack => t.policies_roll_back_title(name, number),
            Self::Submit => t.policies_submit_title(name, number),
            Self::Withdraw => t.policies_withdraw_title(name, number),
        }
    }

    fn done(self, t: Text) -> &'static str {
        match self {
            Self::Activate => t.policies_activated(),
            Self::Approve => t.policies_approved(),
            Self::Prove => t.proofs_asked(),
            Self::RollBack => t.policies_rolled_back(),
            Self::Submit => t.policies_submitted(),
            Self::Withdraw => t.policies_withdrawn(),
        }
    }

    fn consequences(self, t: Text, shown: &ShownPolicy, version: &PolicyVersion) -> Vec<String> {
        let turns = |t: Text| {
            let what = match version.effect {
                PolicyEffect::Forbid => t.policies_activate_forbids(),
                PolicyEffect::Permit => t.policies_activate_permits(),
            };
            let active = shown.versions.iter().find(|it| it.state == PolicyState::Active);
            let replaces = active.map(|it| t.policies_activate_replaces(it.number));
            [Some(t.policies_activate_what().to_owned()), Some(what.to_owned()), replaces]
        };
        match self {
            Self::Activate | Self::RollBack => turns(t).into_iter().flatten().collect(),
            Self::Approve => {
                vec![t.policies_approve_what().to_owned(), t.policies_approve_not_own().to_owned()]
            }
            Self::Prove => vec![t.proofs_prove_what().to_owned()],
            Self::Submit => vec![t.policies_submit_what().to_owned()],
            Self::Withdraw => vec![t.policies_withdraw_what().to_owned()],
        }
    }

    /// What would change by it, for the steps that let a version decide or lead there.
    async fn impact(
        self,
        domain: &Domain,
        op: &Op,
        shown: &ShownPolicy,
        version: &PolicyVersion,
    ) -> Result<Impact, Refused> {
        match self {
            Self::Activate | Self::Approve | Self::RollBack => {
                Impact::of(domain, op, shown.policy.id, PolicyChange::Version(version.number)).await
            }
            Self::Prove | Self::Submit | Self::Withdraw => Ok(Impact::None),
        }
    }

    async fn take(
        self,
        domain: &Domain,
        op: &Op,
        id: PolicyId,
        number: i64,
        at: Option<DateTime<Utc>>,
        row_version: i64,
    ) -> Result<PolicyId, ChangePolicyError> {
        match self {
            Self::Activate => {
                domain.activate_policy(op, id, Activate { version: number, at, row_version }).await
            }
            Self::Approve => domain.approve_policy(op, id, number, row_version).await,
            Self::Prove => domain.ask_for_proof(op, id, number).await,
            Self::RollBack => domain.roll_back_policy(op, id, number, row_version).await,
            Self::Submit => domain.submit_policy(op, id, number, row_version).await,
            Self::Withdraw => domain.withdraw_policy(op, id, number, row_version).await,
        }
    }
}

type Address = Path<(String, String, String)>;

fn step(slug: &str) -> Option<Step> {
    Step::ALL.into_iter().find(|it| it.slug() == slug)
}

pub(super) async fn before(
    State(house): State<House>,
    asking: Asking,
    Path((id, number, slug)): Address,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies);
    let Some(step) = step(&slug) else { return render::not_found(&shell) };
    let loaded = async {
        let (shown, version) = version_of(&house.domain, &op, &id, &number).await?;
        let impact = step.impact(&house.domain, &op, &shown, &version).await?;
        let names = known(&house.domain, &op, &shown.policy).await;
        Ok((shown, version, (impact, names)))
    };
    match loaded.await {
        Ok((shown, version, impact)) => draw(&shell, step, (&shown, &version), impact, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn take(
    State(house): State<House>,
    asking: Asking,
    Path((id, number, slug)): Address,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies).once(&posted);
    let t = shell.text;
    let Some(step) = step(&slug) else { return render::not_found(&shell) };
    let (shown, version) = match version_of(&house.domain, &op, &id, &number).await {
        Ok(found) => found,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    let at = errors.moment(t, &posted.fields, "at");
    let seen = posted.fields.text("row_version").parse().ok();
    if seen.is_none() {
        errors.whole(t.form_unreadable());
    }
    if let (Some(seen), false) = (seen, errors.any()) {
        let policy = &shown.policy;
        match step.take(&house.domain, &op, policy.id, version.number, at, seen).await {
            Ok(_) => {
                let said = if at.is_some() { t.policies_scheduled() } else { step.done(t) };
                let there = match step {
                    Step::Prove => proof::followed(policy, version.number, true),
                    _ => path(policy),
                };
                return render::done(&shell, &there, said);
            }
            Err(ChangePolicyError::Refused(refused)) => {
                return house.refused(&shell, &op, &posted, refused).await;
            }
            Err(error) => wrong(t, &mut errors, &error),
        }
    }
    let impact = match step.impact(&house.domain, &op, &shown, &version).await {
        Ok(impact) => impact,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let names = known(&house.domain, &op, &shown.policy).await;
    draw(&shell, step, (&shown, &version), (impact, names), Draft::refused(posted.fields, errors))
}

/// What things are called, as far as this person may see them.
async fn known(domain: &Domain, op: &Op, policy: &Policy) -> Names {
    let Ok(place) = place(domain, op, policy).await else { return Names::default() };
    Names::load(domain, op, &place).await.unwrap_or_default()
}

/// Why a step was not taken, in the catalogue's words.
pub(super) fn wrong(t: Text, errors: &mut Errors, error: &ChangePolicyError) {
    match error {
        ChangePolicyError::ChangedMeanwhile => errors.whole(t.policies_changed_meanwhile()),
        ChangePolicyError::FailsTests(failing) => {
            let others = (failing.others > 0).then(|| t.policies_tests_others(failing.others));
            let names: Vec<_> = failing.named.iter().cloned().chain(others).collect();
            errors.whole(t.policies_fails_tests(&names.join("; ")));
        }
        ChangePolicyError::LocksOut => errors.whole(t.policies_locks_out()),
        ChangePolicyError::Moment => errors.at("at", t.policies_no_moment()),
        ChangePolicyError::NameTaken => errors.at("name", t.policies_name_taken()),
        ChangePolicyError::NeedsApproval => errors.whole(t.policies_needs_approval()),
        ChangePolicyError::NotInForce => errors.whole(t.policies_none_decides()),
        ChangePolicyError::OlderNodes => errors.whole(t.policies_older_nodes()),
        ChangePolicyError::OwnDraft => errors.whole(t.policies_approve_not_own()),
        ChangePolicyError::Refused(_) => errors.whole(t.form_unreadable()),
        ChangePolicyError::Step(step) => errors.whole(t.policies_wrong_step(t.policy_state(step.state))),
        ChangePolicyError::Text(flaws) => {
            let lines = flaws.iter().map(|it| t.policies_at_line(it.line, it.column, &it.says));
            errors.whole(t.policies_text_no_longer(&lines.collect::<Vec<_>>().join(" ")));
        }
    }
}

fn draw(
    shell: &Shell,
    step: Step,
    (shown, version): (&ShownPolicy, &PolicyVersion),
    (impact, names): (Impact, Names),
    draft: Draft,
) -> Response {
    let t = shell.text;
    // Whoever lets it decide, or says yes to it, reads here what was shown of it.
    let decides = matches!(step, Step::Activate | Step::Approve | Step::RollBack);
    let proven = decides.then(|| (shown.clone(), version.clone()));
    let Policy { name, row_version, .. } = shown.policy.clone();
    let title = step.title(t, &name, version.number);
    let consequences = step.consequences(t, shown, version);
    let (crumbs, back) = (way_to(t, &shown.policy), path(&shown.policy));
    let there = difference::address(&shown.policy, Some(version.number));
    page(shell, title.clone()).of(&draft).show(move || {
        let later = (step == Step::Activate).then(|| {
            view! { <TextField name="at" label=t.policies_from() kind=TextKind::DateTime hint=t.policies_from_hint()/> }
        });
        let seen = row_version.to_string();
        let calm = !matches!(step, Step::Activate | Step::RollBack);
        let impact = difference::panel(t, impact, Some(&there));
        let proven = proven.map(|(shown, version)| proof::panel(t, &shown, &version, &names));
        view! {
            <PageHeader title=step.label(t) crumbs=crumbs/>
            {impact}
            {proven}
            <Confirm title=title consequences=consequences calm=calm>
                <Form draft=draft submit=step.label(t) cancel=back>
                    <Hidden name="row_version" value=seen/>
                    {later}
                </Form>
            </Confirm>
        }
    })
}
