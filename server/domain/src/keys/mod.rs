//! API keys: issued, verified, rotated and revoked.
//!
//! A key keeps its identity (`key_…`) through rotations and has one or more values; states (NIST SP 800-57) belong to
//! values. [`judge`] alone says what a value is good for; all else here brings it the facts, or changes them.
//!
//! **Invariants:** a value leaves the house once, in the answer that made it; only its keyed hash is kept. Whatever can
//! turn a yes into a no moves the change counter, so that every node forgets the key within a second.

mod bulk_revoke;
mod destroy;
mod drain;
mod edit;
mod extend;
mod import;
mod issue;
pub mod judge;
mod kept;
mod key;
mod leaks;
mod limiter;
mod list;
mod memory;
mod meter;
pub mod patterns;
mod resume;
mod revoke;
mod rotate;
mod show;
mod stop_old;
mod suspend;
mod terms;
mod usage;
mod verify;
mod warm;

pub use bulk_revoke::{Affected, BulkPreview, BulkRevokeError, BulkRevoked, MOST_AT_ONCE};
pub use drain::{Caller, DrainBoard, DrainStanding, DrainingCaller, DrainingValue};
pub use edit::{EditKeyError, KeyPatch};
pub use extend::ExtendError;
pub(crate) use import::strong;
pub use import::{ImportError, ImportKey, ImportedValue};
pub(crate) use issue::find_place;
pub use issue::{IssueError, Issued, NewKey, Place};
pub use key::{Key, KeyValue};
pub use leaks::{LONGEST_TEXT, Leak, LookUpError};
pub use limiter::RateStatus;
pub use list::{KeyLine, KeyPage, KeyQuery, ListError, Order, UnusedDays, UnusedDaysError};
pub use memory::KeyFacts;
pub(crate) use memory::Memory;
pub use resume::ResumeError;
pub use revoke::RevokeError;
pub use rotate::{LONGEST_OVERLAP, MOST_VALUES, Overlap, RotateError, Rotated};
pub use show::{KeyView, WhatMay};
pub use stop_old::StopError;
pub use suspend::SuspendError;
pub use terms::TermError;
pub use usage::{Step, UsagePoint};
pub use verify::{Question, Route, Verdict};

#[cfg(test)]
mod tests;
