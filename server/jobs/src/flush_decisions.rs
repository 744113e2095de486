//! Writes which decisions were made, and how often.

use std::time::Duration;

use crate::Job;

pub(crate) const JOB: Job = Job::new("flush-decisions", Duration::from_mins(1), |domain| {
    Box::pin(async move { domain.flush_decisions().await.map(drop) })
})
.once_more_at_the_end();
