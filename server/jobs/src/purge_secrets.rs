//! Destroys deleted secrets whose recovery window is over.

use std::time::Duration;

use crate::Job;

pub(crate) const JOB: Job = Job::new("purge-secrets", Duration::from_mins(5), |domain| {
    Box::pin(async move { domain.purge_secrets(&domain.system_op("purge-secrets")).await.map(drop) })
});
