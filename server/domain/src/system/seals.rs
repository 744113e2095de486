//! What wraps the keyring: a second HSM, a recovery key; and new keys for a purpose.

use std::sync::Arc;

use keywarden_model::{KeyringKeyId, RewrapId, time::earlier};
use keywarden_store::secrets::project_keys;
use keywarden_store::{StoreError, Tx, Written, keyring, node, project_seals, rewraps};
use keywarden_vault::keyring::{RemoveSealError as Loss, WrapError, may_remove_seal, unwraps_one};
use keywarden_vault::{KeyRecord, Keyring, Purpose, Seal, SealId, SecretString, WrapRecord};
use tokio::task::spawn_blocking;

use super::node::GONE;
use super::records::{Records, key_row, seal_row, wrap_row};
use super::status::{SealStatus, seals};
use super::unseal::cut_off;
use crate::audit::{Fact, Record};
use crate::authz::{Action, Resource};
use crate::rewraps::Kind;
use crate::{Domain, Op, Refused, Repeatable};

/// Why a seal was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddSealError {
    /// Another key was made meanwhile.
    #[error("the keyring changed meanwhile: try again")]
    Changed,
    /// Another seal has this one's kind and label.
    #[error(
        "another seal of this name, `{0}`, wraps the keyring already, by a key that this one does not have; the keyring \
         is as it was. Give this one a name of its own (the file's name, or the token's label), or take the other one \
         away first: `keywarden seal remove '{0}'`"
    )]
    NameTaken(SealId),
    /// It is a seal of projects.
    #[error("projects may name `{0}` as their own seal: it cannot wrap the keyring as well")]
    OfProjects(SealId),
    /// The gate, or ours.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The seal did not wrap.
    #[error(transparent)]
    Wrap(#[from] WrapError),
}

/// Why a seal was not removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveSealError {
    /// A server was started with it.
    #[error("`{0}` is the seal that this server was started with: configure another one and restart first")]
    InUse(SealId),
    /// Another server was.
    #[error(
        "`{seal}` is the seal that the server on `{node}` was started with: configure another one there, and restart it first"
    )]
    InUseElsewhere {
        /// The seal.
        seal: SealId,
        /// That server's machine.
        node: String,
    },
    /// A key would be lost.
    #[error(transparent)]
    Loss(#[from] Loss),
    /// A newer version made keys that this one does not know.
    #[error("a newer version of Keywarden has made keys that this one cannot judge: use that one")]
    NewerKeys,
    /// The gate, or ours.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Why a purpose got no new key.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// Another node was faster.
    #[error("the purpose has another key by now")]
    Changed,
    /// What lay under the key before is not all brought over yet.
    #[error("the rewrap of this purpose's last rotation is not done: let it end, or resume it")]
    UnderWay,
    /// The gate, or ours.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// None of the seals given wraps the keyring.
    #[error("none of this server's seals wraps the keyring: add it first")]
    NoSeal,
    /// The seal did not wrap.
    #[error(transparent)]
    Wrap(#[from] WrapError),
}

/// A seal was added, or what it lacked was made up for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Which.
    pub seal: SealId,
}

/// A purpose has a new key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The new key.
    pub key: KeyringKeyId,
    /// What brings the projects' keys under it, for the purpose that has them.
    pub rewrap: Option<RewrapId>,
}

impl Domain {
    /// The seals.
    pub async fn seals(&self, op: &Op) -> Result<Vec<SealStatus>, Refused> {
        let _permit = self.authorize(op, Action::ViewSystem, &Resource::Organization).await?;
        let mut conn = self.store().read().await?;
        Ok(seals(&Records::load(&mut conn).await?))
    }

    /// Wraps every key under one more seal. Asked again, it makes up for keys that were made meanwhile, and replaces
    /// what an older key of the same seal wrapped: one that only has the name of a seal that is there is refused.
    pub async fn add_seal(&self, op: &Op, seal: Arc<dyn Seal>) -> Result<Added, AddSealError> {
        let _permit = self.authorize(op, Action::ManageSeals, &Resource::Organization).await?;
        let description = seal.describe().clone();
        let mut conn = self.store().read().await.map_err(Refused::from)?;
        let records = Records::load(&mut conn).await.map_err(Refused::from)?;
        drop(conn);
        let before = under(&records, &description.id);
        let (keyring, env) = (Arc::clone(self.keyring()), self.env().clone());
        let (keys, own) = (records.keys, before.clone());
        let wraps = spawn_blocking(move || {
            if !own.is_empty() && !unwraps_one(&*seal, &keys, &own)? {
                return Err(AddSealError::NameTaken(seal.describe().id.clone()));
            }
            Ok::<_, AddSealError>(keyring.wrap_under(&*seal, &mut env.fork())?)
        });
        let wraps: Arc<[_]> = wraps.await.map_err(|cause| Refused::from(cut_off(cause)))??.into();
        let before: Arc<[_]> = before.into();
        self.change(op, Action::ManageSeals, &Resource::Organization, &[], move |tx, record| {
            let (wraps, before, description) = (Arc::clone(&wraps), Arc::clone(&before), description.clone());
            Box::pin(async move {
                keyring::hold(tx).await.map_err(Refused::from)?;
                let there = Records::load(tx).await.map_err(Refused::from)?;
                if project_seals::is_offered(tx, description.id.as_str()).await.map_err(Refused::from)? {
                    return Err(AddSealError::OfProjects(description.id));
                }
                let wrapped = |key| wraps.iter().any(|wrap| wrap.key_id == key);
                if there.unknown > 0 || !there.keys.iter().all(|key| wrapped(key.id)) {
                    return Err(AddSealError::Changed);
                }
                // Only what it has proven to unwrap may be replaced.
                if *under(&there, &description.id) != *before {
                    return Err(AddSealError::Changed);
                }
                let row = seal_row(&description, record.now());
                let new = keyring::add_seal(tx, &row).await.map_err(Refused::from)?;
                for wrap in &*wraps {
                    keyring::put_wrap(tx, &wrap_row(wrap)).await.map_err(Refused::from)?;
                }
                let event = record
                    .event("seal.add", "seal", &description.id)
                    .fact("new", new)
                    .fact("keys", u32::try_from(wraps.len()).unwrap_or(u32::MAX))
                    .finish()
                    .map_err(Refused::from)?;
                Ok(Written::new(Added { seal: description.id }, event))
            })
        })
        .await
    }

    /// Takes a seal away, unless a key would be lost, or this server (`in_use`) or another that runs needs it.
    pub async fn remove_seal(
        &self,
        op: &Op,
        seal: &SealId,
        in_use: &[SealId],
    ) -> Result<(), RemoveSealError> {
        if in_use.contains(seal) {
            self.authorize(op, Action::ManageSeals, &Resource::Organization).await.map(drop)?;
            return Err(RemoveSealError::InUse(seal.clone()));
        }
        let seal = seal.clone();
        self.change(op, Action::ManageSeals, &Resource::Organization, &[], move |tx, record| {
            let seal = seal.clone();
            Box::pin(async move {
                keyring::hold(tx).await.map_err(Refused::from)?;
                let there = Records::load(tx).await.map_err(Refused::from)?;
                if there.unknown > 0 {
                    return Err(RemoveSealError::NewerKeys);
                }
                may_remove_seal(&there.keys, &there.wraps, &seal)?;
                let nodes = node::list(tx, earlier(record.now(), GONE)).await.map_err(Refused::from)?;
                if let Some(node) =
                    nodes.into_iter().find(|it| it.unseals_by.lines().any(|it| it == seal.as_str()))
                {
                    return Err(RemoveSealError::InUseElsewhere { seal, node: node.name });
                }
                keyring::remove_seal(tx, seal.as_str()).await.map_err(Refused::from)?;
                let event = record.event("seal.remove", "seal", &seal).finish().map_err(Refused::from)?;
                Ok(Written::new((), event))
            })
        })
        .await
    }

    /// Gives a purpose a new key: it serves new values from now on, the old one goes on to verify and open. Seals that
    /// are not given lack it until they are added again.
    pub async fn rotate_keyring_key(
        &self,
        op: &Op,
        purpose: Purpose,
        by: &[Arc<dyn Seal>],
    ) -> Result<Rotated, RotateError> {
        let _permit = self.authorize(op, Action::ManageSeals, &Resource::Organization).await?;
        let rotation = self.new_key(op, purpose, by).await?;
        let rotated = self
            .change(op, Action::ManageSeals, &Resource::Organization, &[], move |tx, record| {
                let rotation = rotation.clone();
                Box::pin(async move { rotation.write(tx, &record).await })
            })
            .await?;
        self.take_in_new_key(by).await;
        Ok(rotated)
    }

    /// Makes a key for a purpose, and wraps it under those of these seals that wrap the keyring. Nothing is written yet.
    pub(super) async fn new_key(
        &self,
        op: &Op,
        purpose: Purpose,
        by: &[Arc<dyn Seal>],
    ) -> Result<Rotation, RotateError> {
        let there = Records::load(&mut self.store().read().await.map_err(Refused::from)?).await;
        let there = there.map_err(Refused::from)?;
        let known = |seal: &&Arc<dyn Seal>| there.seals.iter().any(|it| it.id == seal.describe().id);
        let by_known: Vec<_> = by.iter().filter(known).map(Arc::clone).collect();
        if by_known.is_empty() {
            return Err(RotateError::NoSeal);
        }
        let (env, now) = (self.env().clone(), op.now);
        let made = spawn_blocking(move || Keyring::generate(purpose, now, &mut env.fork(), &by_known))
            .await
            .map_err(|cause| Refused::from(cut_off(cause)))??;
        Ok(Rotation { made: Arc::new(made), rewrap: self.fresh(op), actor: op.actor.id(), renews: None })
    }

    /// It is done: a node that cannot take the key in now does so when its seal answers, as all the others do.
    pub(super) async fn take_in_new_key(&self, by: &[Arc<dyn Seal>]) {
        if let Err(cause) = self.unseal(by).await {
            tracing::warn!(%cause, "the new key could not be taken in yet");
        }
    }
}

/// A new key for a purpose, to be written.
#[derive(Debug, Clone)]
pub(super) struct Rotation {
    made: Arc<(KeyRecord, Vec<WrapRecord>)>,
    rewrap: RewrapId,
    actor: String,
    /// The key that it takes the place of, where another one's is not to be taken; and how many envelopes that has sealed.
    pub(super) renews: Option<(KeyringKeyId, u64)>,
}

impl Rotation {
    pub(super) async fn write(&self, tx: &mut Tx, record: &Record) -> Result<Written<Rotated>, RotateError> {
        let (key, wraps) = &*self.made;
        let purpose = key.purpose;
        keyring::hold(tx).await?;
        let before = keyring::in_service(tx, purpose.name(), key.id).await?;
        let newest = before.first().map_or("", String::as_str);
        if self.renews.is_some_and(|(renewed, _)| renewed.to_string() != newest) {
            return Err(RotateError::Changed);
        }
        keyring::add_key(tx, &key_row(key)).await?;
        for wrap in wraps {
            keyring::put_wrap(tx, &wrap_row(wrap)).await?;
        }
        keyring::retire_others(tx, purpose.name(), key.id, record.now()).await?;
        let mut event = record
            .event("keyring-key.rotate", "keyring-key", key.id)
            .fact("purpose", Fact::word(purpose.name()));
        if let Some((_, uses)) = self.renews {
            event = event.fact("uses", uses);
        }
        let mut rotated = Rotated { key: key.id, rewrap: None };
        if purpose == Purpose::ProjectKey {
            let total = project_keys::count_not_under(tx, key.id).await?;
            let row = rewraps::Insert {
                id: self.rewrap,
                kind: Kind::ProjectKeys.name(),
                scope: purpose.name(),
                project: None,
                from_key: newest,
                to_key: &key.id.to_string(),
                total,
                done: 0,
                started_at: record.now(),
                started_by: &self.actor,
                ended_at: None,
            };
            rewraps::insert(tx, &row).await.map_err(|error| match error {
                StoreError::Conflict(_) => RotateError::UnderWay,
                other => other.into(),
            })?;
            rotated.rewrap = Some(self.rewrap);
            event = event.fact("project_keys", total).fact("rewrap", self.rewrap);
        }
        Ok(Written::new(rotated, event.finish().map_err(Refused::from)?))
    }
}

/// What a seal of this id wraps.
fn under(records: &Records, id: &SealId) -> Vec<WrapRecord> {
    records.wraps.iter().filter(|wrap| wrap.seal_id == *id).cloned().collect()
}

impl From<StoreError> for RotateError {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

impl Repeatable for Added {
    fn thing(&self) -> String {
        self.seal.to_string()
    }
    fn again(thing: &str, _: Option<SecretString>) -> Option<Self> {
        Some(Self { seal: thing.parse().ok()? })
    }
}

impl Repeatable for Rotated {
    fn thing(&self) -> String {
        match self.rewrap {
            Some(rewrap) => format!("{} {rewrap}", self.key),
            None => self.key.to_string(),
        }
    }
    fn again(thing: &str, _: Option<SecretString>) -> Option<Self> {
        let (key, rewrap) = thing.split_once(' ').map_or((thing, None), |(key, it)| (key, Some(it)));
        let rewrap = rewrap.map(|it| it.parse().ok());
        Some(Self { key: key.parse().ok()?, rewrap: rewrap.unwrap_or_default() })
    }
}
