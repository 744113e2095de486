//! Runs reconcilers: each on its interval, one run at a time, whatever the others do. A run that fails or panics is
//! told once and tried again later and later; the token stops them all, and those that hold something flush it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use keywarden_domain::{Domain, Fault};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The longest pause between two tries of a job that fails.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// The same for what runs more often than once a second: others wait for it.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// A run that takes longer is given up: the store answers or refuses long before.
const LONGEST_RUN: Duration = Duration::from_mins(2);
/// What a job may still write when the server stops.
const LAST_RUN: Duration = Duration::from_secs(5);

type Run = fn(Domain) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

/// A reconciler.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    name: &'static str,
    every: Duration,
    at_most: Duration,
    run: Run,
    last: Option<Run>,
    given_up: bool,
}

impl Job {
    /// Runs `run` about every `every`.
    pub const fn new(name: &'static str, every: Duration, run: Run) -> Self {
        Self { name, every, at_most: LONGEST_RUN, run, last: None, given_up: false }
    }

    /// A run that takes longer is given up and tried again: the connection that it waits on may be dead.
    #[must_use]
    pub const fn at_most(mut self, at_most: Duration) -> Self {
        self.at_most = at_most;
        self
    }

    /// A run that is under way when the server stops is given up: what it does is done anew elsewhere, or later.
    #[must_use]
    pub const fn given_up_at_the_end(mut self) -> Self {
        self.given_up = true;
        self
    }

    /// It holds what is not written yet: it runs once more when the server stops.
    #[must_use]
    pub const fn once_more_at_the_end(self) -> Self {
        let run = self.run;
        self.with_this_at_the_end(run)
    }

    /// It holds what is not written yet: when the server stops, this runs in its stead.
    #[must_use]
    pub const fn with_this_at_the_end(mut self, last: Run) -> Self {
        self.last = Some(last);
        self
    }
}

/// How a job's runs went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Runs that ended well.
    pub done: u64,
    /// Runs that failed, panicked or took too long.
    pub failed: u64,
    /// When the last good run ended.
    pub last_done: Option<DateTime<Utc>>,
    /// How long the last run took.
    pub took: Duration,
}

/// How all jobs' runs went, by name. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Reports(Arc<Mutex<BTreeMap<&'static str, Report>>>);

impl Reports {
    /// As of now.
    pub fn now(&self) -> BTreeMap<&'static str, Report> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, job: &'static str, note: impl FnOnce(&mut Report)) {
        note(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(job).or_default());
    }
}

/// Runs jobs.
#[derive(Debug)]
pub struct Driver {
    domain: Domain,
    reports: Reports,
}

impl Driver {
    /// For this domain; `reports` is told how the runs went.
    pub fn new(domain: Domain, reports: Reports) -> Self {
        Self { domain, reports }
    }

    /// Starts each job as a task of `tasks`; they end soon after `stop`.
    pub fn start(&self, jobs: impl IntoIterator<Item = Job>, tasks: &TaskTracker, stop: &CancellationToken) {
        for job in jobs {
            self.reports.note(job.name, |_| {});
            tasks.spawn(repeat(job, self.domain.clone(), self.reports.clone(), stop.clone()));
        }
    }
}

async fn repeat(job: Job, domain: Domain, reports: Reports, stop: CancellationToken) {
    let mut failures = 0_u32;
    loop {
        let run = once(job, job.run, &domain, &reports, job.at_most);
        let ended = if job.given_up {
            let Some(ended) = stop.run_until_cancelled(run).await else { break };
            ended
        } else {
            run.await
        };
        failures = match ended {
            Ok(()) => 0,
            Err(cause) => {
                if failures == 0 {
                    tracing::warn!(job = job.name, %cause, "a job failed and is tried again");
                }
                failures.saturating_add(1)
            }
        };
        let pause = jittered(backed_off(job.every, failures), domain.env().bytes());
        if stop.run_until_cancelled(sleep(pause)).await.is_none() {
            break;
        }
    }
    if let Some(last) = job.last
        && let Err(cause) = once(job, last, &domain, &reports, LAST_RUN).await
    {
        tracing::error!(job = job.name, %cause, "what was not written yet is lost");
    }
}

async fn once(
    job: Job,
    run: Run,
    domain: &Domain,
    reports: &Reports,
    patience: Duration,
) -> Result<(), String> {
    let began = Instant::now();
    // A task of its own, so that a panic ends this run and nothing else.
    let mut task = JoinSet::new();
    task.spawn(run(domain.clone()));
    let ended = match timeout(patience, task.join_next()).await {
        Ok(Some(Ok(Ok(())))) => Ok(()),
        Ok(Some(Ok(Err(fault)))) => Err(fault.to_string()),
        Ok(Some(Err(cause))) => Err(cause.to_string()),
        Ok(None) => Err("it never ran".into()),
        Err(_) => Err(format!("it did not end within {} s", patience.as_secs())),
    };
    let now = domain.env().now();
    reports.note(job.name, |report| {
        report.took = began.elapsed();
        if ended.is_ok() {
            report.done = report.done.saturating_add(1);
            report.last_done = Some(now);
        } else {
            report.failed = report.failed.saturating_add(1);
        }
    });
    ended
}

/// Twice the pause after each failure in a row, to a limit; a job that is rare anyway keeps its interval.
fn backed_off(every: Duration, failures: u32) -> Duration {
    let longest = if every < SHORTEST_PAUSE { SHORTEST_PAUSE } else { LONGEST_PAUSE.max(every) };
    every.saturating_mul(2_u32.saturating_pow(failures.min(16))).min(longest)
}

/// Up to a tenth less, so that nodes which started together do not ask together for ever.
fn jittered(pause: Duration, random: [u8; 2]) -> Duration {
    let share = u32::from(u16::from_be_bytes(random)); // of 65 536
    let less = pause.checked_div(10).and_then(|tenth| tenth.checked_mul(share)?.checked_div(1 << 16));
    pause.saturating_sub(less.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_fails_is_asked_less_and_less_often() {
        let quick = Duration::from_millis(250);
        assert_eq!(backed_off(quick, 0), quick);
        assert_eq!(backed_off(quick, 1), Duration::from_millis(500));
        assert_eq!(backed_off(quick, u32::MAX), SHORTEST_PAUSE);
        assert_eq!(backed_off(Duration::from_secs(5), u32::MAX), LONGEST_PAUSE);
        assert_eq!(backed_off(Duration::from_mins(10), 9), Duration::from_mins(10));
    }

    #[test]
    fn every_job_runs_as_often_as_is_written_here() {
        let often: Vec<_> = crate::all().iter().map(|job| (job.name, job.every)).collect();
        let written = [
            ("look", Duration::from_millis(250)),
            ("activate-policies", Duration::from_secs(15)),
            ("deliver-messages", Duration::from_secs(1)),
            ("destroy-old-seal-keys", Duration::from_hours(24)),
            ("destroy-values", Duration::from_hours(1)),
            ("drill-backups", Duration::from_secs(15)),
            ("end-access", Duration::from_secs(1)),
            ("flush-decisions", Duration::from_mins(1)),
            ("flush-key-uses", Duration::from_mins(1)),
            ("flush-refusals", Duration::from_mins(1)),
            ("flush-token-use", Duration::from_secs(5)),
            ("flush-usage", Duration::from_secs(5)),
            ("flush-verify-counts", Duration::from_mins(1)),
            ("make-backups", Duration::from_secs(30)),
            ("note-clock", Duration::from_secs(10)),
            ("prove-policies", Duration::from_secs(5)),
            ("purge-secrets", Duration::from_mins(5)),
            ("renew-keyring-keys", Duration::from_mins(10)),
            ("rewrap", Duration::from_secs(1)),
            ("route-messages", Duration::from_secs(1)),
            ("sweep", Duration::from_mins(10)),
            ("warm-keys", Duration::from_secs(1)),
            ("watch-keys", Duration::from_mins(10)),
            ("watch-seals", Duration::from_secs(15)),
        ];
        assert_eq!(often, written);
    }

    #[test]
    fn jitter_takes_a_tenth_at_most() {
        let pause = Duration::from_secs(10);
        assert_eq!(jittered(pause, [0, 0]), pause);
        let least = jittered(pause, [255, 255]);
        assert!(least >= Duration::from_secs(9) && least < Duration::from_millis(9_010), "{least:?}");
    }
}
