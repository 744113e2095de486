//! Backup and restore: everything as of one instant in one file, encrypted to people who keep their keys elsewhere.
//!
//! ```text
//! Domain::back_up(path)    snapshot -> records -> vault::backup::Writer -> path.partial -> event -> path
//! verify(file, key)        needs no server and no store
//! Domain::restore(file)    vault::backup::Reader -> one transaction of an empty store, under the seals found there
//! Domain::apply_events     events from after the backup, kept elsewhere, take away again what they took away
//! Domain::drill            the newest backup, restored beside the house, looked at, and taken away again
//! ```
//! A file holds the rows of both engines alike (`keywarden_store::backup` says which stay out) and the keyring's keys,
//! each sealed for each recipient. It is known to the records before it has its name: no copy of everything leaves
//! without its event. What a restore brings back is older than what was lost: whoever was locked out since is in again.
//! So the doors stay shut until events that were kept elsewhere are applied, and somebody accepts by its name the gap that
//! is left ([`Domain::accept_restore`]).

mod drill;
mod events;
mod file;
mod holding;
mod make;
mod recipients;
mod records;
mod restore;
mod schedule;
mod standing;
mod verify;

pub(crate) use drill::drill_key_context;
pub use drill::{Drill, DrillError, DrillReport, DrillSeal, DrillState, Drills, DrillsDue};
pub use events::{ApplyEvents, EventsError, EventsReport, Named};
pub use holding::Holding;
pub use make::{BackUpError, Backup};
pub use recipients::{AddRecipientError, RemoveRecipientError};
pub use records::{Damage, Manifest};
pub use restore::{RestoreError, Restored};
pub use schedule::Schedule;
pub use standing::{AcceptError, Backups, Gap, RecipientStatus};
pub use verify::{Verified, VerifyError, verify};

#[cfg(test)]
mod tests;
