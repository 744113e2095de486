//! Tells of what nobody does: keys whose end comes near, an HSM that falls silent.

use std::time::Duration;

use crate::Job;

const NAME: &str = "tell-of-trouble";

pub(crate) const JOB: Job = Job::new(NAME, Duration::from_secs(15), |domain| {
    Box::pin(async move {
        domain.watch_seals(&domain.system_op(NAME)).await?;
        domain.watch_keys(&domain.system_op(NAME)).await.map(drop)
    })
});
