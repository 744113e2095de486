//! Removes what has had its day: sessions and ceremonies that ended, old steps of the counter, usage beyond its days.

use std::time::Duration;

use crate::Job;

pub(crate) const JOB: Job = Job::new("sweep", Duration::from_mins(10), |domain| {
    Box::pin(async move { domain.sweep(&domain.system_op("sweep")).await.map(drop) })
});
