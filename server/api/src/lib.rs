//! Door for machines: `/api/v1`, one file per endpoint, problem+json, OpenAPI 3.1.
//!
//! # How to add an endpoint
//! 1. A file `<noun>/<verb>.rs`, the verb of the use-case: a wire struct for the body (`deny_unknown_fields`), a handler
//!    with `#[utoipa::path(…)]`: parse → ask the domain → shape, and a `match` that makes problems of its errors. Its
//!    arguments in order: [`caller::Caller`], then path, query and [`etag::Seen`], last [`json::Asked`].
//! 2. One line in [`router`], under its noun. The OpenAPI document follows by itself; accept its snapshot.
//! 3. Outcome tests in `tests/<noun>.rs`; that strangers are refused is tested for every route that the document names.
//!
//! **Invariants:** callers show a service token, no cookie is read; a body is read once, bounded, after the caller is
//! known, with no name twice and no unknown field; what a caller may not know of answers as what does not exist;
//! nothing here decides, and no secret is logged.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails its test"))]

mod access;
mod anyone;
mod at;
mod audit;
mod body;
mod caller;
mod channels;
mod decisions;
mod deliveries;
mod device;
mod environments;
mod etag;
mod exchange;
mod fingerprints;
mod flaw;
mod introspect;
mod json;
mod keys;
mod leaks;
mod once;
mod page;
mod permissions;
mod policies;
mod policy_tests;
mod problem;
mod project_keys;
mod project_seals;
mod projects;
mod query;
mod rewraps;
mod roles;
mod router;
mod secrets;
mod spec;
mod standards;
mod teams;
mod tokens;
mod trust_rules;
mod users;
mod workloads;

pub use anyone::anyone;
pub use caller::bearer;
pub use keys::authorize::TOKEN;
pub use router::router;
pub use secrets::watch::Streams;
pub use spec::openapi;

#[cfg(test)]
mod tests;
