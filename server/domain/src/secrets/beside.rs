//! A project's environments side by side: which paths they hold, and where a value is the same.
//!
//! Whether two values are the same is told by their keyed fingerprints, to somebody who may see both secrets. No value is
//! opened, and no fingerprint leaves.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use keywarden_model::{EnvironmentId, ProjectId, SecretId, SecretPath, VersionState};
use keywarden_store::secrets::beside as rows;

use super::list::SecretListError;
use super::secret::{Address, Secret, damaged, find};
use super::validity::Validity;
use crate::environments::Environment;
use crate::{Action, Domain, Fault, Op, Refused};

/// Paths that are read at once.
const READ: u32 = 200;
/// How often one page reads on.
const READS: usize = 10;

/// What is looked for.
#[derive(Debug, Clone)]
pub struct BesideQuery {
    /// In this project.
    pub project: ProjectId,
    /// In this folder or one below it.
    pub folder: Option<SecretPath>,
    /// Only some of the paths.
    pub only: Option<Only>,
    /// Where to go on: [`SideBySide::next`] of the page before.
    pub cursor: Option<String>,
    /// At most this many rows: 1 to 200.
    pub limit: u32,
}

/// Which paths are of interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// Those whose values are not the same everywhere.
    Differences,
    /// Those that an environment lacks.
    Missing,
}

impl Only {
    /// All, alphabetical.
    pub const ALL: [Self; 2] = [Self::Differences, Self::Missing];

    /// The word in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Differences => "differences",
            Self::Missing => "missing",
        }
    }

    /// From its word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// A page of paths, in their order.
#[derive(Debug)]
pub struct SideBySide {
    /// The project's environments: the columns.
    pub environments: Vec<Environment>,
    /// A row for each path.
    pub rows: Vec<BesideRow>,
    /// Where the next page begins; `None` at the end. A page may be short, or empty, and not be the last.
    pub next: Option<String>,
}

/// A path, and what each environment holds there.
#[derive(Debug, Clone)]
pub struct BesideRow {
    /// As it is written where it is written first.
    pub path: SecretPath,
    /// One for each environment, in their order.
    pub cells: Vec<Cell>,
}

/// What an environment holds at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The secret, if there is one.
    pub secret: Option<SecretId>,
    /// What callers get.
    pub state: CellState,
    /// The environments, by their place in the columns, whose value is the same.
    pub same_as: Vec<usize>,
}

/// What callers get who name no version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellState {
    /// Nothing: the secret is deleted.
    Deleted,
    /// Nothing: there is no secret.
    Missing,
    /// The value of the version of this number.
    Set(i64),
    /// Nothing: no version is current, or the current one is not enabled or outside its time.
    Unreadable,
}

impl BesideRow {
    fn is(&self, only: Only) -> bool {
        match only {
            Only::Differences => {
                let all = self.cells.len().saturating_sub(1);
                self.cells.iter().any(|cell| cell.same_as.len() != all || !cell.is_set())
            }
            Only::Missing => {
                self.cells.iter().any(|cell| matches!(cell.state, CellState::Missing | CellState::Deleted))
            }
        }
    }
}

impl Cell {
    /// Whether callers get a value.
    pub fn is_set(&self) -> bool {
        matches!(self.state, CellState::Set(_))
    }
}

impl Domain {
    /// The paths of a project whose secrets the caller may see, and what each environment holds there.
    pub async fn secrets_side_by_side(
        &self,
        op: &Op,
        query: &BesideQuery,
    ) -> Result<SideBySide, SecretListError> {
        let environments = self.environments(op, query.project).await?;
        if !self.reach(op, Action::ViewSecret).await?.covers(query.project) {
            return Err(Refused::NotFound.into());
        }
        let limit = query.limit.clamp(1, 200) as usize;
        let folder = query.folder.as_ref().map(SecretPath::folded);
        let mut after = query.cursor.as_deref().map(read_cursor).transpose()?;
        let mut rows = Vec::new();
        let mut conn = self.store().read().await?;
        for _ in 0..READS {
            let paths =
                rows::paths(&mut conn, query.project, folder.as_deref(), after.as_deref(), READ).await?;
            if paths.is_empty() {
                return Ok(SideBySide { environments, rows, next: None });
            }
            let found = rows::beside(&mut conn, query.project, &paths).await?;
            let mut of_path: HashMap<String, Vec<rows::BesideRow>> = HashMap::new();
            for row in found {
                of_path.entry(row.folded_path.clone()).or_default().push(row);
            }
            for folded in &paths {
                if rows.len() == limit {
                    let next = after.map(|after| URL_SAFE_NO_PAD.encode(after));
                    return Ok(SideBySide { environments, rows, next });
                }
                if let Some(held) = of_path.remove(folded)
                    && let Some(row) = line(&environments, &held, op.now)?
                    && query.only.is_none_or(|only| row.is(only))
                {
                    rows.push(row);
                }
                after = Some(folded.clone());
            }
            if paths.len() < READ as usize {
                return Ok(SideBySide { environments, rows, next: None });
            }
        }
        Ok(SideBySide { environments, rows, next: after.map(|after| URL_SAFE_NO_PAD.encode(after)) })
    }

    /// What each environment of its project holds at a secret's path. Only the secret's own cell is filled for whom the
    /// rest of the project is none of their business.
    pub async fn secret_side_by_side(
        &self,
        op: &Op,
        id: SecretId,
    ) -> Result<(Vec<Environment>, BesideRow), Refused> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        let _permit = self.authorize(op, Action::ViewSecret, &resource).await?;
        let mut conn = self.store().read().await?;
        let row = find(&mut conn, &Address::Id(id)).await?.ok_or(Refused::NotFound)?;
        let secret = Secret::from_row(row)?;
        if secret.resource() != resource {
            return Err(Refused::NotFound);
        }
        let held = rows::beside(&mut conn, secret.project, &[secret.path.folded()]).await?;
        drop(conn);
        let mut environments = self.environments(op, secret.project).await?;
        if !self.reach(op, Action::ViewSecret).await?.covers(secret.project) {
            environments.retain(|it| it.id == secret.environment);
        }
        let row = line(&environments, &held, op.now)?.ok_or(Refused::NotFound)?;
        Ok((environments, row))
    }
}

fn read_cursor(text: &str) -> Result<String, SecretListError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| SecretListError::Cursor)?;
    String::from_utf8(bytes).map_err(|_| SecretListError::Cursor)
}

/// What the environments hold at one path; `None` where none of them does any more.
fn line(
    environments: &[Environment],
    held: &[rows::BesideRow],
    now: DateTime<Utc>,
) -> Result<Option<BesideRow>, Fault> {
    let Some(first) = held.first() else { return Ok(None) };
    let path = first.path.parse().map_err(damaged)?;
    let by_environment: HashMap<EnvironmentId, &rows::BesideRow> =
        held.iter().map(|row| (row.environment_id, row)).collect();
    let columns: Vec<_> = environments.iter().map(|it| by_environment.get(&it.id).copied()).collect();
    let states = columns.iter().map(|row| row.map_or(Ok(CellState::Missing), |row| state(row, now)));
    let states = states.collect::<Result<Vec<_>, _>>()?;
    let same = |a: usize, b: usize| {
        let set = |n: usize| matches!(states.get(n), Some(CellState::Set(_)));
        let of = |n: usize| columns.get(n).copied().flatten().and_then(fingerprint);
        a != b && set(a) && set(b) && of(a).is_some() && of(a) == of(b)
    };
    let cells = columns.iter().zip(&states).enumerate().map(|(n, (row, state))| Cell {
        secret: row.map(|row| row.id),
        state: *state,
        same_as: (0..columns.len()).filter(|other| same(n, *other)).collect(),
    });
    Ok(Some(BesideRow { path, cells: cells.collect() }))
}

fn state(row: &rows::BesideRow, now: DateTime<Utc>) -> Result<CellState, Fault> {
    if row.deleted_at.is_some() {
        return Ok(CellState::Deleted);
    }
    let (Some(number), Some(state)) = (row.number, &row.state) else { return Ok(CellState::Unreadable) };
    Ok(match state.parse().map_err(damaged)? {
        VersionState::Enabled if Validity::of(row.not_before, row.expires_at).outside(now).is_none() => {
            CellState::Set(number)
        }
        _ => CellState::Unreadable,
    })
}

/// Two that different keys made say nothing of each other; and a template reads otherwise than the same text.
fn fingerprint(row: &rows::BesideRow) -> Option<(&str, &[u8], bool)> {
    Some((row.fingerprint_key_id.as_deref()?, row.fingerprint.as_deref()?, row.template?))
}
