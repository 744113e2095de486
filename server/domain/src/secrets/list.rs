//! Lists of secrets, within what the caller may see. No value is read.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::{later, micros};
use keywarden_model::{EnvironmentId, ProjectId, SecretId, SecretLabel, SecretPath, Tag};
use keywarden_store::secrets::list::{self as rows, After, Filter};
use keywarden_store::secrets::versions_labelled;

use super::secret::{Secret, Version};
use crate::authz::{Owner, Reach};
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused};

/// A value that expires within this is said to do so soon.
pub const SOON: TimeDelta = TimeDelta::days(30);

/// What is looked for. Empty fields do not narrow.
#[derive(Debug, Clone, Default)]
pub struct SecretQuery {
    /// In this project.
    pub project: Option<ProjectId>,
    /// In this environment.
    pub environment: Option<EnvironmentId>,
    /// In this folder or one below it.
    pub folder: Option<SecretPath>,
    /// A part of the path, of a tag or of the owner's name, in any spelling.
    pub search: Option<String>,
    /// Of this person or team.
    pub owner: Option<Owner>,
    /// With this tag.
    pub tag: Option<Tag>,
    /// In this condition.
    pub standing: Standing,
    /// Where to go on: [`SecretPage::next`] of the page before.
    pub cursor: Option<String>,
    /// At most this many: 1 to 200.
    pub limit: u32,
}

/// What somebody gets who asks for a secret and names no version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// Nothing: the secret is deleted, and can be restored.
    Deleted,
    /// The value for [`SOON`] at most; or nothing any more, for its time is over.
    Expiring,
    /// The value, or nothing: the secret is not deleted.
    #[default]
    There,
    /// Nothing, though the secret is not deleted: no version is current, or the current one is not enabled or outside its
    /// time.
    Unreadable,
}

impl Standing {
    /// All, alphabetical.
    pub const ALL: [Self; 4] = [Self::Deleted, Self::Expiring, Self::There, Self::Unreadable];

    /// The word in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Expiring => "expiring",
            Self::There => "there",
            Self::Unreadable => "unreadable",
        }
    }

    fn row_standing(self, now: DateTime<Utc>) -> rows::Standing {
        match self {
            Self::Deleted => rows::Standing::Deleted,
            Self::Expiring => rows::Standing::Expiring(micros(later(now, SOON))),
            Self::There => rows::Standing::There,
            Self::Unreadable => rows::Standing::Unreadable(micros(now)),
        }
    }
}

/// No such condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use `there`, `unreadable`, `expiring` or `deleted`")]
pub struct StandingError;

impl std::str::FromStr for Standing {
    type Err = StandingError;
    fn from_str(text: &str) -> Result<Self, StandingError> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or(StandingError)
    }
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
            // To own a secret gives no right to it.
            Reach::Part { projects, .. } => Some(projects),
        };
        let after = query.cursor.as_deref().map(read_cursor).transpose()?;
        let limit = query.limit.clamp(1, 200);
        let filter = Filter {
            reach,
            project: query.project,
            environment: query.environment,
            folder: query.folder.as_ref().map(SecretPath::folded),
            contains: query.search.as_deref().and_then(needle),
            owner: query.owner.map(|owner| owner.to_string()),
            tag: query.tag.as_ref().map(ToString::to_string),
            standing: Some(query.standing.row_standing(op.now)),
        };
        let mut conn = self.store().read().await?;
        let mut found = rows::list(&mut conn, &filter, after.as_ref(), limit.saturating_add(1)).await?;
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

/// What is sought within folded paths, tags and names. What is no path is sought as it is.
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
