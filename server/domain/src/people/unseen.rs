//! Fresh recovery codes between their making and their one showing: the browser's ceremony ends in a redirect, and
//! the page it leads to takes them.

use chrono::TimeDelta;
use keywarden_model::SessionId;
use keywarden_store::people::codes;
use keywarden_store::{StoreError, WriteError};
use keywarden_vault::Purpose;

use super::codes::RecoveryCodes;
use crate::{Domain, Fault, Op, Refused};

/// How long they wait for it.
pub(super) const KEPT: TimeDelta = TimeDelta::minutes(10);

pub(super) fn context(session: SessionId) -> Vec<u8> {
    format!("unseen_codes.sealed/{session}").into_bytes()
}

impl Domain {
    /// Takes the codes that were made when this session began, once; `None` if they were shown or are too old (then
    /// only new ones help). Nothing is decided here: whoever holds the session has just been given them.
    pub async fn take_unseen_codes(&self, op: &Op) -> Result<Option<RecoveryCodes>, Refused> {
        let session = op.actor.person().ok_or(Refused::NotFound)?.session;
        let now = op.now;
        let taken = self
            .store()
            .write_silently("codes are shown to whom their event gave them", move |tx| {
                Box::pin(async move { codes::take_unseen(tx, session, now).await })
            })
            .await
            .map_err(|error: WriteError<StoreError>| Refused::from(error))?;
        let Some(sealed) = taken else { return Ok(None) };
        let opened =
            self.keyring().open(Purpose::Session, &context(session), &sealed).map_err(Fault::from)?;
        let text = std::str::from_utf8(opened.expose()).map_err(|_| Fault::Damaged("unseen_codes".into()))?;
        Ok(Some(RecoveryCodes::split(text)))
    }
}
