//! Carrying everything to another database.

use std::collections::BTreeMap;

use keywarden_store::copy::{self, Copied, CopyError};
use keywarden_store::{Basis, Engine, Store, Tx, WriteError, Written, node};

use super::node::GONE;
use crate::audit::{Fact, Record};
use crate::{Domain, Fault};

/// Why nothing was carried over.
#[derive(Debug, thiserror::Error)]
pub enum CopyFailed {
    /// A table was not carried over.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// Either database failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A server runs on the source.
    #[error("a server runs on the source: {0}; stop it (one that was killed is forgotten after a minute)")]
    Running(String),
}

impl Domain {
    /// Carries everything to `target`, which must be empty and have this version's schema, and notes there that it
    /// came: all of it, or nothing. For the operator's shell, while no server writes, on this machine or another.
    pub async fn copy_to(&self, target: &Store) -> Result<Copied, CopyFailed> {
        self.stands_still().await?;
        // The event tells of nobody: it needs no subject's key, and the keyring may stay sealed.
        let record = Record::new(self.env(), &self.shell_op(), None, BTreeMap::new());
        let source = self.clone();
        let written = target.write(Basis::Own, move |tx: &mut Tx| {
            let (record, source) = (record.clone(), source.clone());
            Box::pin(async move {
                let copied = copy::copy_within(tx, source.store()).await?;
                // What was started meanwhile may have written what was passed already.
                source.stands_still().await?;
                let from = Fact::word(match source.store().engine() {
                    Engine::Postgres => "postgresql",
                    Engine::Sqlite => "sqlite",
                });
                let rows: i64 = copied.iter().map(|(_, rows)| rows).sum();
                let event = record.event("system.copy", "organization", "organization");
                let event = event.fact("from", from).fact("rows", rows).finish()?;
                Ok::<_, CopyFailed>(Written::new(copied, event))
            })
        });
        written.await.map_err(|error| match error {
            WriteError::Refused(failed) => failed,
            WriteError::Store(error) => Fault::from(error).into(),
            WriteError::Stale => Fault::Unexpected("a write without a permit was stale".into()).into(),
        })
    }

    async fn stands_still(&self) -> Result<(), CopyFailed> {
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let since = self.env().now().checked_sub_signed(GONE).unwrap_or_default();
        let nodes = node::list(&mut conn, since).await.map_err(Fault::from)?;
        if nodes.is_empty() {
            return Ok(());
        }
        Err(CopyFailed::Running(nodes.into_iter().map(|node| node.name).collect::<Vec<_>>().join(", ")))
    }
}
