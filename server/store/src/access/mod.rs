//! Access that is asked for: rules, requests, what was signed, and the roles that are held for a while.

pub mod approvals;
pub mod grants;
pub mod requests;
pub mod rules;

/// The scope of what holds in the whole organization.
pub const ORGANIZATION: &str = "organization";
