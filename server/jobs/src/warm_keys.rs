//! Reads values of keys into memory, so that a node that has just started asks the store about few.

use std::time::Duration;

use crate::Job;

pub(crate) const JOB: Job = Job::new("warm-keys", Duration::from_secs(1), |domain| {
    Box::pin(async move { domain.warm_keys().await.map(drop) })
})
.at_most(Duration::from_mins(10));
