//! A folder as it was at an instant, and the way back to it.
//!
//! Kept is, for each secret, since when it was there or deleted and which version was `current`; each write that changes one
//! of these keeps it in the same transaction. Other labels, and states of versions, are as they are now. A secret whose
//! `current` moved meanwhile goes back by its label, one that was deleted by a restore; one that was made later is left, or
//! deleted where that is chosen. What was destroyed meanwhile is named and stays destroyed.
//!
//! **Invariants:** no value is read. Who returns a folder asks for the same permits as who does it secret by secret, and each
//! secret has its own event. What is written rests on what was seen: a return of a folder that changed since is refused whole.

mod back;

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use keywarden_model::time::{from_micros, micros};
use keywarden_model::{EnvironmentId, ProjectId, SecretId, SecretPath, VersionState};
use keywarden_store::secrets::history::{self as rows, WasRow};
use sha2::{Digest, Sha256};

pub use back::{Later, Return, ReturnError, Returned};

use super::secret::damaged;
use crate::keys::Place;
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// The most secrets of a folder that is shown as it was.
pub const MOST_AS_OF: usize = 1_000;

/// A folder as it was, beside how it is.
#[derive(Debug, Clone)]
pub struct AsOf {
    /// Its environment.
    pub environment: EnvironmentId,
    /// The instant.
    pub at: DateTime<Utc>,
    /// The secrets that were there or are there, in the order of their paths.
    pub lines: Vec<WasLine>,
    project: ProjectId,
    folder: String,
}

/// A secret as it was and as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WasLine {
    /// The secret.
    pub id: SecretId,
    /// Where it lives.
    pub path: SecretPath,
    /// What was so of it.
    pub then: Stand,
    /// What is so of it.
    pub now: Stand,
    /// What a return does with it.
    pub way: Way,
    /// The version that `current` points at, also where the secret is deleted.
    current: Option<i64>,
}

/// What is so of a secret at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// It is not made yet.
    Absent,
    /// It is deleted.
    Deleted,
    /// It is gone for good.
    Purged,
    /// It is there, and this version is current, if one is.
    There(Option<i64>),
}

/// How a secret comes to be what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By these steps.
    Back {
        /// It is deleted, and is restored.
        restore: bool,
        /// `current` moves to this version.
        to: Option<i64>,
    },
    /// It was not there then: it stays, or is deleted, by choice.
    Later,
    /// In no way.
    Lost(Lost),
    /// It is as it was.
    Stays,
}

/// Why a secret cannot be what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// The version that was current is deleted by itself.
    #[error("version {0} is deleted: restore it first")]
    Deleted(i64),
    /// The version that was current is destroyed.
    #[error("version {0} was destroyed meanwhile")]
    Destroyed(i64),
    /// The version that was current is disabled.
    #[error("version {0} is disabled: enable it first")]
    Disabled(i64),
    /// None was current, and `current` is never taken away.
    #[error("no version was current, and `current` cannot be taken away")]
    NoCurrent,
    /// All of it was destroyed.
    #[error("the secret was destroyed meanwhile")]
    Purged,
}

/// Why nothing is shown.
#[derive(Debug, thiserror::Error)]
pub enum AsOfError {
    /// That has not been yet.
    #[error("choose an instant that is past")]
    Future,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Too much at once.
    #[error("this is too much at once: choose one of the folders in it, of at most {MOST_AS_OF} secrets")]
    TooMuch,
}
carries_refused!(AsOfError);

impl AsOf {
    /// What this says, in short: a return gives it back, to be refused if anything else is so by then.
    pub fn mark(&self) -> String {
        let mut told = format!("{} {} {}\n", self.environment, micros(self.at), self.folder);
        for it in &self.lines {
            // Writing to a text cannot fail.
            let _ = writeln!(told, "{} {:?} {:?} {:?} {:?}", it.id, it.then, it.now, it.current, it.way);
        }
        hex::encode(Sha256::digest(told.as_bytes()))
    }

    /// How many secrets come to be what they were in such a way.
    pub fn count(&self, is: impl Fn(&Way) -> bool) -> usize {
        self.lines.iter().filter(|it| is(&it.way)).count()
    }

    /// Where all of them are.
    fn whole(&self) -> Resource {
        Resource::Environment { id: self.environment, project: self.project }
    }

    fn resource(&self, id: SecretId) -> Resource {
        Resource::Secret { id, project: self.project, environment: self.environment }
    }
}

impl WasLine {
    fn of(row: WasRow, now: DateTime<Utc>) -> Result<Self, Fault> {
        let then = match row.then_state.as_deref() {
            None => Stand::Absent,
            Some("deleted") => Stand::Deleted,
            Some("purged") => Stand::Purged,
            Some("there") => Stand::There(row.then_number),
            Some(other) => return Err(damaged(format_args!("`{other}` in a history"))),
        };
        let is = match (row.purged_at, row.deleted_at) {
            (Some(_), _) => Stand::Purged,
            (None, Some(_)) => Stand::Deleted,
            (None, None) => Stand::There(row.number),
        };
        let version = row.then_version.map(|state| state.parse()).transpose().map_err(damaged)?;
        let restorable = row.purge_at.is_none_or(|at| now < from_micros(at));
        let way = way(then, is, row.number, version, restorable);
        let path = row.path.parse().map_err(damaged)?;
        Ok(Self { id: row.id, path, then, now: is, way, current: row.number })
    }
}

/// How a secret comes to be what it was. `current` is where that label points now, also of a deleted secret, and `version`
/// the state of the version where it pointed then.
fn way(
    then: Stand,
    now: Stand,
    current: Option<i64>,
    version: Option<VersionState>,
    restorable: bool,
) -> Way {
    let (Stand::There(number), restore) = (then, now == Stand::Deleted) else {
        return if matches!(now, Stand::There(_)) { Way::Later } else { Way::Stays };
    };
    match now {
        Stand::Absent | Stand::Purged => return Way::Lost(Lost::Purged),
        Stand::Deleted if !restorable => return Way::Lost(Lost::Purged),
        Stand::Deleted | Stand::There(_) => {}
    }
    if number == current {
        return if restore { Way::Back { restore, to: None } } else { Way::Stays };
    }
    let Some(number) = number else { return Way::Lost(Lost::NoCurrent) };
    match version {
        Some(VersionState::Enabled) => Way::Back { restore, to: Some(number) },
        Some(VersionState::Disabled) => Way::Lost(Lost::Disabled(number)),
        Some(VersionState::SoftDeleted) => Way::Lost(Lost::Deleted(number)),
        Some(VersionState::Destroyed) | None => Way::Lost(Lost::Destroyed(number)),
    }
}

impl Domain {
    /// How a folder, or all of an environment, was at an instant, with the folders below it, and what a return to it does.
    pub async fn secrets_as_of(
        &self,
        op: &Op,
        place: &Place,
        folder: Option<&SecretPath>,
        at: DateTime<Utc>,
    ) -> Result<AsOf, AsOfError> {
        let place = self.place(place).await?;
        if !self.reach(op, Action::ViewSecret).await?.covers(place.project_id) {
            return Err(Refused::NotFound.into());
        }
        if at > op.now {
            return Err(AsOfError::Future);
        }
        let folder = folder.map(SecretPath::folded);
        let most = u32::try_from(MOST_AS_OF).unwrap_or(u32::MAX);
        let environment = place.environment_id;
        let mut conn = self.store().read().await?;
        let found =
            rows::as_of(&mut conn, environment, folder.as_deref(), micros(at), most.saturating_add(1))
                .await?;
        drop(conn);
        if found.len() > MOST_AS_OF {
            return Err(AsOfError::TooMuch);
        }
        let lines = found.into_iter().map(|row| WasLine::of(row, op.now)).collect::<Result<_, _>>()?;
        let folder = folder.unwrap_or_default();
        Ok(AsOf { environment, at, lines, project: place.project_id, folder })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_then_and_now_has_one_way() {
        use Stand::{Absent, Deleted, Purged, There};
        use VersionState::{Destroyed, Disabled, Enabled, SoftDeleted};
        let back = |restore, to| Way::Back { restore, to };
        let (one, two) = (Some(1), Some(2));
        for (then, now, current, version, restorable, expected) in [
            (There(one), There(one), one, Some(Destroyed), true, Way::Stays),
            (There(one), There(two), two, Some(Enabled), true, back(false, one)),
            (There(one), There(two), two, Some(Disabled), true, Way::Lost(Lost::Disabled(1))),
            (There(one), There(two), two, Some(SoftDeleted), true, Way::Lost(Lost::Deleted(1))),
            (There(one), There(two), two, Some(Destroyed), true, Way::Lost(Lost::Destroyed(1))),
            (There(one), There(two), two, None, true, Way::Lost(Lost::Destroyed(1))),
            (There(None), There(None), None, None, true, Way::Stays),
            (There(None), There(one), one, None, true, Way::Lost(Lost::NoCurrent)),
            (There(one), Deleted, one, Some(Enabled), true, back(true, None)),
            (There(one), Deleted, two, Some(Enabled), true, back(true, one)),
            (There(one), Deleted, two, Some(Destroyed), true, Way::Lost(Lost::Destroyed(1))),
            (There(None), Deleted, one, None, true, Way::Lost(Lost::NoCurrent)),
            (There(None), Deleted, None, None, true, back(true, None)),
            (There(one), Deleted, one, Some(Enabled), false, Way::Lost(Lost::Purged)),
            (There(one), Purged, None, Some(Destroyed), false, Way::Lost(Lost::Purged)),
            (Absent, There(one), one, None, true, Way::Later),
            (Deleted, There(one), one, None, true, Way::Later),
            (Deleted, Deleted, one, None, true, Way::Stays),
            (Absent, Purged, None, None, false, Way::Stays),
        ] {
            assert_eq!(
                way(then, now, current, version, restorable),
                expected,
                "{then:?} {now:?} {version:?}"
            );
        }
    }
}
