//! A person's passkeys as they are kept, ready to judge an answer by.

use keywarden_model::{PasskeyId, UserId};
use keywarden_store::people::passkeys;
use keywarden_store::{Conn, StoreError, Tx};

use crate::Fault;
use crate::passkeys::{Asserted, PasskeyError, PasskeyRecord};

/// A person's passkeys.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) rows: Vec<passkeys::Row>,
    pub(crate) records: Vec<PasskeyRecord>,
}

/// A passkey that has just signed.
#[derive(Debug, Clone)]
pub(crate) struct Used {
    pub(crate) id: PasskeyId,
    pub(crate) synced: bool,
    newer: Option<String>,
    version: i64,
}

impl Known {
    pub(crate) async fn of(conn: &mut Conn, user: UserId) -> Result<Self, Fault> {
        let rows = passkeys::of(conn, user).await?;
        let damaged = |row: &passkeys::Row, cause: PasskeyError| {
            Fault::Damaged(format!("passkeys: {}: {cause}", row.id))
        };
        let records = rows
            .iter()
            .map(|row| PasskeyRecord::from_json(&row.credential).map_err(|cause| damaged(row, cause)))
            .collect::<Result<_, _>>()?;
        Ok(Self { rows, records })
    }

    /// The record of this one of them, if they still have it.
    pub(crate) fn record_of(&self, passkey: PasskeyId) -> Option<&PasskeyRecord> {
        let mut pairs = self.rows.iter().zip(&self.records);
        pairs.find(|(row, _)| row.id == passkey).map(|(_, record)| record)
    }

    /// Which row it was that signed.
    pub(crate) fn used(&self, asserted: &Asserted) -> Result<Used, PasskeyError> {
        let mut pairs = self.rows.iter().zip(&self.records);
        let (row, _) = pairs
            .find(|(_, record)| *record.credential_id() == asserted.credential_id)
            .ok_or(PasskeyError::UnknownCredential)?;
        let newer = asserted.update.as_ref().map(PasskeyRecord::to_json).transpose()?;
        Ok(Used { id: row.id, synced: asserted.synced, newer, version: row.row_version })
    }
}

impl Used {
    /// Notes it; false when the passkey was removed, or signed elsewhere at the same time.
    pub(crate) async fn note(
        &self,
        tx: &mut Tx,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Result<bool, StoreError> {
        let newer = self.newer.as_deref().map(|credential| (credential, self.version));
        passkeys::signed(tx, self.id, newer, now).await
    }
}
