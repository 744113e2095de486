//! Bringing the keyring's keys into memory, and making those that are not there yet.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use keywarden_store::{Alone, Basis, StoreError, Tx, WriteError, Written, keyring};
use keywarden_vault::keyring::{UnsealError, WrapError};
use keywarden_vault::{KeyRecord, Keyring, Seal, SealDescription, WrapRecord};
use tokio::task::spawn_blocking;

use super::records::{Records, key_row, seal_row, wrap_row};
use crate::audit::{Fact, Record};
use crate::{Domain, Fault, LastRefusal, Op};

/// Why the keyring is not in memory.
#[derive(Debug, thiserror::Error)]
pub enum UnsealFailed {
    /// The records failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The HSM did not unwrap.
    #[error(transparent)]
    Unseal(#[from] UnsealError),
    /// The HSM did not wrap a new key.
    #[error(transparent)]
    Wrap(#[from] WrapError),
}

impl From<StoreError> for UnsealFailed {
    fn from(error: StoreError) -> Self {
        Self::Fault(error.into())
    }
}

/// A new key with its wraps.
type Made = (KeyRecord, Vec<WrapRecord>);

impl Domain {
    /// Whether a key was ever made. Before that, and only then, a seal may make its own key too.
    pub async fn has_keyring(&self) -> Result<bool, Fault> {
        Ok(!Records::load(&mut self.store().read().await?).await?.is_empty())
    }

    /// The turn at making keys in a seal; nothing while another node has it. Of two keys that two nodes made at once in one
    /// HSM neither could say which is the right one.
    pub async fn turn_at_seals(&self) -> Result<Option<Alone>, Fault> {
        Ok(self.store().alone("keys in a seal").await?)
    }

    /// Unwraps every stored key by these seals, after making a key for each purpose that has none: at the first start
    /// for all of them, after an upgrade for those that are new. Cheap when nothing changed; call it again when an
    /// HSM is back or the keyring's rows have changed.
    pub async fn unseal(&self, seals: &[Arc<dyn Seal>]) -> Result<(), UnsealFailed> {
        let mut records = Records::load(&mut self.store().read().await?).await?;
        let missing = Keyring::missing(&records.keys);
        if !missing.is_empty() {
            let seals = self.trusted(&records, seals).await?;
            let (env, now) = (self.env().clone(), self.env().now());
            let lent = seals.clone();
            let made = spawn_blocking(move || {
                let mut rng = env.fork();
                missing
                    .into_iter()
                    .map(|purpose| Keyring::generate(purpose, now, &mut rng, &lent))
                    .collect::<Result<Vec<_>, _>>()
            })
            .await
            .map_err(cut_off)??;
            self.keep_first(made, &seals).await?;
            records = Records::load(&mut self.store().read().await?).await?;
        }
        let (keyring, seals) = (Arc::clone(self.keyring()), seals.to_vec());
        spawn_blocking(move || keyring.unseal(&records.keys, &records.wraps, &seals))
            .await
            .map_err(cut_off)??;
        Ok(())
    }

    /// Whether this node's keyring has exactly the stored keys' latest state; another node may have made one. Takes in how
    /// often all nodes used them.
    pub async fn keyring_is_current(&self) -> Result<bool, Fault> {
        let records = Records::load(&mut self.store().read().await?).await?;
        self.keyring().learn_uses(&records.keys);
        let newest = |records: &[KeyRecord], purpose| {
            let active = records.iter().filter(|key| key.purpose == purpose && key.retired_at.is_none());
            active.max_by_key(|key| (key.created_at, key.id)).map(|key| key.id)
        };
        let mut stored: Vec<_> = records.keys.iter().map(|key| key.id).collect();
        stored.sort_unstable();
        // A destroyed key leaves memory too.
        Ok(self.keyring().ids() == stored
            && keywarden_vault::Purpose::ALL
                .into_iter()
                .all(|purpose| self.keyring().newest(purpose).ok() == newest(&records.keys, purpose)))
    }

    /// The seals that may wrap a new key. Where keys are there already, only one that has proven to unwrap them: a
    /// mistaken configuration must not scatter keys over strangers' tokens.
    async fn trusted(
        &self,
        records: &Records,
        seals: &[Arc<dyn Seal>],
    ) -> Result<Vec<Arc<dyn Seal>>, UnsealFailed> {
        if records.is_empty() {
            return Ok(seals.to_vec());
        }
        let known = |seal: &&Arc<dyn Seal>| records.seals.iter().any(|it| it.id == seal.describe().id);
        let known: Vec<_> = seals.iter().filter(known).map(Arc::clone).collect();
        let (keys, wraps, asked) = (records.keys.clone(), records.wraps.clone(), known.clone());
        let proof =
            spawn_blocking(move || Keyring::new(Duration::ZERO, Instant::now).unseal(&keys, &wraps, &asked));
        match proof.await.map_err(cut_off)? {
            Ok(()) | Err(UnsealError::NoActiveKey(_)) => Ok(known),
            Err(error) => Err(error.into()),
        }
    }

    /// Stores new keys, each unless another node was faster.
    async fn keep_first(&self, made: Vec<Made>, seals: &[Arc<dyn Seal>]) -> Result<(), Fault> {
        let op = self.system_op("unseal");
        // No subject's key is at hand while the keyring is sealed; none is needed, as this tells of nobody.
        let record = Record::new(self.env(), &op, None, BTreeMap::new());
        let seals: Arc<[SealDescription]> = seals.iter().map(|seal| seal.describe().clone()).collect();
        let made: Arc<[Made]> = made.into();
        let wrote = self
            .store()
            .write(Basis::Own, move |tx: &mut Tx| {
                let (record, seals, made) = (record.clone(), Arc::clone(&seals), Arc::clone(&made));
                Box::pin(async move { keep(tx, &record, &seals, &made).await })
            })
            .await;
        match wrote {
            Ok(()) | Err(WriteError::Refused(KeepError::Nothing)) => Ok(()),
            Err(WriteError::Refused(KeepError::Fault(fault))) => Err(fault),
            Err(WriteError::Store(error)) => Err(error.into()),
            Err(WriteError::Stale) => Err(Fault::Unexpected("a write without a permit was stale".into())),
        }
    }

    /// Adds up how often this node's keys were used, where all nodes see it.
    pub async fn note_key_uses(&self) -> Result<(), Fault> {
        let uses = self.keyring().take_uses();
        if uses.is_empty() {
            return Ok(());
        }
        let taken = uses.clone();
        let wrote = self
            .store()
            .write_silently("how often keys were used", move |tx| {
                let uses = uses.clone();
                Box::pin(async move {
                    for (key, uses) in uses {
                        keyring::add_uses(tx, key, i64::try_from(uses).unwrap_or(i64::MAX)).await?;
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await;
        if wrote.is_err() {
            // Rather counted twice, where only the answer was lost, than not at all.
            self.keyring().give_back_uses(&taken);
        }
        wrote.map_err(quiet)
    }

    /// The operation of somebody on the server's own shell.
    pub fn shell_op(&self) -> Op {
        let now = self.env().now();
        Op {
            actor: crate::Actor::Operator { token: None, role: keywarden_model::Role::Owner },
            source: crate::Source::default(),
            request: self.env().id(now),
            now,
            once: None,
            reason: None,
            seen: None,
            refusal: LastRefusal::default(),
        }
    }
}

enum KeepError {
    Fault(Fault),
    /// Another node made them all.
    Nothing,
}

impl From<StoreError> for KeepError {
    fn from(error: StoreError) -> Self {
        Self::Fault(error.into())
    }
}

async fn keep(
    tx: &mut Tx,
    record: &Record,
    seals: &[SealDescription],
    made: &[Made],
) -> Result<Written<()>, KeepError> {
    keyring::hold(tx).await?;
    let there = Records::load(tx).await.map_err(KeepError::Fault)?;
    let missing = Keyring::missing(&there.keys);
    let mut events = Vec::new();
    for (key, wraps) in made.iter().filter(|(key, _)| missing.contains(&key.purpose)) {
        for seal in seals {
            if keyring::add_seal(tx, &seal_row(seal, record.now())).await? {
                events.push(record.event("seal.add", "seal", &seal.id));
            }
        }
        keyring::add_key(tx, &key_row(key)).await?;
        for wrap in wraps {
            keyring::put_wrap(tx, &wrap_row(wrap)).await?;
        }
        let event = record.event("keyring-key.generate", "keyring-key", key.id);
        events.push(event.fact("purpose", Fact::word(key.purpose.name())));
    }
    let mut rows = events.into_iter().map(|event| event.finish().map_err(KeepError::Fault));
    let first = rows.next().ok_or(KeepError::Nothing)??;
    rows.try_fold(Written::new((), first), |written, row| Ok(written.and(row?)))
}

pub(crate) fn cut_off(cause: tokio::task::JoinError) -> Fault {
    Fault::Unexpected(format!("a call to the HSM was cut off: {cause}"))
}

pub(super) fn quiet(error: WriteError<StoreError>) -> Fault {
    match error {
        WriteError::Refused(error) | WriteError::Store(error) => error.into(),
        WriteError::Stale => Fault::Unexpected("a write without a permit was stale".into()),
    }
}
