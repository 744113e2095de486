//! `POST /api/v1/policies/tests/run`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    permissions::Under,
    policy_tests::{Outcome, PolicyText, Ran},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{PolicyCase, PolicyTest, scope};
use crate::{
    caller::Caller,
    flaw::Flaws,
    json::{self, Asked},
    problem::Problem,
};

/// What is asked, and under which policies.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunPolicyTests {
    /// Where the policies and tests belong: slug or `prj_…`. Without one, to the organization.
    #[schema(example = json!(null))]
    project: Option<String>,
    /// Texts that are asked in the place of the policies of the same names there; at most 200. Nothing of them is kept.
    #[serde(default)]
    policies: Vec<TextOfPolicy>,
    /// What is asked; at most 200. Without any, the saved tests are asked, under what decides.
    #[serde(default)]
    cases: Vec<PolicyCase>,
}

/// A policy as a file has it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TextOfPolicy {
    #[schema(example = "Nobody purges after coming in by a recovery code")]
    name: String,
    /// One Cedar statement, at most 16 KiB.
    #[schema(
        example = "forbid (principal, action == Action::\"secret.purge\", resource) when { context.signInMethod == \"recovery\" };"
    )]
    text: String,
}

/// What came of it, in the order of the cases.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyTestsRun {
    results: Vec<PolicyTestResult>,
}

/// What came of one question.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyTestResult {
    /// `allowed`, `refused`, or `gone`: there is no such person, workload or thing that the caller may see.
    #[schema(example = "allowed")]
    outcome: &'static str,
    /// Whether it is the expected answer; of saved tests.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = true)]
    passes: Option<bool>,
    /// The saved test.
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<PolicyTest>,
}

impl From<Outcome> for PolicyTestResult {
    fn from(outcome: Outcome) -> Self {
        Self { outcome: outcome.as_str(), passes: None, test: None }
    }
}

impl From<Ran> for PolicyTestResult {
    fn from(it: Ran) -> Self {
        let passes = Some(it.passes());
        Self { outcome: it.outcome.as_str(), passes, test: Some(it.test.into()) }
    }
}

/// Ask tests of policies
///
/// The saved ones, or cases that are sent, under what decides or under texts that are sent. Changes nothing and keeps nothing.
#[utoipa::path(
    post,
    path = "/api/v1/policies/tests/run",
    tag = "Policies",
    operation_id = "runPolicyTests",
    request_body = RunPolicyTests,
    responses((status = 200, description = "What came of each", body = PolicyTestsRun)),
)]
pub(crate) async fn run(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<RunPolicyTests>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let mut flaws = Flaws::default();
    let mut cases = Vec::with_capacity(body.cases.len());
    for (at, case) in body.cases.into_iter().enumerate() {
        cases.extend(case.read(&format!("/cases/{at}"), &mut flaws));
    }
    if !flaws.is_empty() {
        return Err(flaws.problem());
    }
    let scope = scope(&domain, &op, body.project).await?;
    let results = if cases.is_empty() && body.policies.is_empty() {
        let ran = domain.run_policy_tests(&op, scope, Under::InForce).await?;
        ran.into_iter().map(PolicyTestResult::from).collect()
    } else {
        let texts = body.policies.into_iter().map(|it| PolicyText { name: it.name, text: it.text });
        let texts: Vec<_> = texts.collect();
        let outcomes = domain.run_policy_cases(&op, scope, &texts, &cases).await?;
        outcomes.into_iter().map(PolicyTestResult::from).collect()
    };
    Ok(json::ok(&PolicyTestsRun { results }))
}
