//! The seal of a project: seen, named, taken away.

use axum::response::Response;
use chrono::{DateTime, Utc};
use keywarden_domain::project_seals::{At, NameSealError, OwnSeal, ProjectSealView};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{flaw::Flaw, json, problem::Problem};

pub(crate) mod name;
pub(crate) mod show;

/// What wraps a project's keys, beneath the keyring's envelope.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProjectSeal {
    /// The project's own seal; without one, the keyring alone wraps its keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    seal: Option<ProjectOwnSeal>,
    /// The seals that the project may name; empty for callers who may not choose.
    #[schema(example = json!(["pkcs11:acme"]))]
    offered: Vec<String>,
}

/// A project's own seal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProjectOwnSeal {
    #[schema(example = "pkcs11:acme")]
    id: String,
    /// Since when it wraps the project's keys.
    since: DateTime<Utc>,
    /// Who named it.
    #[schema(example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    named_by: String,
    /// Whether the seal answers the server that answered this.
    present: bool,
    /// Why it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "token `acme` is not present")]
    why: Option<String>,
}

impl From<OwnSeal> for ProjectOwnSeal {
    fn from(own: OwnSeal) -> Self {
        let why = match own.at {
            At::Away { cause, .. } => Some(cause),
            At::NotHere => Some("this server was not given it".to_owned()),
            At::Present => None,
        };
        Self { id: own.id.to_string(), since: own.since, named_by: own.named_by, present: why.is_none(), why }
    }
}

fn shown(view: ProjectSealView) -> Response {
    json::ok(&ProjectSeal {
        seal: view.own.map(ProjectOwnSeal::from),
        offered: view.offered.iter().map(ToString::to_string).collect(),
    })
}

impl From<NameSealError> for Problem {
    fn from(error: NameSealError) -> Self {
        match error {
            NameSealError::Changed => Self::conflict(error),
            NameSealError::NotOffered(_) => Self::conflict(&error).with(vec![Flaw::at("/seal", error)]),
            NameSealError::Refused(refused) => refused.into(),
        }
    }
}
