//! Policies: Cedar text in versions, of which at most one decides.

pub(crate) mod check;
pub(crate) mod create;
pub(crate) mod difference;
pub(crate) mod disable;
pub(crate) mod list;
mod proof;
pub(crate) mod redraft;
pub(crate) mod rename;
pub(crate) mod replay;
pub(crate) mod show;
pub(crate) mod steps;

use axum::extract::{FromRequestParts, Path};
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::request::Parts;
use keywarden_domain::{
    Domain, Op,
    authz::{PolicyScope, TextError},
    policy::{self, ChangePolicyError, DraftPolicyError, ListedPolicy, ShownPolicy},
};
use keywarden_model::PolicyId;
use proof::PolicyProof;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    etag::{self, tagged},
    flaw::{Flaw, Flaws},
    json,
    problem::Problem,
};

/// A policy.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Policy {
    #[schema(example = "pol_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    #[schema(example = "Contractors read no production secrets")]
    name: String,
    /// The project that it is confined to; absent for one of the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "prj_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    project: Option<String>,
    /// The number of the version that decides; absent if none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 2)]
    active: Option<i64>,
    /// What it does: `forbid` or `permit`. Of the version that decides, else of the newest.
    #[schema(example = "forbid")]
    effect: &'static str,
    /// The number of the newest version.
    #[schema(example = 3)]
    newest: i64,
    /// Where the newest version is: `active`, `draft`, `in-review`, `scheduled`, `superseded` or `withdrawn`.
    #[schema(example = "draft")]
    newest_state: &'static str,
    created_at: DateTime<Utc>,
    /// The id of who wrote it first.
    created_by: String,
    /// The id of who wants to disable it; another person has to agree.
    #[serde(skip_serializing_if = "Option::is_none")]
    ending_by: Option<String>,
    /// Counts steps; the `ETag`.
    row_version: i64,
}

/// A text of a policy. It never changes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyVersion {
    /// Counts from 1.
    #[schema(example = 3)]
    number: i64,
    /// `active`, `draft`, `in-review`, `scheduled`, `superseded` or `withdrawn`.
    #[schema(example = "draft")]
    state: &'static str,
    /// `forbid` or `permit`.
    #[schema(example = "forbid")]
    effect: &'static str,
    /// The Cedar text.
    #[schema(example = "forbid (principal, action == Action::\"secret.purge\", resource);")]
    text: String,
    /// The text's SHA-256, in hex.
    sha256: String,
    /// What its author says about it.
    note: String,
    created_at: DateTime<Utc>,
    /// The id of who wrote it.
    created_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<String>,
    /// From when on it is to decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<DateTime<Utc>>,
    /// When it last began to decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    activated_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activated_by: Option<String>,
    /// When it ended to decide, or was withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<DateTime<Utc>>,
    /// What a solver shows of it; absent if nobody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<PolicyProof>,
}

/// A policy with its versions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WholePolicy {
    #[serde(flatten)]
    policy: Policy,
    /// Newest first.
    versions: Vec<PolicyVersion>,
    /// The solver that proofs are run with on this node; absent if there is none, so that they wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "cvc5 1.0.3")]
    solver: Option<String>,
}

/// What is wrong with a text, and where.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyTextError {
    /// The line, from 1.
    #[schema(example = 1)]
    line: u32,
    /// The column in characters, from 1.
    #[schema(example = 9)]
    column: u32,
    /// What is wrong, and what to do.
    #[schema(example = "write one statement: `permit` or `forbid`")]
    detail: String,
}

impl From<TextError> for PolicyTextError {
    fn from(error: TextError) -> Self {
        Self { line: error.line, column: error.column, detail: error.says }
    }
}

impl From<ListedPolicy> for Policy {
    fn from(listed: ListedPolicy) -> Self {
        let ListedPolicy { policy, active, newest: (state, effect) } = listed;
        let does = active.map_or(effect, |(_, effect)| effect);
        Self {
            id: policy.id.to_string(),
            name: policy.name,
            project: match policy.scope {
                PolicyScope::Organization => None,
                PolicyScope::Project(id) => Some(id.to_string()),
            },
            active: active.map(|(number, _)| number),
            effect: does.as_str(),
            newest: policy.newest,
            newest_state: state.as_str(),
            created_at: policy.created_at,
            created_by: policy.created_by,
            ending_by: policy.ending_by,
            row_version: policy.row_version,
        }
    }
}

impl From<policy::PolicyVersion> for PolicyVersion {
    fn from(version: policy::PolicyVersion) -> Self {
        let (approved_at, approved_by) = version.approved.unzip();
        let (activated_at, activated_by) = version.activated.unzip();
        Self {
            number: version.number,
            state: version.state.as_str(),
            effect: version.effect.as_str(),
            text: version.text,
            sha256: hex::encode(version.sha256),
            note: version.note.as_str().to_owned(),
            created_at: version.created_at,
            created_by: version.created_by,
            approved_at,
            approved_by,
            starts_at: version.scheduled.map(|(at, _)| at),
            activated_at,
            activated_by,
            ended_at: version.ended_at,
            proof: None,
        }
    }
}

impl From<ShownPolicy> for WholePolicy {
    fn from(shown: ShownPolicy) -> Self {
        let active = shown.active().map(|it| (it.number, it.effect));
        let newest = shown.versions.first().map(|it| (it.state, it.effect));
        let newest =
            newest.unwrap_or((keywarden_model::PolicyState::Draft, keywarden_model::PolicyEffect::Forbid));
        let proofs = shown.proofs;
        let versions = shown.versions.into_iter().map(|it| {
            let proof = proofs.get(&it.number).map(PolicyProof::from);
            PolicyVersion { proof, ..PolicyVersion::from(it) }
        });
        Self {
            policy: ListedPolicy { policy: shown.policy, active, newest }.into(),
            versions: versions.collect(),
            solver: shown.solver.ok(),
        }
    }
}

/// The policy as it is after a change.
async fn after(domain: &Domain, op: &Op, id: PolicyId) -> Result<Response, Problem> {
    let shown = domain.policy(op, id).await.map_err(Problem::after_all)?;
    let version = shown.policy.row_version;
    Ok(tagged(json::ok(&WholePolicy::from(shown)), version))
}

/// A version of a policy, by the path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    policy: PolicyId,
    version: i64,
}

impl<S: Send + Sync> FromRequestParts<S> for Place {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((policy, version)) = path.map_err(|_| Problem::not_found())?;
        let plain = version.bytes().all(|byte| byte.is_ascii_digit()) && !version.starts_with('0');
        match (policy.parse(), version.parse()) {
            (Ok(policy), Ok(version)) if plain => Ok(Self { policy, version }),
            _ => Err(Problem::not_found()),
        }
    }
}

/// Everything that is wrong with the text of a body.
fn text_problem(errors: &[TextError]) -> Problem {
    let mut flaws = Flaws::default();
    for error in errors {
        flaws.note(Flaw::at("/text", error));
    }
    flaws.problem()
}

impl From<DraftPolicyError> for Problem {
    fn from(error: DraftPolicyError) -> Self {
        match error {
            DraftPolicyError::Archived | DraftPolicyError::NameTaken | DraftPolicyError::TooMany => {
                Self::conflict(error)
            }
            DraftPolicyError::ChangedMeanwhile => etag::changed(),
            DraftPolicyError::NameReserved => Self::invalid(Flaw::at("/name", error)),
            DraftPolicyError::Refused(refused) => refused.into(),
            DraftPolicyError::Text(errors) => text_problem(&errors),
        }
    }
}

impl From<ChangePolicyError> for Problem {
    fn from(error: ChangePolicyError) -> Self {
        match error {
            ChangePolicyError::ChangedMeanwhile => etag::changed(),
            ChangePolicyError::Moment => Self::invalid(Flaw::at("/at", error)),
            ChangePolicyError::FailsTests(_)
            | ChangePolicyError::LocksOut
            | ChangePolicyError::NameTaken
            | ChangePolicyError::NeedsApproval
            | ChangePolicyError::NotInForce
            | ChangePolicyError::OlderNodes
            | ChangePolicyError::OwnDraft
            | ChangePolicyError::Step(_)
            | ChangePolicyError::Text(_) => Self::conflict(error),
            ChangePolicyError::Refused(refused) => refused.into(),
        }
    }
}
