//! Makes the backup that is due, where a folder for backups is set.

use std::time::Duration;

use crate::Job;

const NAME: &str = "make-backups";

pub(crate) const JOB: Job = Job::new(NAME, Duration::from_secs(30), |domain| {
    Box::pin(async move { domain.back_up_if_due(&domain.system_op(NAME)).await })
})
.at_most(Duration::from_hours(6));
