//! Says of each new message whom it concerns: the bell rings, and channels have something to carry.

use std::time::Duration;

use crate::Job;

const NAME: &str = "route-messages";

pub(crate) const JOB: Job = Job::new(NAME, Duration::from_secs(1), |domain| {
    Box::pin(async move { domain.route_messages(&domain.system_op(NAME)).await.map(drop) })
});
