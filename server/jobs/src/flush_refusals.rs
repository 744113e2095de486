//! Writes how often strangers were refused, counted by source and route.

use std::time::Duration;

use crate::Job;

pub(crate) const JOB: Job = Job::new("flush-refusals", Duration::from_mins(1), |domain| {
    Box::pin(async move { domain.flush_refusals().await.map(drop) })
})
.once_more_at_the_end();
