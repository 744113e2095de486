//! Writes when service tokens were last shown.

use std::time::Duration;

use crate::Job;

pub(crate) const JOB: Job = Job::new("flush-token-use", Duration::from_secs(5), |domain| {
    Box::pin(async move { domain.flush_token_use().await.map(drop) })
})
.once_more_at_the_end();
