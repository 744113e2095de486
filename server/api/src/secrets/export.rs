//! `POST /api/v1/projects/{project}/environments/{environment}/exports`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain, Op,
    secrets::{Export, ExportError, files::FileFormat},
};
use keywarden_model::Description;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::import::folder;
use crate::{
    caller::Caller,
    environments::Within,
    flaw::Flaws,
    json::{self, Asked},
    keys::create::place,
    problem::Problem,
};

/// Which values, and how they are written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportSecrets {
    /// `dotenv`, `json`, `yaml` or `csv`.
    #[schema(example = "json")]
    format: String,
    /// Only what lies in this folder; paths are told below it.
    #[schema(example = "shop")]
    folder: Option<String>,
    /// Why, for the audit record: up to 1 000 characters. An environment that asks why its values are read takes one of 3
    /// to 200, here or in `Keywarden-Reason`.
    #[serde(default)]
    #[schema(example = "the shop moves to another cluster")]
    reason: String,
}

/// A file of values. No `Debug`: it is a secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportedSecrets<'a> {
    /// What the file should be called.
    #[schema(example = "pay-live-shop.json")]
    name: &'a str,
    /// The file.
    content: &'a str,
    /// How many values are in it.
    #[schema(example = 1)]
    secrets: u32,
    /// Paths of secrets that are not in it: no current value, or one that no such file can hold.
    left_out: Vec<String>,
    /// Paths of templates in it: the file has their text as it was put. Of the formats CSV says so.
    templates: Vec<String>,
}

/// Export values as a file
///
/// The current values of an environment or folder, all of them or none. Each is a reading: it asks for the same permit, and
/// has its own event.
#[utoipa::path(
    post,
    path = "/api/v1/projects/{project}/environments/{environment}/exports",
    tag = "Secrets",
    operation_id = "exportSecrets",
    params(
        ("project" = String, Path, description = "Slug or `prj_…`"),
        ("environment" = String, Path, description = "Slug or `env_…`"),
        ("Keywarden-Reason" = Option<String>, Header, description = "Why the values are read"),
    ),
    request_body = ExportSecrets,
    responses((status = 200, description = "The file", body = ExportedSecrets)),
)]
pub(crate) async fn export(
    State(domain): State<Domain>,
    caller: Caller,
    Within { project, environment }: Within,
    asked: Asked<ExportSecrets>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let reason = op.reason.clone().or_else(|| body.reason.parse().ok());
    let op = Op { reason, ..op };
    let place = place(&domain, &op, &project, &environment).await?;
    let done = domain.export_secrets(&op, &place, &body.read()?).await?;
    Ok(json::ok(&ExportedSecrets {
        name: &done.name,
        content: done.file.expose(),
        secrets: done.secrets,
        left_out: done.left_out.iter().map(ToString::to_string).collect(),
        templates: done.templates.iter().map(ToString::to_string).collect(),
    }))
}

impl ExportSecrets {
    fn read(self) -> Result<Export, Problem> {
        let mut flaws = Flaws::default();
        let format: Option<FileFormat> = flaws.parse("/format", &self.format);
        let folder = flaws.keep("/folder", folder(self.folder));
        let reason: Option<Description> = flaws.parse("/reason", &self.reason);
        let (Some(format), Some(folder), Some(reason)) = (format, folder, reason) else {
            return Err(flaws.problem());
        };
        Ok(Export { folder, format, reason: reason.to_string() })
    }
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::NoReason => Self::no_reason(error),
            ExportError::Refused(refused) => refused.into(),
            ExportError::Changed
            | ExportError::Names { .. }
            | ExportError::Nothing
            | ExportError::NotText(_)
            | ExportError::TooMuch => Self::conflict(error),
        }
    }
}
