//! Standards: what keys, secrets and environments have to be like, and what breaks them.

pub(crate) mod check;
pub(crate) mod create;
pub(crate) mod end;
pub(crate) mod list;
pub(crate) mod redraft;
pub(crate) mod report;
mod rules;
pub(crate) mod show;
pub(crate) mod steps;

use axum::extract::{FromRequestParts, Path};
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::request::Parts;
use keywarden_domain::{
    Domain, Op,
    authz::PolicyScope,
    standards::{self, Breach, ChangeStandardError, DraftStandardError, ListedStandard, ShownStandard},
};
use keywarden_model::{PolicyState, StandardId, StandardRule};
use serde::Serialize;
use utoipa::ToSchema;

use rules::StandardRules;

use crate::{
    etag::{self, tagged},
    flaw::Flaw,
    json,
    problem::{Kind, Problem},
};

/// A standard.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Standard {
    #[schema(example = "std_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    #[schema(example = "Keys of production")]
    name: String,
    /// The project that it is confined to; absent for one of the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "prj_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    project: Option<String>,
    /// The number of the version that is in force; absent if none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 2)]
    active: Option<i64>,
    /// The number of the newest version.
    #[schema(example = 3)]
    newest: i64,
    /// Where the newest version is: `active`, `draft`, `in-review`, `superseded` or `withdrawn`.
    #[schema(example = "draft")]
    newest_state: &'static str,
    created_at: DateTime<Utc>,
    /// The id of who wrote it first.
    created_by: String,
    /// The id of who wants to end it; another person has to agree.
    #[serde(skip_serializing_if = "Option::is_none")]
    ending_by: Option<String>,
    /// Counts steps; the `ETag`.
    row_version: i64,
}

/// One set of rules of a standard. It never changes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandardVersion {
    /// Counts from 1.
    #[schema(example = 3)]
    number: i64,
    /// `active`, `draft`, `in-review`, `superseded` or `withdrawn`.
    #[schema(example = "draft")]
    state: &'static str,
    /// Absent: they cannot be read. In force, nothing is made then where they hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<StandardRules>,
    /// What its author says about it.
    note: String,
    created_at: DateTime<Utc>,
    /// The id of who wrote it.
    created_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<String>,
    /// When it last came into force.
    #[serde(skip_serializing_if = "Option::is_none")]
    activated_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activated_by: Option<String>,
    /// When it was in force no longer, or was withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<DateTime<Utc>>,
}

/// A standard with its versions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WholeStandard {
    #[serde(flatten)]
    standard: Standard,
    /// Newest first.
    versions: Vec<StandardVersion>,
}

impl From<ListedStandard> for Standard {
    fn from(listed: ListedStandard) -> Self {
        let ListedStandard { standard, active, newest } = listed;
        Self {
            id: standard.id.to_string(),
            name: standard.name,
            project: match standard.scope {
                PolicyScope::Organization => None,
                PolicyScope::Project(id) => Some(id.to_string()),
            },
            active,
            newest: standard.newest,
            newest_state: newest.as_str(),
            created_at: standard.created_at,
            created_by: standard.created_by,
            ending_by: standard.ending_by,
            row_version: standard.row_version,
        }
    }
}

impl From<standards::StandardVersion> for StandardVersion {
    fn from(version: standards::StandardVersion) -> Self {
        let (approved_at, approved_by) = version.approved.unzip();
        let (activated_at, activated_by) = version.activated.unzip();
        Self {
            number: version.number,
            state: version.state.as_str(),
            rules: version.rules.as_ref().map(Into::into),
            note: version.note.as_str().to_owned(),
            created_at: version.created_at,
            created_by: version.created_by,
            approved_at,
            approved_by,
            activated_at,
            activated_by,
            ended_at: version.ended_at,
        }
    }
}

impl From<ShownStandard> for WholeStandard {
    fn from(shown: ShownStandard) -> Self {
        let active = shown.active().map(|it| it.number);
        let newest = shown.versions.first().map_or(PolicyState::Draft, |it| it.state);
        Self {
            standard: ListedStandard { standard: shown.standard, active, newest }.into(),
            versions: shown.versions.into_iter().map(StandardVersion::from).collect(),
        }
    }
}

/// The standard as it is after a change.
async fn after(domain: &Domain, op: &Op, id: StandardId) -> Result<Response, Problem> {
    let shown = domain.standard(op, id).await.map_err(Problem::after_all)?;
    let version = shown.standard.row_version;
    Ok(tagged(json::ok(&WholeStandard::from(shown)), version))
}

/// Where a standard holds, as bodies and queries name it.
async fn scope(domain: &Domain, op: &Op, project: Option<&str>) -> Result<PolicyScope, Problem> {
    Ok(match project {
        None => PolicyScope::Organization,
        Some(project) => PolicyScope::Project(domain.project(op, project).await?.id),
    })
}

/// A version of a standard, by the path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    standard: StandardId,
    version: i64,
}

impl<S: Send + Sync> FromRequestParts<S> for Place {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((standard, version)) = path.map_err(|_| Problem::not_found())?;
        let plain = version.bytes().all(|byte| byte.is_ascii_digit()) && !version.starts_with('0');
        match (standard.parse(), version.parse()) {
            (Ok(standard), Ok(version)) if plain => Ok(Self { standard, version }),
            _ => Err(Problem::not_found()),
        }
    }
}

/// What a standard in force refuses: at the field that it is about. A secret's path stands in the address.
pub(crate) fn broken(breach: &Breach) -> Problem {
    let pointer = match breach.demand.rule() {
        Some(StandardRule::KeyLifetime) => "/expires_at",
        Some(StandardRule::KeyName) => "/name",
        Some(StandardRule::Owner) => "/owner",
        Some(StandardRule::Scope) => "/scopes",
        Some(StandardRule::Tag) => "/tags",
        None
        | Some(
            StandardRule::KeyRotation
            | StandardRule::Reason
            | StandardRule::SecretName
            | StandardRule::SecretRotation,
        ) => "",
    };
    broken_at(pointer, breach)
}

/// As [`broken`], at this field.
pub(crate) fn broken_at(pointer: &'static str, why: impl std::fmt::Display) -> Problem {
    Problem::new(Kind::BreaksStandard, why.to_string()).with(vec![Flaw::at(pointer, why)])
}

impl From<DraftStandardError> for Problem {
    fn from(error: DraftStandardError) -> Self {
        match error {
            DraftStandardError::Archived | DraftStandardError::NameTaken | DraftStandardError::TooMany => {
                Self::conflict(error)
            }
            DraftStandardError::ChangedMeanwhile => etag::changed(),
            DraftStandardError::Empty => Self::invalid(Flaw::at("/rules", error)),
            DraftStandardError::Refused(refused) => refused.into(),
        }
    }
}

impl From<ChangeStandardError> for Problem {
    fn from(error: ChangeStandardError) -> Self {
        match error {
            ChangeStandardError::ChangedMeanwhile => etag::changed(),
            ChangeStandardError::NeedsApproval
            | ChangeStandardError::NotInForce
            | ChangeStandardError::OlderNodes
            | ChangeStandardError::OwnDraft
            | ChangeStandardError::Step(_)
            | ChangeStandardError::Unreadable => Self::conflict(error),
            ChangeStandardError::Refused(refused) => refused.into(),
        }
    }
}
