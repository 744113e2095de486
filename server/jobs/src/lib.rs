//! Door for time: the driver and its reconcilers.
//!
//! To add a reconciler: a file with a `pub(crate) const JOB: Job`, and a line in [`all`]. It takes no input, asks the
//! domain, does nothing twice, and can die anywhere. What several nodes must not do at once, the domain claims in the
//! store; the driver runs everything on every node.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails its test"))]

mod activate_policies;
mod deliver_messages;
mod destroy_old_seal_keys;
mod destroy_values;
mod drill_backups;
mod driver;
mod end_access;
mod flush_decisions;
mod flush_key_uses;
mod flush_refusals;
mod flush_token_use;
mod flush_usage;
mod flush_verify_counts;
mod look;
mod make_backups;
mod note_clock;
mod prove_policies;
mod purge_secrets;
mod renew_keyring_keys;
mod rewrap;
mod route_messages;
mod sweep;
mod warm_keys;
mod watch_keys;
mod watch_seals;

pub use driver::{Driver, Job, Report, Reports};

/// Every reconciler.
pub fn all() -> Vec<Job> {
    vec![
        look::JOB,
        activate_policies::JOB,
        deliver_messages::JOB,
        destroy_old_seal_keys::JOB,
        destroy_values::JOB,
        drill_backups::JOB,
        end_access::JOB,
        flush_decisions::JOB,
        flush_key_uses::JOB,
        flush_refusals::JOB,
        flush_token_use::JOB,
        flush_usage::JOB,
        flush_verify_counts::JOB,
        make_backups::JOB,
        note_clock::JOB,
        prove_policies::JOB,
        purge_secrets::JOB,
        renew_keyring_keys::JOB,
        rewrap::JOB,
        route_messages::JOB,
        sweep::JOB,
        warm_keys::JOB,
        watch_keys::JOB,
        watch_seals::JOB,
    ]
}
