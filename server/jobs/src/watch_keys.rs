//! Tells of keys whose end comes near, and of old values that are still used a day before theirs.

use std::time::Duration;

use crate::Job;

const NAME: &str = "watch-keys";

pub(crate) const JOB: Job = Job::new(NAME, Duration::from_mins(10), |domain| {
    Box::pin(async move { domain.watch_keys(&domain.system_op(NAME)).await.map(drop) })
});
