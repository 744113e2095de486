//! Writes who used which key: what pages and the drain board show.

use std::time::Duration;

use crate::Job;

pub(crate) const JOB: Job = Job::new("flush-usage", Duration::from_secs(5), |domain| {
    Box::pin(async move { domain.flush_some_usage().await.map(drop) })
})
.with_this_at_the_end(|domain| Box::pin(async move { domain.flush_usage().await.map(drop) }));
