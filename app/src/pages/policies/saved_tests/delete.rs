//! Deleting a test.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{Op, Refused, policy_tests::PolicyTest};
use leptos::prelude::*;

use super::super::way;
use crate::{
    context::{Asking, House, Posted},
    form::Draft,
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Fact, Facts, Form, PageHeader, crumb, fact},
};

async fn find(house: &House, op: &Op, id: &str) -> Result<PolicyTest, Refused> {
    let id = id.parse().map_err(|_| Refused::NotFound)?;
    house.domain.policy_test(op, id).await
}

pub(in crate::pages::policies) async fn before(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies);
    match find(&house, &op, &id).await {
        Ok(test) => draw(&shell, test),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(in crate::pages::policies) async fn delete(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies).once(&posted);
    let done = async {
        let test = find(&house, &op, &id).await?;
        house.domain.delete_policy_test(&op, test.id).await?;
        Ok(test.scope)
    };
    match done.await {
        Ok(scope) => render::done(&shell, &super::here(scope), shell.text.policies_test_deleted()),
        Err(refused) => house.refused(&shell, &op, &posted, refused).await,
    }
}

fn draw(shell: &Shell, test: PolicyTest) -> Response {
    let t = shell.text;
    page(shell, t.policies_test_delete_title(&test.name)).show(move || {
        let mut crumbs = way(t);
        crumbs.push(crumb(t.policies_tests(), super::here(test.scope)));
        let expected = if test.allowed { t.policies_test_allowed() } else { t.policies_test_refused() };
        let asked = super::asked(&test.case);
        let action = test.case.action.name();
        let facts: Vec<Fact> = vec![
            fact(t.policies_test_question(), view! { <a href=asked><code translate="no">{action}</code></a> }),
            fact(t.policies_test_expected(), expected),
        ];
        let title = t.policies_test_delete_title(&test.name);
        let consequences = vec![t.policies_test_delete_what().to_owned()];
        view! {
            <PageHeader title=t.policies_test_delete() crumbs=crumbs/>
            <Facts facts=facts/>
            <Confirm title=title consequences=consequences>
                <Form draft=Draft::default() submit=t.policies_test_delete() danger=true cancel=super::here(test.scope)/>
            </Confirm>
        }
    })
}
