//! The key that opens the newest backup for a drill.

use keywarden_model::{BackupId, RecipientId};
use keywarden_store::drills::DrillKeyRow;
use keywarden_vault::recovery::{Recipient, RecoveryKey};
use keywarden_vault::{Purpose, SecretString};

use crate::{Domain, Fault};

/// What an envelope of it is bound to.
pub(crate) fn drill_key_context(backup: &str) -> Vec<u8> {
    format!("drill_keys.sealed/{backup}").into_bytes()
}

/// A fresh one, for a backup that is being made.
#[derive(Debug)]
pub(in crate::backup) struct DrillKey(RecoveryKey);

impl DrillKey {
    pub(in crate::backup) fn recipient(&self) -> &Recipient {
        self.0.recipient()
    }

    pub(in crate::backup) fn id(&self) -> RecipientId {
        self.recipient().id()
    }
}

impl Domain {
    /// A key for the backup that is being made; none where drills are switched off.
    pub(in crate::backup) fn fresh_drill_key(&self) -> Result<Option<DrillKey>, Fault> {
        if self.settings().drills.is_none() {
            return Ok(None);
        }
        let key = RecoveryKey::generate(&mut self.env().fork());
        let key = key.ok_or_else(|| Fault::Unexpected("no drill key could be made".into()))?;
        Ok(Some(DrillKey(key)))
    }

    /// Its row, for this backup alone.
    pub(in crate::backup) fn seal_drill_key(
        &self,
        backup: BackupId,
        key: &DrillKey,
    ) -> Result<DrillKeyRow, Fault> {
        let (id, text) = (backup.to_string(), key.0.text());
        let (keyring, context) = (self.keyring(), drill_key_context(&id));
        let sealed = self
            .env()
            .with_rng(|rng| keyring.seal(Purpose::BackupDrill, &context, text.expose().as_bytes(), rng))?;
        Ok(DrillKeyRow { id, recipient: key.id().to_string(), sealed })
    }

    pub(in crate::backup) fn open_drill_key(&self, row: &DrillKeyRow) -> Result<RecoveryKey, Fault> {
        let text = self.keyring().open(Purpose::BackupDrill, &drill_key_context(&row.id), &row.sealed)?;
        let damaged = |cause: &dyn std::fmt::Display| Fault::Damaged(format!("a drill key: {cause}"));
        let text = std::str::from_utf8(text.expose()).map_err(|cause| damaged(&cause))?;
        RecoveryKey::parse(&SecretString::new(text.to_owned())).map_err(|cause| damaged(&cause))
    }
}
