//! Tells when no seal answers any more, and when one does again.

use std::time::Duration;

use crate::Job;

const NAME: &str = "watch-seals";

pub(crate) const JOB: Job = Job::new(NAME, Duration::from_secs(15), |domain| {
    Box::pin(async move { domain.watch_seals(&domain.system_op(NAME)).await })
});
