//! Gives a purpose of the keyring a new key before the one that serves it is used up.

use std::time::Duration;

use crate::Job;

const NAME: &str = "renew-keyring-keys";

pub(crate) const JOB: Job = Job::new(NAME, Duration::from_mins(10), |domain| {
    Box::pin(async move { domain.renew_keyring_keys(&domain.system_op(NAME)).await.map(drop) })
});
