//! `POST /api/v1/policies/check`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, authz::PolicyScope};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PolicyTextError;
use crate::{
    caller::Caller,
    json::{self, Asked},
    problem::Problem,
};

/// A text to look at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckPolicy {
    /// Where it would hold: slug or `prj_…`. Without one, in the organization.
    #[schema(example = json!(null))]
    project: Option<String>,
    /// One Cedar statement, at most 16 KiB.
    #[schema(
        example = "forbid (principal, action == Action::\"secret.purge\", resource) when { context.signInMethod == \"recovery\" };"
    )]
    text: String,
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckedPolicy {
    /// Whether it could decide there.
    valid: bool,
    /// `forbid` or `permit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "forbid")]
    effect: Option<&'static str>,
    /// The actions that it speaks of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["secret.purge"]))]
    actions: Vec<&'static str>,
    /// What is wrong, and where.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<PolicyTextError>,
}

/// Check a policy
///
/// Looks whether a text could decide, and keeps nothing.
#[utoipa::path(
    post,
    path = "/api/v1/policies/check",
    tag = "Policies",
    operation_id = "checkPolicy",
    request_body = CheckPolicy,
    responses((status = 200, description = "What the text is, or what is wrong with it", body = CheckedPolicy)),
)]
pub(crate) async fn check(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<CheckPolicy>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let scope = match body.project {
        None => PolicyScope::Organization,
        Some(project) => PolicyScope::Project(domain.project(&op, &project).await?.id),
    };
    let looked = match domain.check_policy(&op, scope, &body.text).await? {
        Ok(checked) => CheckedPolicy {
            valid: true,
            effect: Some(checked.effect.as_str()),
            actions: checked.actions.iter().map(|action| action.name()).collect(),
            errors: Vec::new(),
        },
        Err(errors) => CheckedPolicy {
            valid: false,
            effect: None,
            actions: Vec::new(),
            errors: errors.into_iter().map(PolicyTextError::from).collect(),
        },
    };
    Ok(json::ok(&looked))
}
