//! `GET /policies/tests/new?principal=…&action=…&resource=…`: a simulation, to be saved with the answer that it must have.

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Op, Refused,
    authz::PolicyScope,
    permissions::{Case, Simulated, Under},
    policy_tests::{NewPolicyTest, SavePolicyTestError},
};
use keywarden_model::Name;
use leptos::prelude::*;

use super::super::way;
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors, Params},
    pages::permissions::{asked::Asked, explained},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Choice, Facts, Form, PageHeader, SelectField, TextField, choice, crumb, fact},
};

const ALLOWED: &str = "allowed";
const REFUSED: &str = "refused";
const ORGANIZATION: &str = "organization";

/// The question of the address, and how it is answered now.
async fn question(house: &House, t: Text, op: &Op, params: &Params) -> Result<(Case, Simulated), Refused> {
    let Asked::Whole(case, _) = Asked::read(t, params) else { return Err(Refused::NotFound) };
    let simulated = house.domain.simulate(op, &case, Under::InForce).await?;
    Ok((*case, simulated))
}

pub(in crate::pages::policies) async fn form(
    State(house): State<House>,
    asking: Asking,
    params: Params,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies);
    match question(&house, shell.text, &op, &params).await {
        Ok((_, simulated)) => draw(&shell, &simulated, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(in crate::pages::policies) async fn save(
    State(house): State<House>,
    asking: Asking,
    params: Params,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies).once(&posted);
    let t = shell.text;
    let (case, simulated) = match question(&house, t, &op, &params).await {
        Ok(found) => found,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    let project = simulated.thing.resource.project();
    let scope = match (posted.fields.text("scope"), project) {
        (ORGANIZATION, _) | (_, None) => PolicyScope::Organization,
        (_, Some(project)) => PolicyScope::Project(project),
    };
    let allowed = posted.fields.text("expected") == ALLOWED;
    match posted.fields.text("name").parse::<Name>() {
        Err(error) => errors.at("name", t.name_wrong(&error)),
        Ok(name) => {
            let new = NewPolicyTest { scope, name, case, allowed };
            match house.domain.save_policy_test(&op, new).await {
                Ok(_) => return render::done(&shell, &super::here(scope), t.policies_test_saved()),
                Err(SavePolicyTestError::Refused(refused)) => {
                    return house.refused(&shell, &op, &posted, refused).await;
                }
                Err(SavePolicyTestError::Archived) => errors.whole(t.policies_archived()),
                Err(SavePolicyTestError::Elsewhere) => errors.at("scope", t.policies_test_elsewhere()),
                Err(SavePolicyTestError::NameTaken) => errors.at("name", t.policies_test_name_taken()),
                Err(SavePolicyTestError::TooMany) => errors.whole(t.policies_full()),
            }
        }
    }
    draw(&shell, &simulated, Draft::refused(posted.fields, errors))
}

/// Where a test about this can belong, the nearest first.
fn scopes(t: Text, it: &Simulated) -> Vec<Choice> {
    let project = it.thing.project.as_ref().map(|(id, name)| choice(id.to_string(), name).named());
    project.into_iter().chain([choice(ORGANIZATION, t.policies_everywhere())]).collect()
}

fn draw(shell: &Shell, it: &Simulated, draft: Draft) -> Response {
    let t = shell.text;
    let (scopes, expected) = (scopes(t, it), if it.allowed { ALLOWED } else { REFUSED });
    let now = if it.allowed { t.policies_test_allowed() } else { t.policies_test_refused() };
    let (name, action, thing) = (it.name.clone(), it.action.name(), it.thing.clone());
    page(shell, t.policies_test_save()).of(&draft).show(move || {
        let mut crumbs = way(t);
        crumbs.push(crumb(t.policies_tests(), super::TESTS));
        let facts = vec![
            fact(t.permissions_principal(), view! { <span translate="no">{name}</span> }),
            fact(t.permissions_action(), view! { <code translate="no">{action}</code> }),
            fact(t.permissions_thing(), explained::thing(t, &thing)),
            fact(t.permissions_decision_now(), now),
        ];
        let answers = vec![choice(ALLOWED, t.policies_test_allowed()), choice(REFUSED, t.policies_test_refused())];
        view! {
            <PageHeader title=t.policies_test_save() crumbs=crumbs lead=t.policies_tests_lead()/>
            <Facts facts=facts/>
            <Form draft=draft submit=t.policies_test_save() cancel=super::TESTS>
                <TextField name="name" label=t.policies_name() hint=t.policies_test_name_hint() maxlength=120 required=true/>
                <SelectField name="expected" label=t.policies_test_expected() choices=answers value=expected/>
                <SelectField name="scope" label=t.policies_where() choices=scopes/>
            </Form>
        }
    })
}
