//! Adds up how many envelopes each key of the keyring has sealed on this node.

use std::time::Duration;

use crate::Job;

pub(crate) const JOB: Job = Job::new("flush-key-uses", Duration::from_mins(1), |domain| {
    Box::pin(async move { domain.note_key_uses().await })
})
.once_more_at_the_end();
