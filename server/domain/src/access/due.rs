//! What ends by itself: roles whose time is over, and requests that nobody answered. A job asks for it.
//!
//! Nobody holds a role because this was late: the gate looks at the time itself. What is done here is that it is written down, and
//! that what hangs on it ends, too.

use keywarden_model::{AccessGrantId, AccessRequestId, GrantEnd};
use keywarden_store::access::{grants, requests};
use keywarden_store::{Tx, Written};

use super::grants::over;
use super::{AccessError, Grant, Loaded, REQUEST, meanwhile};
use crate::audit::Record;
use crate::{Domain, Fault, Op, Refused};

/// Of each kind in one run.
const AT_ONCE: u32 = 100;

impl Domain {
    /// Ends what is due; says how much that was.
    pub async fn end_due_access(&self, op: &Op) -> Result<u32, Fault> {
        let mut conn = self.store().read().await?;
        let over = grants::due(&mut conn, op.now, AT_ONCE).await?;
        let unanswered = requests::due(&mut conn, op.now, AT_ONCE).await?;
        drop(conn);
        let mut ended = 0_u32;
        for row in over {
            let id = row.id;
            let done = self.change_unasked(op, "a role whose time is over", &[], move |tx, record| {
                Box::pin(async move { end(tx, &record, id).await })
            });
            ended = ended.saturating_add(counted(done.await)?);
        }
        for row in unanswered {
            let id = row.id;
            let done = self.change_unasked(op, "a request that nobody answered", &[], move |tx, record| {
                Box::pin(async move { expire(tx, &record, id).await })
            });
            ended = ended.saturating_add(counted(done.await)?);
        }
        Ok(ended)
    }
}

/// Another node was faster, or somebody ended it: nothing is left to do.
fn counted<T>(done: Result<T, AccessError>) -> Result<u32, Fault> {
    match done {
        Ok(_) => Ok(1),
        Err(AccessError::Life(_) | AccessError::ChangedMeanwhile) => Ok(0),
        Err(AccessError::Refused(Refused::Fault(fault))) => Err(fault),
        Err(other) => Err(Fault::Unexpected(other.to_string())),
    }
}

async fn end(tx: &mut Tx, record: &Record, id: AccessGrantId) -> Result<Written<AccessGrantId>, AccessError> {
    let grant: Grant = grants::find(tx, id).await?.ok_or(Refused::NotFound)?.try_into()?;
    over(tx, record, "access.end", grant, GrantEnd::Expired, "end-access").await
}

async fn expire(
    tx: &mut Tx,
    record: &Record,
    id: AccessRequestId,
) -> Result<Written<AccessRequestId>, AccessError> {
    let loaded = Loaded::find(tx, id).await?;
    let now = record.now();
    let life = loaded.life.clone().expire(now)?;
    requests::touch(tx, id, loaded.row.row_version).await.map_err(meanwhile)?;
    requests::decide(tx, id, life.state.as_str(), ("end-access", ""), now).await?;
    let event = record.event("access.expire", REQUEST, id).project(loaded.project);
    Ok(Written::new(id, event.finish()?))
}
