//! Lets a solver show what versions of policies would change.

use std::time::Duration;

use crate::Job;

/// Two minutes are all that the solver gets; the last question may have begun just before.
const LONGEST: Duration = Duration::from_mins(3);

pub(crate) const JOB: Job = Job::new("prove-policies", Duration::from_secs(5), |domain| {
    Box::pin(async move {
        let op = domain.system_op("prove-policies");
        domain.run_waiting_proof(&op).await.map(drop)
    })
})
.at_most(LONGEST)
.given_up_at_the_end();
