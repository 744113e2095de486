//! Destroys old keys of this server's seals, a while after a rotation took their place. An HSM that refuses is asked once a
//! day: the record tells of each try.

use std::time::Duration;

use crate::Job;

pub(crate) const JOB: Job = Job::new("destroy-old-seal-keys", Duration::from_hours(24), |domain| {
    Box::pin(async move {
        let op = domain.system_op("destroy-old-seal-keys");
        domain.destroy_old_seal_keys(&op).await.map(drop)
    })
});
