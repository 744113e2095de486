//! Giving out a folder's values as a file: the readings that a person would do one by one.
//!
//! Each value asks for `secret.read` of its secret and has its own event, as a single reading has: an action of its own
//! would either allow more than they do, or could be walked around by them. One that may not be read is enough to give out
//! none. What a file cannot hold, or nobody can read now, is told beforehand and left out. Templates are given out as they were
//! put, so that the file says what is here; which of them are in it is told, and CSV keeps it.

use std::collections::HashMap;
use std::sync::Arc;

use keywarden_model::{SecretId, SecretKind, SecretLabel, SecretPath};
use keywarden_store::secrets::list::{self, Filter, Standing};
use keywarden_store::secrets::versions_labelled;
use keywarden_store::{EventRow, Tx, Written};
use keywarden_vault::{Keyring, SecretString};

use super::files::{FileFormat, Line, text_of, variable, write};
use super::read::{Part, ReadSecretError, Revealed, Which, opened};
use super::secret::{Secret, Version};
use crate::audit::{Fact, Record};
use crate::authz::Reach;
use crate::keys::Place;
use crate::once::Repeatable;
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// The most secrets that are given out at once.
pub const MOST_EXPORTED: usize = 1_000;
/// The most bytes that their values may have together.
const MOST_BYTES: i64 = 4 * 1024 * 1024;

/// What is to be given out.
#[derive(Debug, Clone)]
pub struct Export {
    /// Only what lies in this folder; paths are told below it.
    pub folder: Option<SecretPath>,
    /// How it is written.
    pub format: FileFormat,
    /// Why, for the record.
    pub reason: String,
}

/// What a folder would give out.
#[derive(Debug)]
pub struct Exportable {
    /// Secrets whose current value would be in the file, along their paths.
    pub secrets: Vec<Secret>,
    /// Those of them whose current version is binary: a `.env` cannot hold it and leaves it out.
    pub binary: Vec<SecretPath>,
    /// Secrets that have no current value that is read.
    pub left_out: Vec<Secret>,
    /// Those of the first whose current version is a template.
    pub templates: Vec<SecretPath>,
}

/// A file of values.
#[derive(Debug)]
pub struct Exported {
    /// The file.
    pub file: SecretString,
    /// What it should be called.
    pub name: String,
    /// How many values are in it.
    pub secrets: u32,
    /// Paths that were left out.
    pub left_out: Vec<SecretPath>,
    /// Paths of templates: the file has their text as it was put.
    pub templates: Vec<SecretPath>,
}

/// A file of values is never kept for a replay.
impl Repeatable for Exported {
    fn thing(&self) -> String {
        self.name.clone()
    }
    fn again(_: &str, _: Option<SecretString>) -> Option<Self> {
        None
    }
}

/// Why no value was given out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A secret came, went or changed under it.
    #[error("secrets changed meanwhile: nothing was exported, try again")]
    Changed,
    /// Two secrets would be one variable.
    #[error(
        "`{first}` and `{second}` would both be the variable {name}: choose another format, or one of their folders"
    )]
    Names {
        /// The variable.
        name: String,
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// The environment asks why its values are read, and nothing was said.
    #[error("this environment asks why its values are read: give a reason of 3 to 200 characters")]
    NoReason,
    /// Nothing is there that could be given out.
    #[error("there is no value here that a file could hold")]
    Nothing,
    /// A text that has a NUL.
    #[error("`{0}` holds a NUL: no such file can hold it, read it by itself")]
    NotText(SecretPath),
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Too much at once.
    #[error("this is too much for one file: export its folders one by one")]
    TooMuch,
}
carries_refused!(ExportError);

impl Domain {
    /// What a folder would give out to the caller. No value is read.
    pub async fn exportable(
        &self,
        op: &Op,
        place: &Place,
        folder: Option<&SecretPath>,
    ) -> Result<Exportable, ExportError> {
        let place = self.place(place).await?;
        let _permit = self.authorize(op, Action::ViewProject, &Resource::Project(place.project_id)).await?;
        if !self.reach(op, Action::ReadSecret).await?.covers(place.project_id) {
            op.refusal.nowhere(op, Action::ReadSecret);
            return Err(Refused::Forbidden(Action::ReadSecret).into());
        }
        let reach = match self.reach(op, Action::ViewSecret).await? {
            Reach::All => None,
            Reach::Part { projects, .. } => Some(projects),
        };
        let filter = Filter {
            reach,
            environment: Some(place.environment_id),
            folder: folder.map(SecretPath::folded),
            standing: Some(Standing::There),
            ..Filter::default()
        };
        let most = u32::try_from(MOST_EXPORTED).unwrap_or(u32::MAX);
        let mut conn = self.store().read().await?;
        let found = list::list(&mut conn, &filter, None, most.saturating_add(1)).await?;
        if found.len() > MOST_EXPORTED {
            return Err(ExportError::TooMuch);
        }
        let ids: Vec<_> = found.iter().map(|row| row.id).collect();
        let current = versions_labelled(&mut conn, &ids, SecretLabel::CURRENT).await?;
        drop(conn);
        let (mut fit, mut refer, mut bytes) = (Vec::with_capacity(current.len()), Vec::new(), 0_i64);
        let mut packed = Vec::new();
        for row in current {
            let id = row.secret_id;
            let version = Version::from_row(row, false)?;
            if version.is_read(op.now) {
                bytes = bytes.saturating_add(version.size);
                fit.push(id);
                refer.extend(version.template.then_some(id));
                packed.extend((version.kind == SecretKind::Binary).then_some(id));
            }
        }
        if bytes > MOST_BYTES {
            return Err(ExportError::TooMuch);
        }
        fit.sort_unstable();
        let found: Vec<_> = found.into_iter().map(Secret::from_row).collect::<Result<_, _>>()?;
        let (secrets, left_out): (Vec<_>, _) =
            found.into_iter().partition(|it: &Secret| fit.binary_search(&it.id).is_ok());
        for secret in &secrets {
            if !self.would(op, Action::ReadSecret, &secret.resource()).await? {
                op.refusal.nowhere(op, Action::ReadSecret);
                return Err(Refused::Forbidden(Action::ReadSecret).into());
            }
        }
        let paths = |of: &[SecretId]| {
            secrets.iter().filter(|it| of.contains(&it.id)).map(|it| it.path.clone()).collect()
        };
        let (templates, binary) = (paths(&refer), paths(&packed));
        Ok(Exportable { secrets, binary, left_out, templates })
    }

    /// Gives out the current values of a folder: all that [`Domain::exportable`] names, or nothing.
    pub async fn export_secrets(
        &self,
        op: &Op,
        place: &Place,
        export: &Export,
    ) -> Result<Exported, ExportError> {
        let found = self.exportable(op, place, export.folder.as_ref()).await?;
        let Exportable { mut secrets, binary, mut left_out, .. } = found;
        if export.format == FileFormat::Dotenv {
            let out = |it: &mut Secret| binary.contains(&it.path);
            left_out.extend(secrets.extract_if(.., out));
            left_out.sort_by(|one, other| one.path.cmp(&other.path));
        }
        let Some(one) = secrets.first() else { return Err(ExportError::Nothing) };
        let (project, environment) = (one.project, one.environment);
        let names = names(export, &secrets)?;
        let name = file_name(export, one);
        let resources: Vec<_> = secrets.iter().map(Secret::resource).collect();
        let left_out: Vec<_> = left_out.into_iter().map(|it| it.path).collect();
        let all = Arc::new((export.clone(), secrets, names, left_out, name));
        let keyring = Arc::clone(self.keyring());
        self.change(op, Action::ReadSecret, resources.as_slice(), &[], move |tx, record| {
            let (all, keyring) = (Arc::clone(&all), Arc::clone(&keyring));
            Box::pin(async move {
                let (export, secrets, names, left_out, name) = &*all;
                let mut values = Vec::with_capacity(secrets.len());
                let mut events = Vec::with_capacity(secrets.len());
                for secret in secrets {
                    let (revealed, event) = value(tx, &record, &keyring, secret, export.format).await?;
                    values.push(revealed);
                    events.push(event);
                }
                let templates =
                    values.iter().filter(|it| it.version.template).map(|it| it.path.clone()).collect();
                let file = file(export.format, secrets, names, &values)?;
                let done = Exported {
                    file,
                    name: name.clone(),
                    secrets: u32::try_from(values.len()).unwrap_or(u32::MAX),
                    left_out: left_out.clone(),
                    templates,
                };
                let event = record
                    .event("secret.export", "environment", environment)
                    .project(project)
                    .fact("secrets", done.secrets)
                    .fact("format", Fact::word(export.format.as_str()))
                    .text("folder", export.folder.as_ref().map_or("", SecretPath::as_str))
                    .text("reason", &export.reason)
                    .finish()?;
                Ok(Written::new(done, event).and_all(events))
            })
        })
        .await
    }
}

/// A current value, with the event of its reading.
async fn value(
    tx: &mut Tx,
    record: &Record,
    keyring: &Keyring,
    secret: &Secret,
    format: FileFormat,
) -> Result<(Revealed, EventRow), ExportError> {
    let read = opened(tx, record, keyring, &secret.resource(), &Which::default(), &Part::File).await;
    let (_, revealed, event) = read.map_err(|error| match error {
        // Deleted or shut since it was listed.
        ReadSecretError::Outside { .. }
        | ReadSecretError::Refused(Refused::NotFound)
        | ReadSecretError::Shut { .. } => ExportError::Changed,
        ReadSecretError::NoReason => ExportError::NoReason,
        ReadSecretError::Refused(refused) => refused.into(),
        // What is given out is the text as it is.
        other @ ReadSecretError::Unresolved { .. } => Fault::Unexpected(other.to_string()).into(),
    })?;
    // It was listed as what it is for a file; and as what it may be called there.
    let does_not_fit = format == FileFormat::Dotenv && revealed.version.kind == SecretKind::Binary;
    let is_other = does_not_fit || revealed.path != secret.path;
    if is_other { Err(ExportError::Changed) } else { Ok((revealed, event)) }
}

fn file(
    format: FileFormat,
    secrets: &[Secret],
    names: &[String],
    values: &[Revealed],
) -> Result<SecretString, ExportError> {
    let tags: Vec<_> = secrets.iter().map(|it| it.tags.words()).collect();
    let mut lines = Vec::with_capacity(values.len());
    for (((secret, name), revealed), tags) in secrets.iter().zip(names).zip(values).zip(&tags) {
        let (kind, value) = (revealed.version.kind, revealed.value.expose());
        if kind != SecretKind::Binary && text_of(value).is_none() {
            return Err(ExportError::NotText(secret.path.clone()));
        }
        let (description, template) = (secret.description.as_str(), revealed.version.template);
        lines.push(Line { name, value, kind, description, tags, template });
    }
    Ok(write(format, &lines).map_err(|cause| Fault::Unexpected(cause.to_string()))?)
}

/// What each secret is called in the file.
fn names(export: &Export, secrets: &[Secret]) -> Result<Vec<String>, ExportError> {
    let depth = export.folder.as_ref().map_or(0, |folder| folder.as_str().split('/').count());
    let below = |secret: &Secret| secret.path.as_str().split('/').skip(depth).collect::<Vec<_>>().join("/");
    if export.format != FileFormat::Dotenv {
        return Ok(secrets.iter().map(below).collect());
    }
    let mut taken: HashMap<String, &Secret> = HashMap::new();
    let mut names = Vec::with_capacity(secrets.len());
    for secret in secrets {
        let name = variable(&below(secret));
        if let Some(first) = taken.insert(name.clone(), secret) {
            let (first, second) = (first.path.to_string(), secret.path.to_string());
            return Err(ExportError::Names { name, first, second });
        }
        names.push(name);
    }
    Ok(names)
}

/// `pay-live-database.env`.
fn file_name(export: &Export, one: &Secret) -> String {
    let folder = export.folder.as_ref().map(|folder| format!("-{folder}")).unwrap_or_default();
    let stem = format!("{}-{}{folder}", one.project_slug, one.environment_slug).replace('/', "-");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let stem: String = stem.chars().map(|c| if plain(c) { c } else { '_' }).take(120).collect();
    format!("{stem}.{}", export.format.extension())
}
