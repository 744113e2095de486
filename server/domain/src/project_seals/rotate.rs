//! The keys of a seal that projects name: a new one in the token, every project under it wrapped to it, the old one destroyed.

use std::collections::BTreeMap;
use std::sync::Arc;

use keywarden_model::ProjectId;
use keywarden_store::project_seals as rows;
use keywarden_store::secrets::project_keys as keys;
use keywarden_store::{Conn, Written, keyring as keyring_rows};
use keywarden_vault::custody::Custodian;
use keywarden_vault::{KeyBody, KeyNumber, SealError, SealId, SecretString};

use super::fetch::not_here;
use super::name::{Placed, TRIES, Wrapped, place};
use super::show::{At, OfferedSeal};
use crate::once::words;
use crate::refused::carries_refused;
use crate::system::KeyStays;
use crate::system::key_end;
use crate::{Action, Domain, Env, Fault, Op, Refused, Repeatable, Resource};

/// Why a seal that projects name got no new key.
#[derive(Debug, thiserror::Error)]
pub enum RotateOfferedError {
    /// Its projects, or their keys, changed again and again.
    #[error("the keys under the seal changed meanwhile: try again")]
    Changed,
    /// Nothing lies under it.
    #[error("no project names `{0}`: there is nothing to wrap to a new key")]
    NotNamed(SealId),
    /// The operator does not offer it.
    #[error("`{0}` is not a seal that projects may name")]
    NotOffered(SealId),
    /// As everywhere; also where the seal does not answer.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The token did not make a key.
    #[error(transparent)]
    Seal(#[from] SealError),
}
carries_refused!(RotateOfferedError);

/// Why no key of a seal that projects name was destroyed.
#[derive(Debug, thiserror::Error)]
pub enum DestroyOfferedKeyError {
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The token did not destroy it.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// It may not go.
    #[error(transparent)]
    Stays(#[from] KeyStays),
}
carries_refused!(DestroyOfferedKeyError);

/// A seal that projects name has a new key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotatedOffered {
    /// Which seal.
    pub seal: SealId,
    /// The key that wraps its projects' keys now.
    pub number: KeyNumber,
    /// How many projects name it.
    pub projects: usize,
    /// How many keys of theirs were wrapped anew.
    pub keys: usize,
}

impl Repeatable for RotatedOffered {
    fn thing(&self) -> String {
        format!("{} {} {} {}", self.number, self.projects, self.keys, self.seal)
    }
    fn again(thing: &str, _: Option<SecretString>) -> Option<Self> {
        let [number, projects, keys, seal] = words(thing)?;
        Some(Self {
            seal: seal.parse().ok()?,
            number: number.parse().ok()?,
            projects: projects.parse().ok()?,
            keys: keys.parse().ok()?,
        })
    }
}

/// The keys of a seal that projects may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedKeys {
    /// Which seal.
    pub seal: SealId,
    /// Its keys, the newest last, each with the number of projects' keys that it wraps; none if it does not tell now.
    pub keys: Option<Vec<(KeyNumber, usize)>>,
}

/// All projects that name a seal: what lies under it is brought over as a whole.
const ALL: u32 = u32::MAX;

impl Domain {
    /// The keys of seals that projects may name, as they tell them now.
    pub async fn offered_keys(&self, op: &Op) -> Result<Vec<OfferedKeys>, Refused> {
        let _permit = self.authorize(op, Action::ViewSystem, &Resource::Organization).await?;
        let mut told = Vec::new();
        for OfferedSeal { id: seal, at, .. } in self.offered().await? {
            let numbers = match at {
                At::Present => self.ask_custodian(&seal, Custodian::keys).await.and_then(Result::ok),
                At::Away { .. } | At::NotHere => None,
            };
            let under = self.wrapped_under(&mut self.store().read().await?, &seal).await?;
            let wraps = |number| (number, under.get(&number).copied().unwrap_or_default());
            told.push(OfferedKeys { seal, keys: numbers.map(|it| it.into_iter().map(wraps).collect()) });
        }
        Ok(told)
    }

    /// Makes a new key in a seal that is offered and wraps the keys of every project that names it to that one. The old key stays
    /// in the token.
    pub async fn rotate_offered_key(
        &self,
        op: &Op,
        seal: &SealId,
    ) -> Result<RotatedOffered, RotateOfferedError> {
        let _permit = self.authorize(op, Action::ManageSeals, &Resource::Organization).await?;
        if let Some(before) = self.answered(op).await? {
            return Ok(before);
        }
        // Until it is written down which key was made. Another node that has the turn is not waited for.
        let alone = self.turn_at_seals().await?.ok_or(RotateOfferedError::Changed)?;
        let rotated = self.rotate_offered_key_alone(op, seal).await;
        alone.end().await;
        rotated
    }

    async fn rotate_offered_key_alone(
        &self,
        op: &Op,
        seal: &SealId,
    ) -> Result<RotatedOffered, RotateOfferedError> {
        for _ in 1..TRIES {
            match self.rotate_offered_key_once(op, seal).await {
                Err(RotateOfferedError::Changed) => {}
                done => return done,
            }
        }
        self.rotate_offered_key_once(op, seal).await
    }

    async fn rotate_offered_key_once(
        &self,
        op: &Op,
        seal: &SealId,
    ) -> Result<RotatedOffered, RotateOfferedError> {
        let mut conn = self.store().read().await?;
        if !rows::is_offered(&mut conn, seal.as_str()).await? {
            return Err(RotateOfferedError::NotOffered(seal.clone()));
        }
        let under = self.wrapped_under(&mut conn, seal).await?;
        let Some((&oldest, &before)) = under.keys().next().zip(under.keys().next_back()) else {
            return Err(RotateOfferedError::NotNamed(seal.clone()));
        };
        let mut stored = Vec::new();
        for row in rows::naming_one(&mut conn, seal.as_str(), ALL).await? {
            stored.push((row.project_id, keys::all_of_project(&mut conn, row.project_id).await?));
        }
        drop(conn);
        let env = self.env().clone();
        let made = self.ask_custodian(seal, move |it| newer_than(it, oldest, &env)).await;
        let number = made.ok_or_else(|| not_here(seal.as_str()))??;
        let mut wrapped = Vec::with_capacity(stored.len());
        for (project, stored) in stored {
            wrapped.push((project, self.wrap_all_anew(project, Some(seal), stored, None).await?));
        }
        let (wrapped, keyring): (Arc<[(ProjectId, Wrapped)]>, _) =
            (wrapped.into(), Arc::clone(self.keyring()));
        let seal = seal.clone();
        self.change(op, Action::ManageSeals, &Resource::Organization, &[], move |tx, record| {
            let (wrapped, keyring, seal) = (Arc::clone(&wrapped), Arc::clone(&keyring), seal.clone());
            Box::pin(async move {
                keyring_rows::hold(tx).await?;
                let naming = rows::naming_one(tx, seal.as_str(), ALL).await?;
                if !naming.iter().map(|row| row.project_id).eq(wrapped.iter().map(|(project, _)| *project)) {
                    return Err(RotateOfferedError::Changed);
                }
                for (project, keys) in wrapped.iter() {
                    match place(tx, &record, &keyring, *project, keys, Some(seal.as_str())).await? {
                        Placed::Done(_) => {}
                        Placed::Changed => return Err(RotateOfferedError::Changed),
                    }
                }
                let (projects, keys) = (wrapped.len(), wrapped.iter().map(|(_, it)| it.len()).sum());
                let event = record
                    .event("seal.rotate-key", "seal", &seal)
                    .change("key", before, number)
                    .fact("projects", u32::try_from(projects).unwrap_or(u32::MAX))
                    .fact("keys", u32::try_from(keys).unwrap_or(u32::MAX))
                    .finish()?;
                Ok(Written::new(RotatedOffered { seal, number, projects, keys }, event))
            })
        })
        .await
    }

    /// Destroys an old key of a seal that is offered, in the token and for good, unless it still wraps a project's key.
    pub async fn destroy_offered_key(
        &self,
        op: &Op,
        seal: &SealId,
        number: KeyNumber,
    ) -> Result<(), DestroyOfferedKeyError> {
        let _permit = self.authorize(op, Action::ManageSeals, &Resource::Organization).await?;
        let numbers = self.ask_custodian(seal, Custodian::keys).await;
        let numbers = numbers.ok_or_else(|| not_here(seal.as_str()))??;
        key_end::is_older(seal, &numbers, number)?;
        let (this, id) = (self.clone(), seal.clone());
        let told = self.change(op, Action::ManageSeals, &Resource::Organization, &[], move |tx, record| {
            let (this, seal) = (this.clone(), id.clone());
            Box::pin(async move {
                keyring_rows::hold(tx).await?;
                let wraps = this.wrapped_under(tx, &seal).await?.get(&number).copied();
                let event = key_end::told(&record, &seal, number, wraps.unwrap_or_default())?;
                Ok::<_, DestroyOfferedKeyError>(Written::new((), event.finish()?))
            })
        });
        told.await?;
        let destroyed = self.ask_custodian(seal, move |it| it.destroy_key(number)).await;
        if let Err(cause) = destroyed.ok_or_else(|| not_here(seal.as_str()))? {
            self.note_not_destroyed(op, seal, number).await?;
            return Err(cause.into());
        }
        Ok(())
    }

    /// How many keys of projects each key of a seal wraps.
    async fn wrapped_under(
        &self,
        conn: &mut Conn,
        seal: &SealId,
    ) -> Result<BTreeMap<KeyNumber, usize>, Fault> {
        let mut under = BTreeMap::new();
        for row in rows::naming_one(conn, seal.as_str(), ALL).await? {
            for key in keys::all_of_project(conn, row.project_id).await? {
                let witness = KeyBody::witness(self.keyring(), key.id, row.project_id, &key.sealed)?;
                if let Some(number) = witness.and_then(|it| it.number()) {
                    let keys: &mut usize = under.entry(number).or_default();
                    *keys = keys.saturating_add(1);
                }
            }
        }
        Ok(under)
    }
}

/// The seal's newest key, if it is newer than this one, as a rotation that did not come to its end left it; else a new one.
fn newer_than(custodian: &Custodian, oldest: KeyNumber, env: &Env) -> Result<KeyNumber, SealError> {
    match custodian.keys()?.last() {
        Some(&newest) if newest > oldest => Ok(newest),
        _ => custodian.add_key(&mut env.fork()),
    }
}
