//! Lets scheduled policies decide when their moment has come.

use std::time::Duration;

use crate::Job;

pub(crate) const JOB: Job = Job::new("activate-policies", Duration::from_secs(15), |domain| {
    Box::pin(async move {
        let op = domain.system_op("activate-policies");
        domain.activate_due_policies(&op).await.map(drop)
    })
});
