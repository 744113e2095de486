//! Carrying everything to another database.

use std::collections::BTreeMap;

use keywarden_store::copy::{self, Copied, CopyError};
use keywarden_store::{Basis, Store, Tx, WriteError, Written};

use crate::audit::Record;
use crate::{Domain, Fault};

/// Why nothing was carried over, or not everything.
#[derive(Debug, thiserror::Error)]
pub enum CopyFailed {
    /// A table was not carried over.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The note of it was not written.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Domain {
    /// Carries everything to `target`, which must be empty and have this version's schema, and notes there that it
    /// came. For the operator's shell, while no server writes.
    pub async fn copy_to(&self, target: &Store) -> Result<Copied, CopyFailed> {
        let copied = copy::copy(self.store(), target).await?;
        let rows: i64 = copied.iter().map(|(_, rows)| rows).sum();
        // The event tells of nobody: it needs no subject's key, and the keyring may stay sealed.
        let record = Record::new(self.env(), &self.shell_op(), None, BTreeMap::new());
        let from = self.store().engine();
        let noted = target.write(Basis::Own, move |_: &mut Tx| {
            let record = record.clone();
            Box::pin(async move {
                let word = crate::audit::Fact::word(match from {
                    keywarden_store::Engine::Postgres => "postgresql",
                    keywarden_store::Engine::Sqlite => "sqlite",
                });
                let event = record.event("system.copy", "organization", "organization");
                Ok::<_, Fault>(Written::new((), event.fact("from", word).fact("rows", rows).finish()?))
            })
        });
        noted.await.map_err(|error| match error {
            WriteError::Refused(fault) => fault,
            WriteError::Store(error) => error.into(),
            WriteError::Stale => Fault::Unexpected("a write without a permit was stale".into()),
        })?;
        Ok(copied)
    }
}
