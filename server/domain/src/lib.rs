//! Rules: every use-case, every authorization, every audit event.
//!
//! # How to
//! To add a use-case: a file `<noun>/<verb>.rs` with `impl Domain { pub async fn verb(&self, op: &Op, …) }`.
//! * It *reads* through `self.store().read()` after [`Domain::authorize`] (or within [`Domain::reach`] for lists).
//! * It *changes* through `Domain::change`: that asks for the permit, runs the closure in a transaction, demands an
//!   event made by the [`audit::Record`] it hands in, keeps the idempotency key, and decides anew when roles changed.
//! * Its error is an enum of what the caller can do about it, with one `#[from] Refused`.
//! * A new action is one row in `authz/action.rs`.
//!
//! **Invariants:** time and randomness are arguments ([`Op::now`], [`Env`]); nothing here knows HTTP or HTML; decisions
//! are pure functions that IO wraps; secrets come and go only as `keywarden_vault` types.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails its test"))]

pub mod access;
pub mod audit;
pub mod authz;
pub mod backup;
#[cfg(any(test, feature = "cast"))]
pub mod cast;
mod change;
pub mod decisions;
mod domain;
pub mod env;
pub mod environments;
pub mod exchange;
mod fault;
mod freshness;
pub mod fsck;
pub mod keys;
mod lately;
pub mod messages;
pub mod once;
mod one_time;
mod op;
pub mod overview;
mod owner;
pub mod passkeys;
mod patience;
pub mod people;
pub mod permissions;
pub mod policy;
pub mod policy_tests;
pub mod project_keys;
pub mod project_seals;
pub mod projects;
mod refusals;
mod refused;
pub mod rewraps;
pub mod roles;
pub mod secrets;
pub mod standards;
mod steady;
mod sweep;
pub mod system;
pub mod teams;
#[cfg(test)]
mod tests;
mod tokens;
pub mod trust;
mod typed;
pub mod workloads;
#[cfg(any(test, feature = "cast"))]
pub mod written;

pub use authz::{Action, Permit, Resource};
pub use decisions::LastRefusal;
pub use domain::{Domain, Settings};
pub use env::Env;
pub use fault::Fault;
pub use lately::Proof;
pub use once::{Once, Repeatable, Replayed};
pub use op::{Actor, Op, Person, Source};
pub use refused::Refused;
pub use steady::SteadyClock;

/// What doors hand in and give out: secrets that are wiped and never printed.
pub use keywarden_vault::{SecretBytes, SecretString};
