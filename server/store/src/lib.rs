//! Cellar for records: all SQL, written once for SQLite and PostgreSQL.
//!
//! # How to
//! * *Read*: `let mut conn = store.read().await?;` and hand `&mut conn` to a function of a noun's file.
//! * *Write*: [`Store::write`] with a closure of SQL and pure decisions; it may run again, and returns its audit
//!   event with its value ([`Written`]). Only there a [`Tx`] exists, and only a [`Tx`] changes rows.
//!   [`Store::write_silently`] is for what owes no event (usage counters, session touches) and names its reason.
//! * *Add a noun*: a migration of the same name in `migrations/{sqlite,postgres}/`, a file here with its row struct
//!   (`#[derive(sqlx::FromRow)]`), and functions whose statements are `sql("…$1…")` texts that run on both engines.
//! * *Change what is allowed*: call [`Tx::restrict`] where a yes can turn into a no; every node then forgets what it
//!   remembers of that thing within a second.
//! * *Filter*: [`filter`] alone puts statements together, from enums of known columns.
//!
//! **Invariants:** no statement holds user input as text. Times are microseconds since 1970 (UTC), ids are prefixed
//! text, JSON is text. What really differs between the engines is in [`dialect`] and nowhere else.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails its test"))]

pub mod access;
mod alone;
pub mod authority;
pub mod backup;
pub mod backups;
#[cfg(any(test, feature = "cast"))]
pub mod cast;
pub mod change;
pub mod channels;
pub mod copy;
pub mod count;
pub mod decisions;
pub mod deliveries;
pub mod dialect;
pub mod drills;
mod engine;
pub mod environments;
pub mod estate;
pub mod event;
#[cfg(test)]
mod explain;
pub mod facts;
pub mod filter;
mod folder;
pub mod fsck;
pub mod idempotency;
pub mod instance;
pub mod keyring;
pub mod keys;
pub mod messages;
mod migrate;
pub mod names;
pub mod node;
pub mod overview;
pub mod people;
pub mod pins;
pub mod policies;
pub mod policy_tests;
pub mod project_seals;
pub mod projects;
pub mod proofs;
pub mod rewraps;
pub mod roles;
mod rows;
pub mod secrets;
mod sql;
pub mod standards;
pub mod standings;
pub mod subject;
pub mod sweep;
pub mod tags;
pub mod teams;
pub mod tokens;
pub mod trust_rules;
mod turn;
mod tx;
pub mod workloads;
mod write;

pub use alone::Alone;
pub use change::{ChangeKind, Changed, Counter};
pub use engine::{Engine, Location, OpenError, Store};
pub use event::{EventRow, PersonalRow};
pub use migrate::{MigrateError, VERSION as SCHEMA_VERSION};
pub use sql::{Row, Sql, Value, sql};
pub use tx::{Conn, Tx};
pub use write::{Basis, WriteError, Written};

/// A statement failed: ours, not the caller's. Texts name tables and constraints, never values.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another row stands where this one should: a unique index said so.
    #[error("a row with this `{0}` is there already")]
    Conflict(String),
    /// A row holds what no row may hold.
    #[error("a row of `{table}` is damaged: {cause}")]
    Damaged {
        /// Where it lies.
        table: &'static str,
        /// What is wrong.
        cause: String,
    },
    /// The row was changed meanwhile, or is not there.
    #[error("the row of `{0}` was changed meanwhile")]
    Stale(&'static str),
    /// The connection broke, or the disk failed, in the middle of a commit: it took effect or it did not.
    #[error("the database did not say whether it was done: {0}")]
    Unknown(String),
    /// No connection, or it broke.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// Anything else the engine said.
    #[error("the database refused: {0}")]
    Refused(String),
}

impl StoreError {
    /// True if trying again later may help.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Unknown(_))
    }

    /// True if what was asked for may have been done nevertheless.
    pub fn leaves_doubt(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// As the failure of a commit.
    fn of_commit(self) -> Self {
        match self {
            Self::Unavailable(cause) => Self::Unknown(cause),
            // What the server refused in so many words was rolled back.
            definite => definite,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(said) if said.is_unique_violation() => Self::Conflict(
                said.constraint().map_or_else(|| dialect::constraint(said.message()), Into::into),
            ),
            sqlx::Error::Database(said) if dialect::is_passing(&*said) => {
                Self::Unavailable(said.message().to_owned())
            }
            sqlx::Error::Database(said) => Self::Refused(said.message().to_owned()),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            // Whatever answered, in the middle of a failing connection, was no database.
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error.to_string()),
            other => Self::Refused(other.to_string()),
        }
    }
}
