//! Destroys deleted secrets, and deleted versions, whose recovery window is over, and ends links to values whose time is.

use std::time::Duration;

use crate::Job;

pub(crate) const JOB: Job = Job::new("purge-secrets", Duration::from_mins(5), |domain| {
    Box::pin(async move {
        let op = domain.system_op("purge-secrets");
        domain.purge_secrets(&op).await?;
        domain.purge_secret_versions(&op).await?;
        domain.expire_shares(&op).await.map(drop)
    })
});
