//! Goes on with rewraps: keys under an old key come under the new one.

use std::time::Duration;

use crate::Job;

pub(crate) const JOB: Job = Job::new("rewrap", Duration::from_secs(1), |domain| {
    Box::pin(async move { domain.rewrap().await.map(drop) })
});
