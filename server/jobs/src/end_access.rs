//! Writes down that roles which were held for a while are over, and ends requests that nobody answered.

use std::time::Duration;

use crate::Job;

pub(crate) const JOB: Job = Job::new("end-access", Duration::from_secs(1), |domain| {
    Box::pin(async move {
        let op = domain.system_op("end-access");
        domain.end_due_access(&op).await.map(drop)
    })
});
