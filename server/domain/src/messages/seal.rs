//! Where a channel leads and what signs: sealed under the key of its person, or of the house.

use keywarden_model::{ChannelId, UserId};
use keywarden_store::channels::Row;
use keywarden_vault::{DerivingKey, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::audit::HOUSE;
use crate::{Domain, Env, Fault};

const PURPOSE: &str = "channel";

/// What is sealed.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Written {
    to: String,
    /// The newest first.
    secrets: Vec<String>,
}

/// Where a channel leads, and the secrets that it signs with.
#[derive(Debug)]
pub(crate) struct Inside {
    pub(super) to: SecretString,
    pub(super) secrets: Vec<SecretString>,
}

/// Whose key it is.
pub(super) fn subject(user: Option<UserId>) -> String {
    user.map_or_else(|| HOUSE.to_owned(), |user| user.to_string())
}

fn context(id: ChannelId) -> Vec<u8> {
    format!("channels.sealed/{id}").into_bytes()
}

impl Inside {
    pub(super) fn seal(
        &self,
        env: &Env,
        key: &DerivingKey,
        id: ChannelId,
        subject: &str,
    ) -> Result<Vec<u8>, Fault> {
        let secrets = self.secrets.iter().map(|it| it.expose().to_owned()).collect();
        let written = Written { to: self.to.expose().to_owned(), secrets };
        let mut text = serde_json::to_vec(&written).map_err(|cause| Fault::Unexpected(cause.to_string()))?;
        let sealed = env.with_rng(|rng| key.seal(subject, PURPOSE, &context(id), &text, rng));
        text.zeroize();
        sealed.map_err(|cause| Fault::Unexpected(cause.to_string()))
    }
}

impl Domain {
    /// What lies sealed in a channel's row; `None` where its person's key is gone.
    pub(crate) async fn open_channel(&self, row: &Row) -> Result<Option<Inside>, Fault> {
        let subject = row.user_id.clone().unwrap_or_else(|| HOUSE.to_owned());
        let Some(key) = self.subject_key_if_there(&subject).await? else { return Ok(None) };
        let opened = key.open(PURPOSE, &context(row.id), &row.sealed)?;
        let mut written: Written = serde_json::from_slice(opened.expose())
            .map_err(|_| Fault::Damaged(format!("channels {}: sealed", row.id)))?;
        let secrets = std::mem::take(&mut written.secrets).into_iter().map(SecretString::new).collect();
        Ok(Some(Inside { to: SecretString::new(std::mem::take(&mut written.to)), secrets }))
    }
}
