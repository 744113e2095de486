//! Whether what decides may be changed by one person.

use axum::{extract::State, response::Response};
use keywarden_domain::policy::{RequireReviewError, ReviewRule};
use leptos::prelude::*;

use super::{LIST, way};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, Hidden, PageHeader},
};

pub(super) async fn form(State(house): State<House>, asking: Asking) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies);
    match house.domain.policy_review(&op).await {
        Ok(rule) => draw(&shell, rule, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn require(State(house): State<House>, asking: Asking, posted: Posted) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies).once(&posted);
    let t = shell.text;
    let wanted = posted.fields.text("review") == "on";
    let mut errors = Errors::new();
    match house.domain.require_policy_review(&op, wanted).await {
        Ok(()) => return render::done(&shell, LIST, t.saved()),
        Err(RequireReviewError::AnotherOwner) => errors.whole(t.policies_review_another()),
        Err(RequireReviewError::Refused(refused)) => {
            return house.refused(&shell, &op, &posted, refused).await;
        }
        Err(RequireReviewError::Same) => errors.whole(t.policies_review_same()),
    }
    match house.domain.policy_review(&op).await {
        Ok(rule) => draw(&shell, rule, Draft::refused(posted.fields, errors)),
        Err(refused) => render::refused(&shell, refused),
    }
}

fn draw(shell: &Shell, rule: ReviewRule, draft: Draft) -> Response {
    let t = shell.text;
    page(shell, t.policies_review()).of(&draft).show(move || {
        let (now, wanted, button, follows) = match rule {
            ReviewRule::Ending => {
                (t.policies_review_ending(), "off", t.policies_review_end(), t.policies_review_end_what())
            }
            ReviewRule::Off => {
                (t.policies_review_off(), "on", t.policies_review_begin(), t.policies_review_begin_what())
            }
            ReviewRule::On => {
                (t.policies_review_on(), "off", t.policies_review_end(), t.policies_review_end_what())
            }
        };
        view! {
            <PageHeader title=t.policies_review() lead=now crumbs=way(t)/>
            <Confirm title=button consequences=vec![follows.to_owned()] calm=true>
                <Form draft=draft submit=button cancel=LIST>
                    <Hidden name="review" value=wanted/>
                </Form>
            </Confirm>
        }
    })
}
