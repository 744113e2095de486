//! Events that were kept elsewhere, applied after a restore: whoever was locked out after the backup is locked out again.
//!
//! ```text
//! told.rs       a line of the file -> an event, or why it is none
//! verdict.rs    every kind of event there is -> does it take something away, or give, or neither
//! narrowing.rs  what is taken away, and the taking: the only thing here that changes anything
//! collect.rs    the file beside the records: what is new, what is missing, whose file it is
//! apply.rs      each taking in one transaction with its event; the report
//! ```
//! **Invariants:** whoever can write the file can take rights away, and never give any: a file leads to [`Narrowing`]s and
//! nothing else, and none of them gives. That is what its trust rests on, for nothing in it is signed. What would give is
//! counted and named as lost. Whatever is applied is applied once: again, it changes nothing.

mod apply;
mod collect;
mod narrowing;
mod report;
mod told;
mod verdict;

pub use apply::{ApplyEvents, EventsError};
use narrowing::Narrowing;
pub use report::{EventsReport, Named};
