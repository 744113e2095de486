//! Links whose time is over. A job asks; on any number of nodes each ends once.

use keywarden_model::time::micros;
use keywarden_model::{SecretId, ShareId};
use keywarden_store::Written;
use keywarden_store::secrets::{self as rows, shares};

use crate::secrets::secret::damaged;
use crate::{Domain, Fault, Op, Refused};

/// Links in one run: the rest is for the next one.
const BATCH: u32 = 200;

impl Domain {
    /// Ends the links whose time is over; says how many it were.
    pub async fn expire_shares(&self, op: &Op) -> Result<u64, Fault> {
        let due = shares::due(&mut self.store().read().await?, micros(op.now), BATCH).await?;
        let mut expired = 0_u64;
        for (share, secret) in due {
            match self.expire_share(op, share, secret).await {
                Ok(()) => expired = expired.saturating_add(1),
                // Opened, withdrawn or expired by another node since the look.
                Err(Refused::NotFound) => {}
                Err(Refused::Fault(fault)) => return Err(fault),
                Err(refused) => return Err(Fault::Unexpected(refused.to_string())),
            }
        }
        Ok(expired)
    }

    async fn expire_share(&self, op: &Op, share: ShareId, secret: SecretId) -> Result<(), Refused> {
        self.change_unasked(op, "links to values whose time is over", &[], move |tx, record| {
            Box::pin(async move {
                let project = rows::find(tx, secret).await?.map(|row| row.project_id);
                let project = project.ok_or_else(|| damaged("a link to nothing"))?;
                if !shares::end(tx, share, "expired", record.now()).await? {
                    return Err(Refused::NotFound);
                }
                let event = record
                    .event("secret.expire-share", "secret", secret)
                    .project(project)
                    .fact("share", share);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}
