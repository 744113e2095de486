//! Writes how often keys were verified, counted by verdict.

use std::time::Duration;

use crate::Job;

pub(crate) const JOB: Job = Job::new("flush-verify-counts", Duration::from_mins(1), |domain| {
    Box::pin(async move { domain.flush_verify_counts().await.map(drop) })
})
.once_more_at_the_end();
