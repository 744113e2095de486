//! Keeps the seals of projects: once a second it asks each whether it is there, and says when one goes or comes back. Nobody
//! waits for that: a project whose seal is away waits alone.

use std::{collections::BTreeMap, time::Duration};

use keywarden_domain::Domain;
use keywarden_vault::custody::Standing;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(1);

/// Until `stop`.
pub(crate) async fn keep(domain: Domain, stop: CancellationToken) {
    if domain.keyring().custody().all().is_empty() {
        return;
    }
    let mut known: BTreeMap<String, bool> = BTreeMap::new();
    loop {
        let began = Instant::now();
        for (seal, standing) in domain.observe_project_seals().await {
            let present = standing == Standing::Present;
            let before = known.insert(seal.to_string(), present);
            match standing {
                Standing::Away { cause, .. } if before != Some(false) => {
                    tracing::error!(%seal, %cause, "a project's own seal is away: secrets under it cannot be opened");
                }
                Standing::Present if before == Some(false) => {
                    tracing::info!(%seal, "a project's own seal is back");
                }
                Standing::Away { .. } | Standing::Present => {}
            }
        }
        if stop.run_until_cancelled(sleep(EVERY.saturating_sub(began.elapsed()))).await.is_none() {
            return;
        }
    }
}
