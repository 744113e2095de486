//! Rewraps: what lies under one key is sealed anew under another, while everything goes on.
//!
//! A rotation makes the new key and writes a rewrap down, in one transaction; from then on the new key serves and the old
//! one only unwraps. [`Domain::rewrap`](crate::Domain::rewrap), called by the clock on every node, brings the rest over in
//! batches. Each batch takes the rewrap's row, goes on behind its position, and commits the rewrapped keys, the new
//! position and its event at once: a node that dies loses one batch that never was, and two nodes take turns.
//!
//! **Invariants:** no value is opened. A reader finds a key and what lies under it in one statement, so that it sees both
//! before a batch or both after it. Projects' keys are sealed under a key of the keyring only when every running node has
//! it in memory. A key is destroyed by the batch that finds nothing under it any more, in its transaction; what does not
//! open is left as it is, counted, and keeps its key alive.

mod run;
mod show;
mod switch;

use chrono::{DateTime, Utc};
use keywarden_model::{ProjectId, RewrapId, time::from_micros};
use keywarden_store::rewraps::RewrapRow;

pub use switch::SwitchRewrapError;

use crate::{Fault, Resource};

/// What is wrapped anew. Names are stored: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Data keys of a project's secrets, under a new key of the project.
    DataKeys,
    /// Keys of the keyring, under a new key of the HSM. Done in the transaction that starts it.
    KeyringKeys,
    /// Projects' keys, under a new key of the keyring.
    ProjectKeys,
}

impl Kind {
    const ALL: [Self; 3] = [Self::DataKeys, Self::KeyringKeys, Self::ProjectKeys];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DataKeys => "data-keys",
            Self::KeyringKeys => "keyring-keys",
            Self::ProjectKeys => "project-keys",
        }
    }
}

/// Whether a rewrap goes on. Names are stored: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It has come to its end.
    Done,
    /// Somebody paused it.
    Paused,
    /// It goes on by itself.
    Running,
}

impl State {
    const ALL: [Self; 3] = [Self::Done, Self::Paused, Self::Running];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Paused => "paused",
            Self::Running => "running",
        }
    }
}

/// A rewrap, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrap {
    /// Its id.
    pub id: RewrapId,
    /// What is wrapped anew.
    pub kind: Kind,
    /// Whose.
    pub project: Option<ProjectId>,
    /// The project's slug.
    pub project_slug: Option<String>,
    /// The key before.
    pub from_key: String,
    /// The key after.
    pub to_key: String,
    /// Whether it goes on.
    pub state: State,
    /// How many things there were at the start.
    pub total: i64,
    /// How many are wrapped anew; fewer than all at the end if some were destroyed meanwhile.
    pub done: i64,
    /// How many did not open: they are damaged, and lie where they lay.
    pub skipped: i64,
    /// Since when.
    pub started_at: DateTime<Utc>,
    /// By whom: an actor's id.
    pub started_by: String,
    /// When it last came further.
    pub moved_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Rewrap {
    pub(crate) fn from_row(row: RewrapRow) -> Result<Self, Fault> {
        let damaged = |what: &str| Fault::Damaged(format!("rewraps: {what}"));
        let kind =
            Kind::ALL.into_iter().find(|it| it.name() == row.kind).ok_or_else(|| damaged(&row.kind))?;
        let state =
            State::ALL.into_iter().find(|it| it.name() == row.state).ok_or_else(|| damaged(&row.state))?;
        let project = row.project_id.map(|id| id.parse()).transpose().map_err(|_| damaged("no project"))?;
        Ok(Self {
            id: row.id,
            kind,
            project,
            project_slug: row.project_slug,
            from_key: row.from_key,
            to_key: row.to_key,
            state,
            total: row.total,
            done: row.done,
            skipped: row.skipped,
            started_at: from_micros(row.started_at),
            started_by: row.started_by,
            moved_at: from_micros(row.moved_at),
            ended_at: row.ended_at.map(from_micros),
        })
    }

    /// What it is a matter of, as policies see it.
    pub fn resource(&self) -> Resource {
        self.project.map_or(Resource::Organization, Resource::Project)
    }
}

#[cfg(test)]
mod tests;
