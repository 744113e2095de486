//! Notes what time it is, so that a clock which was set back is noticed by the next start.

use std::time::Duration;

use crate::Job;

pub(crate) const JOB: Job = Job::new("note-clock", Duration::from_secs(10), |domain| {
    Box::pin(async move { domain.note_clock().await })
})
.once_more_at_the_end();
