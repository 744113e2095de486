//! `POST /api/v1/projects/{project}/environments/{environment}/imports`

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain, SecretBytes,
    secrets::{
        EntryOutcome, ImportError, ImportFile, PlannedEntry, Seen,
        files::{FileFlaw, FileFormat, Nested},
    },
};
use keywarden_model::SecretPath;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    caller::Caller,
    environments::Within,
    flaw::{Flaw, Flaws},
    json::{self, Asked},
    keys::create::place,
    problem::{Kind, Problem},
    standards,
};

/// A file of values. No `Debug`: it is a secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportSecrets {
    /// `dotenv`, `json`, `yaml` or `csv`.
    #[schema(example = "dotenv")]
    format: String,
    /// The file as text, at most 512 KiB and 1 000 entries.
    #[schema(example = "DATABASE_URL=postgres://app:…@db/shop\n")]
    content: String,
    /// The folder that its paths lie in; otherwise the top.
    #[schema(example = "shop")]
    folder: Option<String>,
    /// What an object within a JSON file is: `folders` (otherwise), or `json`, one secret with its text as it is.
    #[schema(example = "folders")]
    nested: Option<String>,
    /// `true`: say what would be done, and do nothing.
    #[serde(default)]
    #[schema(example = false)]
    preview: bool,
    /// `seen` of the preview: each path with the version that was current, 0 for none. If anything else is there now,
    /// nothing is imported.
    #[schema(example = json!({ "shop/DATABASE_URL": 0 }))]
    seen: Option<BTreeMap<String, u32>>,
}

/// What was done, or would be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportedSecrets {
    /// Whether nothing was done yet.
    preview: bool,
    /// Secrets that are made.
    created: u32,
    /// Secrets that are changed.
    changed: u32,
    /// Secrets that are so already.
    unchanged: u32,
    /// Entries that cannot be imported. A preview tells them; an import with one of them does nothing.
    refused: u32,
    /// Each entry, in the order of the file. Absent where an idempotency key answers for what was done before.
    entries: Vec<ImportedEntry>,
    /// Each path with the version that is current, 0 for none.
    seen: BTreeMap<String, i64>,
}

/// One entry of the file.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportedEntry {
    /// Where it stands.
    #[schema(example = 1)]
    line: u64,
    #[schema(example = "shop/DATABASE_URL")]
    path: String,
    /// `create`, `change`, `unchanged` or `refused`.
    #[schema(example = "create")]
    outcome: &'static str,
    /// With `change`: whether there is a new version.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<bool>,
    /// With `change`: whether description or tags change.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<bool>,
    /// With `refused`: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The secret, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "sec_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: Option<String>,
    /// The version that is current; 0: none.
    #[schema(example = 0)]
    version: i64,
}

/// Import a file of values
///
/// All of it or nothing, as the same puts would do it one by one: each secret asks for the same permits and has its own
/// event. What is so already stays as it is, so that a file can be imported again. With `preview` nothing is done; give
/// its `seen` to the import to be refused if anything changed in between.
#[utoipa::path(
    post,
    path = "/api/v1/projects/{project}/environments/{environment}/imports",
    tag = "Secrets",
    operation_id = "importSecrets",
    params(
        ("project" = String, Path, description = "Slug or `prj_…`"),
        ("environment" = String, Path, description = "Slug or `env_…`"),
    ),
    request_body = ImportSecrets,
    responses((status = 200, description = "What was done, or would be", body = ImportedSecrets)),
    extensions(("x-expects" = json!(true))),
)]
pub(crate) async fn import(
    State(domain): State<Domain>,
    caller: Caller,
    Within { project, environment }: Within,
    asked: Asked<ImportSecrets>,
) -> Result<Response, Problem> {
    let (op, mut body) = caller.asks(asked);
    let place = place(&domain, &op, &project, &environment).await?;
    let seen = body.seen.take();
    let seen = seen.map(|each| each.into_iter().map(|(path, number)| (path, number.into())).collect());
    let preview = body.preview;
    let file = body.file()?;
    if preview {
        let found = domain.preview_import(&op, &place, &file).await;
        let found = found.map_err(|error| as_the_file_says(error, &file))?;
        return Ok(json::ok(&ImportedSecrets::of(true, &found.entries)));
    }
    let done = domain.import_secrets(&op, &place, &file, seen.map(Seen::Each).as_ref()).await;
    let done = done.map_err(|error| as_the_file_says(error, &file))?;
    let (created, changed, unchanged) = (done.created, done.changed, done.unchanged);
    let entries = ImportedSecrets::of(false, &done.entries);
    Ok(json::ok(&ImportedSecrets { created, changed, unchanged, ..entries }))
}

impl ImportSecrets {
    fn file(self) -> Result<ImportFile, Problem> {
        let mut flaws = Flaws::default();
        let format: Option<FileFormat> = flaws.parse("/format", &self.format);
        let folder = flaws.keep("/folder", folder(self.folder));
        let nested = flaws.keep("/nested", self.nested.map(|text| text.parse::<Nested>()).transpose());
        let (Some(format), Some(folder), Some(nested)) = (format, folder, nested) else {
            return Err(flaws.problem());
        };
        let file = SecretBytes::new(self.content.into_bytes());
        Ok(ImportFile { folder, format, nested: nested.unwrap_or_default(), file })
    }
}

/// The folder of a body; empty is the top.
pub(super) fn folder(
    text: Option<String>,
) -> Result<Option<SecretPath>, keywarden_model::secret::SecretPathError> {
    text.filter(|text| !text.is_empty()).map(|text| text.parse()).transpose()
}

impl ImportedSecrets {
    fn of(preview: bool, entries: &[PlannedEntry]) -> Self {
        let count = |word| {
            let counted = entries.iter().filter(|it| outcome(&it.outcome) == word).count();
            u32::try_from(counted).unwrap_or(u32::MAX)
        };
        Self {
            preview,
            created: count("create"),
            changed: count("change"),
            unchanged: count("unchanged"),
            refused: count("refused"),
            entries: entries.iter().map(ImportedEntry::of).collect(),
            seen: entries.iter().map(|it| (it.path.clone(), it.current)).collect(),
        }
    }
}

fn outcome(outcome: &EntryOutcome) -> &'static str {
    match outcome {
        EntryOutcome::Change { .. } => "change",
        EntryOutcome::Create => "create",
        EntryOutcome::Refused(_) => "refused",
        EntryOutcome::Unchanged => "unchanged",
    }
}

impl ImportedEntry {
    fn of(it: &PlannedEntry) -> Self {
        let (value, about, reason) = match &it.outcome {
            EntryOutcome::Change { value, about } => (Some(*value), Some(*about), None),
            EntryOutcome::Refused(why) => (None, None, Some(why.to_string())),
            EntryOutcome::Create | EntryOutcome::Unchanged => (None, None, None),
        };
        Self {
            line: it.line,
            path: it.path.clone(),
            outcome: outcome(&it.outcome),
            value,
            about,
            reason,
            id: it.secret.map(|id| id.to_string()),
            version: it.current,
        }
    }
}

/// The error with entries by their names in the file: what stands in `folder` is not repeated.
fn as_the_file_says(error: ImportError, file: &ImportFile) -> ImportError {
    let Some(folder) = &file.folder else { return error };
    let name = |path: String| match path.strip_prefix(folder.as_str()).and_then(|it| it.strip_prefix('/')) {
        Some(within) => within.to_owned(),
        None => path,
    };
    match error {
        ImportError::Changed(paths) => ImportError::Changed(paths.into_iter().map(name).collect()),
        ImportError::Entries(entries) => {
            let named = entries.into_iter().map(|it| PlannedEntry { path: name(it.path), ..it });
            ImportError::Entries(named.collect())
        }
        ImportError::Standard(path, breach) => ImportError::Standard(name(path), breach),
        ImportError::TooManyLabels(path) => ImportError::TooManyLabels(name(path)),
        other => other,
    }
}

/// Flaws of a file that are told at once.
const MOST: usize = 50;

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Archived
            | ImportError::KeyExhausted
            | ImportError::NoOwner
            | ImportError::TooManyLabels(_) => Self::conflict(error),
            ImportError::Changed(_) => Self::new(Kind::Precondition, error.to_string()),
            ImportError::Entries(entries) => {
                let told = entries.iter().take(MOST).map(|it| {
                    let why = match &it.outcome {
                        EntryOutcome::Refused(why) => why.to_string(),
                        _ => String::new(),
                    };
                    Flaw::at("/content", format_args!("line {}: `{}`: {why}", it.line, it.path))
                });
                let detail = format!("{} of the entries cannot be imported, so none was", entries.len());
                Self::new(Kind::Invalid, detail).with(told.collect())
            }
            ImportError::File(file) => {
                let told = file.flaws.iter().map(|flaw: &FileFlaw| Flaw::at("/content", flaw));
                Self::from(told.collect::<Vec<_>>())
            }
            ImportError::Refused(refused) => refused.into(),
            ImportError::Standard(..) => standards::broken_at("/content", error),
        }
    }
}
