//! What happens to a version: each step has its page, which says what follows, and its post.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Domain, Op, Refused,
    standards::{ChangeStandardError, ShownStandard, Standard, StandardVersion, Tally},
};
use keywarden_model::{PolicyState, StandardId};
use leptos::prelude::*;

use super::{path, version_of, way_to};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Confirm, Form, Hidden, PageHeader},
};

/// A step of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Activate,
    Approve,
    RollBack,
    Submit,
    Withdraw,
}

impl Step {
    const ALL: [Self; 5] = [Self::Activate, Self::Approve, Self::RollBack, Self::Submit, Self::Withdraw];

    /// Its name in addresses.
    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Approve => "approve",
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
            Self::RollBack => t.policies_roll_back(),
            Self::Submit => t.policies_submit(),
            Self::Withdraw => t.policies_withdraw(),
        }
    }

    /// Those that a version in this state may take.
    pub(super) fn of(state: PolicyState) -> impl Iterator<Item = Self> {
        let fits = move |step: &Self| match step {
            Self::Activate | Self::Withdraw => state.is_open(),
            Self::Approve => state == PolicyState::InReview,
            Self::RollBack => state == PolicyState::Superseded,
            Self::Submit => state == PolicyState::Draft,
        };
        Self::ALL.into_iter().filter(fits)
    }

    fn title(self, t: Text, name: &str, number: i64) -> String {
        match self {
            Self::Activate => t.standards_activate_title(name, number),
            Self::Approve => t.policies_approve_title(name, number),
            Self::RollBack => t.policies_roll_back_title(name, number),
            Self::Submit => t.policies_submit_title(name, number),
            Self::Withdraw => t.policies_withdraw_title(name, number),
        }
    }

    fn done(self, t: Text) -> &'static str {
        match self {
            Self::Activate => t.standards_activated(),
            Self::Approve => t.policies_approved(),
            Self::RollBack => t.standards_rolled_back(),
            Self::Submit => t.policies_submitted(),
            Self::Withdraw => t.policies_withdrawn(),
        }
    }

    fn turns(self) -> bool {
        matches!(self, Self::Activate | Self::RollBack)
    }

    fn consequences(self, t: Text, version: &StandardVersion, tally: Option<Tally>) -> Vec<String> {
        match self {
            Self::Activate | Self::RollBack => {
                let breaks = tally.map(|it| t.standard_tally(it));
                let goes_on = tally.filter(|it| it.all() > 0).map(|_| t.standards_goes_on().to_owned());
                let reason = version.rules.as_ref().is_some_and(|it| it.reads_need_reason);
                let reason = reason.then(|| t.standards_activate_reason().to_owned());
                let what = Some(t.standards_activate_what().to_owned());
                [what, breaks, goes_on, reason].into_iter().flatten().collect()
            }
            Self::Approve => {
                vec![t.standards_approve_what().to_owned(), t.policies_approve_not_own().to_owned()]
            }
            Self::Submit => vec![t.standards_submit_what().to_owned()],
            Self::Withdraw => vec![t.policies_withdraw_what().to_owned()],
        }
    }

    async fn take(
        self,
        domain: &Domain,
        op: &Op,
        id: StandardId,
        number: i64,
        row_version: i64,
    ) -> Result<StandardId, ChangeStandardError> {
        match self {
            Self::Activate => domain.activate_standard(op, id, number, row_version).await,
            Self::Approve => domain.approve_standard(op, id, number, row_version).await,
            Self::RollBack => domain.roll_back_standard(op, id, number, row_version).await,
            Self::Submit => domain.submit_standard(op, id, number, row_version).await,
            Self::Withdraw => domain.withdraw_standard(op, id, number, row_version).await,
        }
    }

    /// What breaks the version, where that is worth knowing before the step.
    async fn tally(
        self,
        domain: &Domain,
        op: &Op,
        id: StandardId,
        version: &StandardVersion,
    ) -> Result<Option<Tally>, Refused> {
        if !self.turns() || version.rules.is_none() {
            return Ok(None);
        }
        domain.standard_tally(op, id, version.number).await.map(Some)
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
        let tally = step.tally(&house.domain, &op, shown.standard.id, &version).await?;
        Ok((shown, version, tally))
    };
    match loaded.await {
        Ok((shown, version, tally)) => draw(&shell, step, &shown, &version, tally, Draft::default()),
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
    match posted.fields.text("row_version").parse() {
        Err(_) => errors.whole(t.form_unreadable()),
        Ok(seen) => {
            let standard = &shown.standard;
            match step.take(&house.domain, &op, standard.id, version.number, seen).await {
                Ok(_) => return render::done(&shell, &path(standard), step.done(t)),
                Err(ChangeStandardError::Refused(refused)) => {
                    return house.refused(&shell, &op, &posted, refused).await;
                }
                Err(error) => wrong(t, &mut errors, &error),
            }
        }
    }
    match step.tally(&house.domain, &op, shown.standard.id, &version).await {
        Ok(tally) => draw(&shell, step, &shown, &version, tally, Draft::refused(posted.fields, errors)),
        Err(refused) => render::refused(&shell, refused),
    }
}

/// Why a step was not taken, in the catalogue's words.
pub(super) fn wrong(t: Text, errors: &mut Errors, error: &ChangeStandardError) {
    match error {
        ChangeStandardError::ChangedMeanwhile => errors.whole(t.standards_changed_meanwhile()),
        ChangeStandardError::NeedsApproval => errors.whole(t.standards_needs_approval()),
        ChangeStandardError::NotInForce => errors.whole(t.standards_not_in_force()),
        ChangeStandardError::OlderNodes => errors.whole(t.standards_older_nodes()),
        ChangeStandardError::OwnDraft => errors.whole(t.policies_approve_not_own()),
        ChangeStandardError::Refused(_) => errors.whole(t.form_unreadable()),
        ChangeStandardError::Step(step) => {
            errors.whole(t.policies_wrong_step(t.standard_state(step.state)));
        }
        ChangeStandardError::Unreadable => errors.whole(t.standards_unreadable_why()),
    }
}

fn draw(
    shell: &Shell,
    step: Step,
    shown: &ShownStandard,
    version: &StandardVersion,
    tally: Option<Tally>,
    draft: Draft,
) -> Response {
    let t = shell.text;
    let Standard { name, row_version, .. } = shown.standard.clone();
    let title = step.title(t, &name, version.number);
    let consequences = step.consequences(t, version, tally);
    let (crumbs, back) = (way_to(t, &shown.standard), path(&shown.standard));
    page(shell, title.clone()).of(&draft).show(move || {
        let seen = row_version.to_string();
        let calm = !step.turns();
        view! {
            <PageHeader title=step.label(t) crumbs=crumbs/>
            <Confirm title=title consequences=consequences calm=calm>
                <Form draft=draft submit=step.label(t) cancel=back>
                    <Hidden name="row_version" value=seen/>
                </Form>
            </Confirm>
        }
    })
}
