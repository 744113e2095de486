//! Tests of policies: simulations with the answer that they must have. They are listed with how they come out, stand beside each
//! draft, and are saved from the simulator.

pub(super) mod delete;
pub(super) mod list;
pub(super) mod new;

use keywarden_domain::{
    Domain, Op, Refused,
    authz::{PolicyScope, SignInMethod},
    permissions::{Case, PasskeyAge, Under},
    policy::{Policy, PolicyVersion},
    policy_tests::{Outcome, Ran},
};
use leptos::prelude::*;

use super::TESTS;
use crate::{
    cells,
    form::moment_value,
    pages::{listing::href, permissions::SIMULATOR},
    text::Text,
    ui::{Badge, Column, EmptyState, Panel, Row, Table, Tone, row},
};

/// How the tests of its scope come out with a version that may still come to decide; none of any other.
pub(super) async fn under(
    domain: &Domain,
    op: &Op,
    policy: &Policy,
    version: &PolicyVersion,
) -> Result<Option<Vec<Ran>>, Refused> {
    if !version.state.is_open() {
        return Ok(None);
    }
    let under = Under::With(policy.id, version.number);
    match domain.run_policy_tests(op, policy.scope, under).await {
        Ok(ran) => Ok(Some(ran)),
        // A text that cannot be asked any more: the page says so where it is activated.
        Err(Refused::NotFound) => Ok(None),
        Err(refused) => Err(refused),
    }
}

/// The same beside the version.
pub(super) fn panel(t: Text, ran: Option<Vec<Ran>>, policy: &Policy) -> AnyView {
    let Some(ran) = ran.filter(|ran| !ran.is_empty()) else { return ().into_any() };
    let there = here(policy.scope);
    let table = table(t, ran, None);
    view! {
        <Panel id="tests" title=t.policies_tests()>
            <p>{t.policies_tests_under_why()} " " <a href=there>{t.policies_tests()}</a></p>
            {table}
        </Panel>
    }
    .into_any()
}

/// The list of a scope.
fn here(scope: PolicyScope) -> String {
    match scope {
        PolicyScope::Organization => TESTS.to_owned(),
        PolicyScope::Project(id) => href(TESTS, &[("project", &id.to_string())]),
    }
}

/// Tests and how they come out, those that fail first.
fn table(t: Text, mut ran: Vec<Ran>, empty: Option<AnyView>) -> AnyView {
    ran.sort_by_key(Ran::passes);
    let columns = vec![
        Column::text(t.policies_name()),
        Column::text(t.policies_test_outcome()),
        Column::text(t.policies_test_expected()),
        Column::text(t.policies_test_question()),
    ];
    let rows: Vec<Row> = ran.into_iter().map(|it| line(t, it)).collect();
    let empty = empty
        .unwrap_or_else(|| view! { <EmptyState title=t.policies_tests_none()>""</EmptyState> }.into_any());
    view! { <Table caption=t.policies_tests() columns=columns rows=rows empty=empty/> }.into_any()
}

fn line(t: Text, it: Ran) -> Row {
    let outcome = match (it.passes(), it.outcome) {
        (true, _) => view! { <Badge label=t.policies_test_passes() tone=Tone::Good/> }.into_any(),
        (false, Outcome::Gone) => {
            view! { <Badge label=t.policies_test_fails() tone=Tone::Bad/> " " {t.policies_test_gone()} }
                .into_any()
        }
        (false, _) => view! { <Badge label=t.policies_test_fails() tone=Tone::Bad/> }.into_any(),
    };
    let expected = if it.test.allowed { t.policies_test_allowed() } else { t.policies_test_refused() };
    let action = it.test.case.action.name();
    let question = view! { <a href=asked(&it.test.case)><code translate="no">{action}</code></a> };
    let delete = format!("{TESTS}/{}/delete", it.test.id);
    row(delete, it.test.name, cells![outcome, expected, question])
}

/// The simulator with this question.
fn asked(case: &Case) -> String {
    let age = match case.setting.passkey {
        it if it == PasskeyAge::default() => String::new(),
        it => it.to_string(),
    };
    href(
        SIMULATOR,
        &[
            ("principal", &case.holder.to_string()),
            ("action", case.action.name()),
            ("resource", &case.thing),
            ("at", &case.setting.at.map(moment_value).unwrap_or_default()),
            ("address", &case.setting.address.map(|it| it.to_string()).unwrap_or_default()),
            ("passkey_age", &age),
            ("method", case.setting.method.map(SignInMethod::as_str).unwrap_or_default()),
            ("reason", if case.setting.reason { "given" } else { "" }),
        ],
    )
}
