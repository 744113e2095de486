//! Asking seals of projects: for keys that a write found to be missing, and whether they are there at all.

use std::sync::Arc;

use futures_util::future::join_all;
use keywarden_model::{ProjectId, ProjectKeyId};
use keywarden_store::project_seals as rows;
use keywarden_store::secrets::project_keys as keys;
use keywarden_vault::custody::{Custodian, Standing, Witness};
use keywarden_vault::keyring::WrapError;
use keywarden_vault::{KeyBody, SealId};
use tokio::task::spawn_blocking;

use crate::system::cut_off;
use crate::{Domain, Fault};

/// Of how many projects a key is opened to know a seal again: one row that somebody changed blames no seal.
const WITNESSES: u32 = 4;

/// What a seal of projects had fetched, and missed, before a write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    fetches: u64,
    misses: u64,
}

impl From<&Custodian> for Seen {
    fn from(custodian: &Custodian) -> Self {
        Self { fetches: custodian.fetches(), misses: custodian.misses() }
    }
}

impl Domain {
    /// How seals of projects are before a write, for [`Domain::fetch_project_keys`].
    pub(crate) fn custody_seen(&self) -> Vec<Seen> {
        self.keyring().custody().all().iter().map(Seen::from).collect()
    }

    /// Fetches what was found missing since; whether trying again may come further.
    pub(crate) async fn fetch_project_keys(&self, seen: &[Seen]) -> bool {
        let all = self.keyring().custody().all();
        let missed = |(at, seen): (usize, &Seen)| {
            all.get(at).is_some_and(|it| it.misses() != seen.misses).then_some((at, seen.fetches))
        };
        let missed: Vec<_> = seen.iter().enumerate().filter_map(missed).collect();
        if missed.is_empty() {
            return false;
        }
        let now = self.env().now();
        let asked = missed.into_iter().map(|(at, fetches)| {
            let keyring = Arc::clone(self.keyring());
            spawn_blocking(move || keyring.custody().all().get(at).is_some_and(|it| it.fetch(fetches, now)))
        });
        join_all(asked).await.into_iter().any(Result::unwrap_or_default)
    }

    /// Asks every seal of projects whether it is there, with the key that it had, all at once, and notes it. Call it every
    /// second.
    pub async fn observe_project_seals(&self) -> Vec<(SealId, Standing)> {
        let all = self.keyring().custody().all().iter();
        let asked = all.map(|custodian| self.observe_project_seal(custodian.describe().id.clone()));
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// Asks a seal of projects again that was away when it was asked last, because something tells that it may be there by now:
    /// nobody waits for the next second.
    pub(super) async fn look_again_at(&self, id: &SealId) {
        let was_away = |it: &Custodian| matches!(it.standing(), Standing::Away { .. });
        if self.keyring().custody().of(id).is_some_and(was_away) {
            self.observe_project_seal(id.clone()).await;
        }
    }

    async fn observe_project_seal(&self, id: SealId) -> Option<(SealId, Standing)> {
        let now = self.env().now();
        let observed = self.ask_custodian(&id, move |it| (it.observe(now), it.lacks_witness()));
        let (standing, lacks_witness) = observed.await?;
        // While the records do not answer, or the keyring is sealed, nothing can be opened anyway.
        let stored = if lacks_witness { self.stored_under(&id).await.ok() } else { None };
        let proved = match stored {
            Some(stored) => self.ask_custodian(&id, move |it| it.prove(stored, now)).await,
            None => None,
        };
        Some((id, proved.unwrap_or(standing)))
    }

    /// Has a seal of projects do something that blocks; `None` if this server was not given it.
    pub(super) async fn ask_custodian<T: Send + 'static>(
        &self,
        id: &SealId,
        ask: impl FnOnce(&Custodian) -> T + Send + 'static,
    ) -> Option<T> {
        let (keyring, id) = (Arc::clone(self.keyring()), id.clone());
        spawn_blocking(move || keyring.custody().of(&id).map(ask)).await.ok().flatten()
    }

    /// The newest keys of some projects that name a seal, as it wrapped them.
    async fn stored_under(&self, seal: &SealId) -> Result<Vec<Witness>, Fault> {
        let mut conn = self.store().read().await?;
        let naming = rows::naming_one(&mut conn, seal.as_str(), WITNESSES).await?;
        let mut stored = Vec::with_capacity(naming.len());
        for row in naming {
            let Some(key) = keys::all_of_project(&mut conn, row.project_id).await?.pop() else { continue };
            stored.extend(KeyBody::witness(self.keyring(), key.id, row.project_id, &key.sealed)?);
        }
        Ok(stored)
    }

    /// A new key for a project that names a seal, wrapped by it, with the seal's id; `None` for one that names none.
    pub(crate) async fn draw_under_own_seal(
        &self,
        project: ProjectId,
        key: ProjectKeyId,
    ) -> Result<Option<(String, KeyBody)>, Fault> {
        let named = rows::of_project(&mut self.store().read().await?, project).await?;
        let Some(named) = named else { return Ok(None) };
        let (keyring, env, seal) = (Arc::clone(self.keyring()), self.env().clone(), named.seal_id.clone());
        let drawn = spawn_blocking(move || {
            let custodian = seal.parse().ok().and_then(|id| keyring.custody().of(&id));
            let custodian = custodian.ok_or_else(|| not_here(&seal))?;
            KeyBody::draw(custodian, key, project, &mut env.fork()).map_err(|cause| away(&seal, &cause))
        });
        let body = drawn.await.map_err(cut_off)??;
        Ok(Some((named.seal_id, body)))
    }
}

/// A seal that this server was not given.
pub(super) fn not_here(seal: &str) -> Fault {
    Fault::ProjectSealed { seal: seal.to_owned(), cause: "this server has no such seal".into() }
}

/// A seal that did not wrap.
pub(super) fn away(seal: &str, cause: &WrapError) -> Fault {
    let cause = match cause {
        WrapError::Seal { source, .. } => source.to_string(),
        other => other.to_string(),
    };
    Fault::ProjectSealed { seal: seal.to_owned(), cause }
}
