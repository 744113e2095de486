//! Drills the newest backup, where somebody asked for it or it is due.

use std::time::Duration;

use crate::Job;

const NAME: &str = "drill-backups";

pub(crate) const JOB: Job = Job::new(NAME, Duration::from_secs(15), |domain| {
    Box::pin(async move { domain.drill_if_due(&domain.system_op(NAME)).await })
})
.at_most(Duration::from_hours(6));
