//! Secrets, their versions and labels, and the projects' keys above them.
//!
//! A write begins with [`claim`]: that takes the secret's row, so that what is read after it stays true until the commit
//! and versions are numbered without a gap.

pub mod aliases;
pub mod beside;
mod change;
mod changes;
#[cfg(test)]
mod explain;
mod find;
pub mod fingerprints;
pub mod history;
pub mod list;
pub mod project_keys;
pub mod references;
pub mod shares;

pub use change::{
    Attributes, Insert, Tagging, VersionInsert, add_version, claim, delete, delete_version, destroy_current,
    destroy_version, edit, insert, point, promoted, purge, restore, restore_version, set_state, unpoint,
    unpoint_all,
};
pub use changes::{
    ChangeRow, REFERRED, TurnRow, changes_after, event_is_there, newest_event, referred_after, turned_between,
};
pub use find::{
    CurrentFingerprint, FingerprintRow, LabelRow, SealedRow, SecretRow, VersionRow, current_fingerprint, due,
    due_versions, find, find_by_path, find_by_paths, fingerprints, labels, labels_of_many, sealed, version,
    versions, versions_labelled,
};
