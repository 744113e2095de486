//! Lists of secrets, within what the caller may see. No value is read.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keywarden_model::{EnvironmentId, ProjectId, SecretId, SecretLabel, SecretPath};
use keywarden_store::secrets::list::{self as rows, After, Filter};
use keywarden_store::secrets::versions_labelled;

use super::secret::{Secret, Version};
use crate::authz::Reach;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused};

/// What is looked for. Empty fields do not narrow.
#[derive(Debug, Clone, Default)]
pub struct SecretQuery {
    /// In this project.
    pub project: Option<ProjectId>,
    /// In this environment.
    pub environment: Option<EnvironmentId>,
    /// In this folder or one below it.
    pub folder: Option<SecretPath>,
    /// A part of the path in any spelling.
    pub search: Option<String>,
    /// The deleted ones instead of those that are not.
    pub deleted: bool,
    /// Where to go on: [`SecretPage::next`] of the page before.
    pub cursor: Option<String>,
    /// At most this many: 1 to 200.
    pub limit: u32,
}

/// A secret in a list.
#[derive(Debug, Clone)]
pub struct SecretLine {
    /// The secret.
    pub secret: Secret,
    /// Its current version.
    pub current: Option<Version>,
}

/// A page of secrets, in the order of their paths.
#[derive(Debug)]
pub struct SecretPage {
    /// The secrets.
    pub secrets: Vec<SecretLine>,
    /// Give it as [`SecretQuery::cursor`] for the next page; `None` at the end.
    pub next: Option<String>,
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum SecretListError {
    /// The cursor is none of ours.
    #[error("this is not where a page of the list ended: begin without `cursor`")]
    Cursor,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(SecretListError);

impl Domain {
    /// Secrets that the caller may see.
    pub async fn secrets(&self, op: &Op, query: &SecretQuery) -> Result<SecretPage, SecretListError> {
        let reach = match self.reach(op, Action::ViewSecret).await? {
            Reach::All => None,
            // Secrets have no owners of their own.
            Reach::Part { projects, .. } => Some(projects),
        };
        let after = query.cursor.as_deref().map(read_cursor).transpose()?;
        let limit = query.limit.clamp(1, 200);
        let filter = Filter {
            reach,
            project: query.project,
            environment: query.environment,
            folder: query.folder.as_ref().map(SecretPath::folded),
            path_contains: query.search.as_deref().and_then(needle),
            deleted: Some(query.deleted),
        };
        let mut conn = self.store().read().await?;
        let mut found = rows::list(&mut conn, &filter, after.as_ref(), limit + 1).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found
            .last()
            .filter(|_| more)
            .map(|last| URL_SAFE_NO_PAD.encode(format!("{} {}", last.id, last.folded_path)));
        let ids: Vec<_> = found.iter().map(|row| row.id).collect();
        let current = versions_labelled(&mut conn, &ids, SecretLabel::CURRENT).await?;
        drop(conn);
        let mut current: HashMap<SecretId, _> = current.into_iter().map(|row| (row.secret_id, row)).collect();
        let mut secrets = Vec::with_capacity(found.len());
        for row in found {
            let secret = Secret::from_row(row)?;
            let deleted = secret.deletion.is_some();
            let current =
                current.remove(&secret.id).map(|row| Version::from_row(row, deleted)).transpose()?;
            secrets.push(SecretLine { secret, current });
        }
        Ok(SecretPage { secrets, next })
    }
}

/// What is sought within folded paths. What is no path is sought as it is.
fn needle(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    Some(text.parse::<SecretPath>().map_or_else(|_| text.to_lowercase(), |path| path.folded()))
}

fn read_cursor(text: &str) -> Result<After, SecretListError> {
    let wrong = || SecretListError::Cursor;
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
    let (id, folded_path) = text.split_once(' ').ok_or_else(wrong)?;
    Ok(After { id: id.parse().map_err(|_| wrong())?, folded_path: folded_path.to_owned() })
}
