//! Reads the change counter: what another node took back is forgotten here within a second.

use std::time::Duration;

use crate::Job;

pub(crate) const JOB: Job = Job::new("look", Duration::from_millis(250), |domain| {
    Box::pin(async move { domain.look().await.map(drop) })
})
.at_most(Duration::from_secs(3));
