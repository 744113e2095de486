//! Drills: the proof that the newest backup comes back, made where the house stands and by itself.
//!
//! ```text
//! Domain::back_up      a fresh key pair; its public half is one more recipient, its secret half lies sealed in drill_keys,
//!                      in the place of the one before: this house opens its newest backup and no older one
//! Domain::ask_for_drill, drill, drill_if_due     a row in drills, and its event
//! run                  the file -> an empty SQLite file in a folder of its own, under an empty token that is made there -> fsck,
//!                      counts, the newest event, some values -> the folder is removed, the end is told
//! ```
//! The token is SoftHSM2's, with PINs that are in memory only. Where none can be made, a key in memory takes its place, and the
//! report says so.
//!
//! **Invariants:** nothing that opens the scratch database is ever on a disk. A drill changes nothing of the house but its
//! own row. Whatever goes wrong is a failed drill, told in words; a drill that nobody ended is told as cut off.

mod key;
mod run;
mod scratch;
mod standing;

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{BackupId, DrillId};
use keywarden_store::StoreError;
use keywarden_store::drills::DrillRow;
use keywarden_vault::seal::softhsm::ScratchTokens;
use serde::{Deserialize, Serialize};

pub(super) use key::DrillKey;
pub(crate) use key::drill_key_context;
pub use standing::DrillError;

use crate::Fault;

/// How drills are done here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drills {
    /// The folder of the scratch database, on a disk with room for it; it is removed after each drill.
    pub folder: PathBuf,
    /// When one is begun by itself.
    pub due: DrillsDue,
    /// How the token is made under which it comes back, or why there is none.
    pub tokens: Result<ScratchTokens, String>,
}

/// When a drill is begun by itself. Never twice of one backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrillsDue {
    /// After each so many-th backup.
    Backups(u32),
    /// Never: only when somebody asks.
    Never,
    /// Of the first backup so long after the last drill.
    Since(Duration),
}

/// How a drill stands. Names are stored: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrillState {
    /// It waits for a node that has the file.
    Asked,
    /// Something was not as it should be.
    Failed,
    /// All of it came back.
    Passed,
    /// A node is at it.
    Running,
}

impl DrillState {
    const ALL: [Self; 4] = [Self::Asked, Self::Failed, Self::Passed, Self::Running];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Failed => "failed",
            Self::Passed => "passed",
            Self::Running => "running",
        }
    }
}

/// Under what a backup came back. Names are stored: they never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum DrillSeal {
    /// A key in memory, with no token.
    Software {
        /// Why there was none.
        why: String,
    },
    /// A new and empty token of SoftHSM2, through PKCS#11.
    Token,
}

impl DrillSeal {
    /// The stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Software { .. } => "software",
            Self::Token => "token",
        }
    }
}

/// What was looked at, and what was wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillReport {
    /// Rows that the backup holds, all of them counted again where they were restored.
    pub rows: u64,
    /// Events whose bytes were compared with what their columns say.
    pub events: u64,
    /// Rows and values that were opened.
    pub opened: u64,
    /// Values, drawn by chance, that are here what they are in the backup.
    pub compared: u64,
    /// What came back and only seals of projects open, in words: whoever restores it needs them.
    #[serde(default)]
    pub apart: Vec<String>,
    /// Under what it came back; nothing where it did not get that far, and in reports of older versions.
    #[serde(default)]
    pub seal: Option<DrillSeal>,
    /// What was not as it should be, in words; none: it came back whole.
    pub failures: Vec<String>,
}

/// A drill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drill {
    /// Its id.
    pub id: DrillId,
    /// The backup.
    pub backup: BackupId,
    /// Of which instant that is.
    pub made_at: DateTime<Utc>,
    /// How it stands.
    pub state: DrillState,
    /// Since when it is wanted.
    pub asked_at: DateTime<Utc>,
    /// When a node began it.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// What came of it.
    pub report: Option<DrillReport>,
}

impl Drill {
    fn from_row(row: DrillRow) -> Result<Self, Fault> {
        let damaged = |cause: &dyn std::fmt::Display| -> Fault {
            StoreError::Damaged { table: "drills", cause: cause.to_string() }.into()
        };
        let state = DrillState::ALL.into_iter().find(|it| it.name() == row.state);
        let report = row.report.map(|text| serde_json::from_str(&text)).transpose();
        Ok(Self {
            id: row.id.parse().map_err(|cause| damaged(&cause))?,
            backup: row.backup_id.parse().map_err(|cause| damaged(&cause))?,
            made_at: from_micros(row.made_at),
            state: state.ok_or_else(|| damaged(&"a state that is none"))?,
            asked_at: from_micros(row.asked_at),
            started_at: row.started_at.map(from_micros),
            ended_at: row.ended_at.map(from_micros),
            report: report.map_err(|cause| damaged(&cause))?,
        })
    }

    /// How long a node was at it.
    pub fn took(&self) -> Option<Duration> {
        (self.ended_at? - self.started_at?).to_std().ok()
    }
}
