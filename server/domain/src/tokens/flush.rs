//! When tokens were last shown, written in batches.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use keywarden_model::ServiceTokenId;
use keywarden_store::{StoreError, WriteError, tokens as rows};

use super::Known;
use crate::{Domain, Fault, Refused};

/// Tokens in one write.
const BATCH: usize = 500;

impl Domain {
    /// Writes when tokens were last shown since the last flush. A job calls it every five seconds and when the node
    /// stops; what a killed node had not written is lost, which moves a "last used" back by seconds.
    pub async fn flush_token_use(&self) -> Result<u64, Fault> {
        let used = self.tokens().take_used();
        let mut written = 0_u64;
        for (done, batch) in used.chunks(BATCH).enumerate() {
            if let Err(error) = self.write_token_use(batch).await {
                for known in used.iter().skip(done.saturating_mul(BATCH)) {
                    self.tokens().note_use(known, 0); // it waits again, with the time that it has
                }
                return Err(error);
            }
            written = written.saturating_add(batch.len() as u64);
        }
        Ok(written)
    }

    async fn write_token_use(&self, batch: &[Arc<Known>]) -> Result<(), Fault> {
        let mut uses: Vec<(ServiceTokenId, i64)> = Vec::with_capacity(batch.len());
        for known in batch {
            // First free, then read: a use in between is either read here or waits anew.
            known.noted.store(false, Ordering::Release);
            uses.push((known.bearer.id, known.used_at.load(Ordering::Acquire)));
        }
        uses.sort_unstable(); // two nodes lock rows in one order
        let wrote = self.store().write_silently("when service tokens were last shown", move |tx| {
            let uses = uses.clone();
            Box::pin(async move {
                for (id, at) in uses {
                    rows::used(tx, id, at).await?;
                }
                Ok(())
            })
        });
        wrote.await.map_err(silent)
    }
}

/// A silent write refuses nothing of its own.
pub(crate) fn silent(error: WriteError<StoreError>) -> Fault {
    match Refused::from(error) {
        Refused::Fault(fault) => fault,
        other => Fault::Unexpected(other.to_string()),
    }
}
