//! `POST /api/v1/policies/tests`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, policy_tests::NewPolicyTest};
use keywarden_model::Name;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{PolicyCase, PolicyTest, scope};
use crate::{
    caller::Caller,
    flaw::Flaws,
    json::{self, Asked},
    problem::Problem,
};

/// A test to save.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavePolicyTest {
    /// Unique where it belongs, in any spelling.
    #[schema(example = "Alice makes no projects")]
    name: String,
    /// The project that it belongs to: slug or `prj_…`. Without one it is the organization's.
    #[schema(example = json!(null))]
    project: Option<String>,
    /// What is asked.
    case: PolicyCase,
    /// Whether the answer must be yes.
    #[schema(example = false)]
    allowed: bool,
}

/// Save a test of policies
///
/// It is asked again whenever a policy is to decide, and one that fails it does not.
#[utoipa::path(
    post,
    path = "/api/v1/policies/tests",
    tag = "Policies",
    operation_id = "savePolicyTest",
    request_body = SavePolicyTest,
    responses((status = 201, description = "The test", body = PolicyTest)),
)]
pub(crate) async fn create(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<SavePolicyTest>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let mut flaws = Flaws::default();
    let name = flaws.parse::<Name>("/name", &body.name);
    let case = body.case.read("/case", &mut flaws);
    let (Some(name), Some(case), true) = (name, case, flaws.is_empty()) else { return Err(flaws.problem()) };
    let scope = scope(&domain, &op, body.project).await?;
    let new = NewPolicyTest { scope, name, case, allowed: body.allowed };
    let id = domain.save_policy_test(&op, new).await?;
    let test = domain.policy_test(&op, id).await.map_err(Problem::after_all)?;
    Ok(json::created("/api/v1/policies/tests", &PolicyTest::from(test)))
}
