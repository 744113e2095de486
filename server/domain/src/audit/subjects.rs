//! Each subject's own key: what events tell of a person is sealed under it, and gone when it is destroyed. A busy workload's
//! seals more often than any bound would let it: each event's part has a key of its own, derived from the subject's.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use keywarden_store::{Store, StoreError, WriteError, subject};
use keywarden_vault::{DerivingKey, Keyring, Purpose, SecretBytes};
use moka::sync::Cache;

use crate::{Env, Fault};

/// The keys lately used. Wiped with the keyring: see [`Subjects::forget`].
pub(crate) struct Subjects {
    keys: Cache<String, Arc<DerivingKey>>,
}

impl Subjects {
    pub(crate) fn new() -> Self {
        Self {
            keys: Cache::builder()
                .max_capacity(10_000)
                .time_to_live(std::time::Duration::from_mins(5))
                .build(),
        }
    }

    /// Keys must not outlive the keyring they came from.
    pub(crate) fn forget(&self) {
        self.keys.invalidate_all();
    }

    /// The subject's key; made when there is none. `None` for a subject that was erased.
    pub(crate) async fn key(
        &self,
        id: &str,
        store: &Store,
        keyring: &Keyring,
        env: &Env,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<DerivingKey>>, Fault> {
        if let Some(key) = self.keys.get(id) {
            keyring.newest(Purpose::Personal)?; // a sealed node uses no key, cached ones included
            return Ok(Some(key));
        }
        let found = subject::find(&mut store.read().await?, id).await?;
        let row = match found {
            Some(row) => row,
            None => make(id, store, keyring, env, now).await?,
        };
        let key = opened(&row, keyring)?.map(Arc::new);
        if let Some(key) = &key {
            self.keys.insert(id.to_owned(), Arc::clone(key));
        }
        Ok(key)
    }

    /// The subject's key as stored now, without making one; `None` for a subject without one.
    pub(crate) async fn stored(
        &self,
        id: &str,
        store: &Store,
        keyring: &Keyring,
    ) -> Result<Option<DerivingKey>, Fault> {
        match subject::find(&mut store.read().await?, id).await? {
            Some(row) => opened(&row, keyring),
            None => Ok(None),
        }
    }
}

/// The key in a subject's row; `None` for a subject that was erased.
fn opened(row: &subject::Subject, keyring: &Keyring) -> Result<Option<DerivingKey>, Fault> {
    let Some(sealed) = &row.sealed_key else { return Ok(None) };
    let secret = keyring.open(Purpose::Personal, &subject_context(&row.id), sealed)?;
    let key =
        DerivingKey::new(secret).map_err(|cause| Fault::Damaged(format!("subject `{}`: {cause}", row.id)))?;
    Ok(Some(if row.may_derive() { key } else { key.as_older_programs() }))
}

async fn make(
    id: &str,
    store: &Store,
    keyring: &Keyring,
    env: &Env,
    now: DateTime<Utc>,
) -> Result<subject::Subject, Fault> {
    let sealed = env.with_rng(|rng| {
        let secret = SecretBytes::random(32, rng);
        keyring.seal(Purpose::Personal, &subject_context(id), secret.expose(), rng)
    })?;
    let id = id.to_owned();
    store
        .write_silently("a subject's key; its first event follows", move |tx| {
            let (id, sealed) = (id.clone(), sealed.clone());
            Box::pin(async move { subject::make(tx, &id, &sealed, now).await })
        })
        .await
        .map_err(|error: WriteError<StoreError>| match error {
            WriteError::Refused(error) | WriteError::Store(error) => error.into(),
            WriteError::Stale => Fault::Unexpected("a write without a permit was stale".into()),
        })
}

pub(crate) fn subject_context(id: &str) -> Vec<u8> {
    format!("subjects.sealed_key/{id}").into_bytes()
}

impl fmt::Debug for Subjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subjects")
    }
}
