//! `GET /api/v1/projects/{project}/environments/{environment}/as-of` and `POST …/returns`

use std::str::FromStr;

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use keywarden_domain::{
    Domain,
    secrets::{AsOf, AsOfError, Later, Return, ReturnError, Returned, Stand, WasLine, Way},
};
use keywarden_model::{SecretPath, time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::import::folder;
use crate::{
    caller::Caller,
    environments::Within,
    flaw::{Flaw, Flaws, INSTANT},
    json::{self, Asked},
    keys::create::place,
    problem::{Kind, Problem},
    query::Query,
};

/// A folder as it was, beside how it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FolderAsOf {
    at: DateTime<Utc>,
    /// Secrets that were there or are there, in the order of their paths.
    secrets: Vec<SecretAsOf>,
    /// Give it as `seen` to a return, to be refused if anything else is so by then.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    mark: String,
}

/// A secret as it was and as it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretAsOf {
    #[schema(example = "sec_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    #[schema(example = "database/password")]
    path: String,
    then: StandAt,
    now: StandAt,
    /// What a return does with it: `return`, `stays`, `later` (it was not there: left or deleted by choice), or `lost`.
    #[schema(example = "return")]
    outcome: &'static str,
    /// With `return`: whether it is deleted, and is restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    restore: Option<bool>,
    /// With `return`: the version that becomes `current`, if it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    to_version: Option<i64>,
    /// With `lost`: why it cannot be as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// What is so of a secret at an instant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandAt {
    /// `absent`, `deleted`, `purged` or `there`.
    #[schema(example = "there")]
    state: &'static str,
    /// With `there`: the version that is `current`, if one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 3)]
    version: Option<i64>,
}

/// An instant in an address.
pub(super) struct Instant(pub(super) DateTime<Utc>);

impl FromStr for Instant {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        time::instant(text).map(Self).ok_or(INSTANT)
    }
}

/// Show a folder as it was at an instant
///
/// Which secrets were there, and which version was `current`, beside what is so now and what a return would do. No value is
/// read. At most 1 000 secrets: choose a folder where there are more.
#[utoipa::path(
    get,
    path = "/api/v1/projects/{project}/environments/{environment}/as-of",
    tag = "Secrets",
    operation_id = "showSecretsAsOf",
    params(
        ("project" = String, Path, description = "Slug or `prj_…`"),
        ("environment" = String, Path, description = "Slug or `env_…`"),
        ("at" = Option<DateTime<Utc>>, Query, description = "The instant, which is past; now, unless this says otherwise", example = "2027-01-01T00:00:00Z"),
        ("folder" = Option<String>, Query, description = "Only this folder and those below it", example = "database"),
    ),
    responses((status = 200, description = "The folder", body = FolderAsOf)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    Within { project, environment }: Within,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let at: Option<Instant> = query.parse("at");
    let folder: Option<SecretPath> = query.parse("folder");
    query.end()?;
    let at = at.map_or(caller.op().now, |Instant(at)| at);
    let place = place(&domain, caller.op(), &project, &environment).await?;
    let found = domain.secrets_as_of(caller.op(), &place, folder.as_ref(), at).await?;
    Ok(json::ok(&FolderAsOf::of(&found)))
}

/// What is to be as it was.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReturnSecrets {
    /// The instant (RFC 3339), which is past.
    #[schema(example = "2027-01-01T00:00:00Z")]
    at: String,
    /// Only this folder and those below it.
    #[schema(example = "database")]
    folder: Option<String>,
    /// What becomes of secrets that were not there then: `leave` (otherwise), or `delete`; those can be restored.
    #[schema(example = "leave")]
    later: Option<String>,
    /// `mark` of what was shown: if anything else is so, nothing is done.
    seen: Option<String>,
}

/// What was done, in numbers of secrets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReturnedSecrets {
    /// Of these `current` moved.
    #[schema(example = 2)]
    moved: u32,
    /// These were deleted and are restored.
    #[schema(example = 1)]
    restored: u32,
    /// These were made later and are deleted.
    #[schema(example = 0)]
    deleted: u32,
}

/// Return a folder to what it was at an instant
///
/// All that can be as it was, in one step, or nothing: `current` moves back, deleted secrets are restored. Each secret asks
/// for the permits of these steps and has its own event. What was destroyed meanwhile stays so; `as-of` names it.
#[utoipa::path(
    post,
    path = "/api/v1/projects/{project}/environments/{environment}/returns",
    tag = "Secrets",
    operation_id = "returnSecrets",
    params(
        ("project" = String, Path, description = "Slug or `prj_…`"),
        ("environment" = String, Path, description = "Slug or `env_…`"),
    ),
    request_body = ReturnSecrets,
    responses((status = 200, description = "What was done", body = ReturnedSecrets)),
    extensions(("x-expects" = json!(true))),
)]
pub(crate) async fn back(
    State(domain): State<Domain>,
    caller: Caller,
    Within { project, environment }: Within,
    asked: Asked<ReturnSecrets>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let place = place(&domain, &op, &project, &environment).await?;
    let Returned { moved, restored, deleted } = domain.return_secrets(&op, &place, &body.read()?).await?;
    Ok(json::ok(&ReturnedSecrets { moved, restored, deleted }))
}

impl ReturnSecrets {
    fn read(self) -> Result<Return, Problem> {
        let mut flaws = Flaws::default();
        let at = flaws.instant("/at", Some(&self.at)).flatten();
        let folder = flaws.keep("/folder", folder(self.folder));
        let later = flaws.keep("/later", self.later.map(|text| text.parse::<Later>()).transpose());
        let (Some(at), Some(folder), Some(later)) = (at, folder, later) else { return Err(flaws.problem()) };
        Ok(Return { folder, at, later: later.unwrap_or_default(), seen: self.seen })
    }
}

impl FolderAsOf {
    fn of(found: &AsOf) -> Self {
        Self { at: found.at, secrets: found.lines.iter().map(SecretAsOf::of).collect(), mark: found.mark() }
    }
}

impl SecretAsOf {
    fn of(it: &WasLine) -> Self {
        let (outcome, restore, to_version, reason) = match it.way {
            Way::Back { restore, to } => ("return", Some(restore), to, None),
            Way::Later => ("later", None, None, None),
            Way::Lost(lost) => ("lost", None, None, Some(lost.to_string())),
            Way::Stays => ("stays", None, None, None),
        };
        Self {
            id: it.id.to_string(),
            path: it.path.to_string(),
            then: StandAt::of(it.then),
            now: StandAt::of(it.now),
            outcome,
            restore,
            to_version,
            reason,
        }
    }
}

impl StandAt {
    fn of(stand: Stand) -> Self {
        let (state, version) = match stand {
            Stand::Absent => ("absent", None),
            Stand::Deleted => ("deleted", None),
            Stand::Purged => ("purged", None),
            Stand::There(number) => ("there", number),
        };
        Self { state, version }
    }
}

impl From<AsOfError> for Problem {
    fn from(error: AsOfError) -> Self {
        match error {
            AsOfError::Future => Self::invalid(Flaw::parameter("at", error)),
            AsOfError::Refused(refused) => refused.into(),
            AsOfError::TooMuch => Self::invalid(Flaw::parameter("folder", error)),
        }
    }
}

impl From<ReturnError> for Problem {
    fn from(error: ReturnError) -> Self {
        match error {
            ReturnError::Changed => Self::new(Kind::Precondition, error.to_string()),
            ReturnError::Future => Self::invalid(Flaw::at("/at", error)),
            ReturnError::Refused(refused) => refused.into(),
            ReturnError::TooMuch => Self::invalid(Flaw::at("/folder", error)),
        }
    }
}
