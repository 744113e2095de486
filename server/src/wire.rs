//! The only place where concrete things are built: clock, randomness, store, vault → domain.

use std::sync::Arc;

use keywarden_domain::Env;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::Config,
    http::{Condition, metrics::Metrics},
};

/// Why the house could not be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("the operating system gives no randomness: {0}")]
    Randomness(String),
}

/// Everything that runs, in one place.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) config: Arc<Config>,
    pub(crate) env: Env,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) condition: watch::Sender<Condition>,
}

impl House {
    pub(crate) async fn build(config: Arc<Config>) -> Result<Self, WireError> {
        let env = Env::system().map_err(|cause| WireError::Randomness(cause.to_string()))?;
        let (condition, _) = watch::channel(Condition::Starting);
        Ok(Self { config, env, metrics: Arc::new(Metrics::new()), condition })
    }

    /// The house before it has a store: enough for what stands before the doors.
    #[cfg(test)]
    pub(crate) fn without_cellars(config: Arc<Config>) -> Self {
        let clock = Arc::new(keywarden_domain::env::SystemClock);
        let (condition, _) = watch::channel(Condition::Starting);
        Self { config, env: Env::seeded(clock, 7), metrics: Arc::new(Metrics::new()), condition }
    }

    /// Starts what runs in the background.
    pub(crate) fn start(&self, _tasks: &TaskTracker, _stop: &CancellationToken) {
        self.condition.send_replace(Condition::Ready);
    }
}
