//! The audit record: one event for every decision that a person, machine or operator caused.
//!
//! **Invariants:** an event's bytes are final (RFC 8785, version 1) and name things by typed id only. Names, addresses,
//! agents and free text are sealed beside it under the key of the subject they tell of; the event holds their salted
//! hash, so that erasing the subject's key leaves every event's hash valid. No secret type can be put in: fields take
//! [`Fact`], which is made from ids, words, numbers and times alone.

mod event;
mod export;
mod fact;
mod kind;
mod marks;
mod read;
mod record;
mod subjects;
#[cfg(test)]
mod tests;

pub use event::VERSION;
pub(crate) use event::base64;
pub use export::{Exported, just_before};
pub use fact::Fact;
pub(crate) use kind::{EventKind, Other};
pub use marks::{Mark, Tally};
pub use read::{Event, Page, Personal, Query};
pub use record::{Draft, Record};
pub(crate) use record::{PERSONAL, TEXT, personal_context};
pub(crate) use subjects::{Subjects, subject_context};

/// The subject of what tells of nobody whom we know: strangers' addresses, the operator's shell.
pub const HOUSE: &str = "house";
