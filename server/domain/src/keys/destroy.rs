//! Taking away what proves a value, once it has long been over: then not even its hash is left (NIST SP 800-57, destroyed).
//! A job asks; on any number of nodes each value goes once.

use chrono::TimeDelta;
use keywarden_model::time::earlier;
use keywarden_store::keys::{self as rows, Ended};
use keywarden_store::{ChangeKind, Written};

use crate::refused::carries_refused;
use crate::{Domain, Fault, Op, Refused};

/// As long as uses are kept: until then a value that is found somewhere is told for what it was.
const KEPT: TimeDelta = TimeDelta::days(400);
/// Values in one run: the rest is for the next one.
const BATCH: u32 = 200;

#[derive(Debug, thiserror::Error)]
enum DestroyError {
    /// Another node was first.
    #[error("it is destroyed already")]
    Done,
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(DestroyError);

impl Domain {
    /// Destroys values that ended for good more than 400 days ago; says how many.
    pub async fn destroy_ended_values(&self, op: &Op) -> Result<u64, Fault> {
        let due = rows::ended_values(&mut self.store().read().await?, earlier(op.now, KEPT), BATCH).await?;
        let mut destroyed = 0_u64;
        for ended in due {
            match self.destroy_value(op, ended).await {
                Ok(()) => destroyed = destroyed.saturating_add(1),
                Err(DestroyError::Done) => {}
                Err(DestroyError::Refused(Refused::Fault(fault))) => return Err(fault),
                Err(DestroyError::Refused(refused)) => return Err(Fault::Unexpected(refused.to_string())),
            }
        }
        Ok(destroyed)
    }

    async fn destroy_value(&self, op: &Op, ended: Ended) -> Result<(), DestroyError> {
        let Ended { value, key, project } = ended;
        self.change_unasked(op, "values that have long been over", &[], move |tx, record| {
            Box::pin(async move {
                let now = record.now();
                if !rows::destroy_value(tx, value, now).await? {
                    return Err(DestroyError::Done);
                }
                tx.restrict(ChangeKind::Key, key, now).await?;
                let event =
                    record.event("key.destroy-value", "key", key).project(project).fact("value", value);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}
