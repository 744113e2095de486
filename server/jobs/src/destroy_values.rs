use std::time::Duration;

use crate::Job;

pub(crate) const JOB: Job = Job::new("destroy-values", Duration::from_hours(1), |domain| {
    Box::pin(async move {
        let op = domain.system_op("destroy-values");
        domain.destroy_ended_values(&op).await.map(drop)
    })
});
