//! `GET /api/v1/decisions/{decision}`

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use keywarden_domain::{
    Domain,
    decisions::{Answer, Explained, Refusal},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    at::At,
    caller::Caller,
    permissions::{DecidedResource, PolicyConsidered, SmallestRole},
    problem::Problem,
};

/// A refusal, explained.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Decision {
    /// Who asked: an id, `shell` or `nobody`.
    #[schema(example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    principal: String,
    /// What they are called now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Alice")]
    name: Option<String>,
    at: DateTime<Utc>,
    /// What was asked; absent where nothing was, because there is no such thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<DecisionQuestion>,
}

/// What was asked, and how it stands now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionQuestion {
    #[schema(example = "key.issue")]
    action: &'static str,
    /// The thing's id, or `organization`.
    #[schema(example = "env_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    resource_id: String,
    /// Absent if there is no such thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<DecidedResource>,
    /// From which address, if that was known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "192.0.2.7")]
    address: Option<String>,
    /// How many seconds before the person had shown their passkey; absent if they had not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 120)]
    passkey_age: Option<i64>,
    /// How they had signed in: `passkey`, `recovery`, `shell` or `token`.
    #[schema(example = "passkey")]
    method: &'static str,
    /// Whether they had said why.
    #[schema(example = false)]
    reason_given: bool,
    /// `forbidden`, `not-found` or `passkey`: what was missing then was a passkey shown lately.
    #[schema(example = "forbidden")]
    answer: &'static str,
    /// Since then, who may do what has changed; what follows is how the same question would be decided now.
    #[schema(example = false)]
    changed_since: bool,
    #[schema(example = false)]
    allowed: bool,
    /// Every policy that speaks of the action and the thing, and what it comes to.
    considered: Vec<PolicyConsidered>,
    /// The smallest role that would be enough. Absent where none would.
    #[serde(skip_serializing_if = "Option::is_none")]
    smallest_role: Option<SmallestRole>,
}

impl From<Refusal> for Decision {
    fn from(it: Refusal) -> Self {
        Self {
            principal: it.who,
            name: it.name,
            at: it.at,
            question: it.question.map(DecisionQuestion::from),
        }
    }
}

impl From<Explained> for DecisionQuestion {
    fn from(it: Explained) -> Self {
        Self {
            action: it.action.name(),
            resource_id: it.thing_id,
            resource: it.thing.map(DecidedResource::from),
            address: it.circumstances.address.map(|it| it.to_string()),
            passkey_age: it.circumstances.passkey_age,
            method: it.circumstances.method.as_str(),
            reason_given: it.circumstances.reason,
            answer: match it.answer {
                Answer::Forbidden => "forbidden",
                Answer::NotFound => "not-found",
                Answer::StepUp => "passkey",
            },
            changed_since: it.changed,
            allowed: it.allowed,
            considered: PolicyConsidered::all(it.considered, &it.written),
            smallest_role: it.enough.map(SmallestRole::from),
        }
    }
}

/// Show why something was refused
///
/// By the `decision` of a problem, for thirty days, on any node. For those who may see who may do what; to all others there is
/// nothing here.
#[utoipa::path(
    get,
    path = "/api/v1/decisions/{decision}",
    tag = "Permissions",
    operation_id = "showDecision",
    params(("decision" = String, Path, description = "`dec_…`")),
    responses((status = 200, description = "The refusal", body = Decision)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    At(decision): At<String>,
) -> Result<Json<Decision>, Problem> {
    Ok(Json(domain.decision(caller.op(), &decision).await?.into()))
}
