//! The batches.

use std::sync::Arc;
use std::time::Duration;

use keywarden_model::{KeyringKeyId, ProjectId, ProjectKeyId, RewrapId};
use keywarden_store::secrets::project_keys as keys;
use keywarden_store::{Tx, Written, keyring as ring_rows, rewraps as rows};
use keywarden_vault::{Keyring, MAX_SEALS, OpenError, ProjectKey, Purpose, RewrapError, ValuePlace};

use super::{Kind, Rewrap};
use crate::audit::{Draft, Fact, Record};
use crate::refused::carries_refused;
use crate::secrets::seal::keyring_key_of;
use crate::{Domain, Fault, Refused};

/// Rewraps that go on at once.
const AT_ONCE: u32 = 20;
/// How many keys are wrapped anew in one transaction: others wait for it on SQLite.
pub(super) const BATCH: u32 = 200;
/// How long one run takes at most; the next one goes on.
const RUN: Duration = Duration::from_secs(20);

/// Why a batch did nothing.
pub(super) enum Stopped {
    /// It is paused, or another node ended it.
    NotRunning,
    Refused(Refused),
}

impl From<Refused> for Stopped {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}
carries_refused!(Stopped);

/// What a batch came to; `true`: there is more.
type Batch = Result<Written<bool>, Stopped>;

/// Whether there is more, for the change's own bookkeeping.
impl crate::Repeatable for bool {
    fn thing(&self) -> String {
        self.to_string()
    }
    fn again(thing: &str, _: Option<crate::SecretString>) -> Option<Self> {
        thing.parse().ok()
    }
}

impl Domain {
    /// Goes on with every rewrap that runs; says how many batches that took. Any node may, at any time.
    pub async fn rewrap(&self) -> Result<u64, Fault> {
        let began = self.env().monotonic();
        let running = rows::running(&mut self.store().read().await?, AT_ONCE).await?;
        let mut batches = 0_u64;
        for row in running {
            let rewrap = Rewrap::from_row(row)?;
            while self.env().monotonic().saturating_duration_since(began) < RUN {
                let more = self.rewrap_batch(&rewrap).await?;
                batches = batches.saturating_add(more.is_some().into());
                if more != Some(true) {
                    break;
                }
            }
        }
        Ok(batches)
    }

    /// One batch; `None` if none could be made now.
    pub(super) async fn rewrap_batch(&self, rewrap: &Rewrap) -> Result<Option<bool>, Fault> {
        let done = match (rewrap.kind, rewrap.project) {
            (Kind::DataKeys, Some(project)) => self.rewrap_data_keys(rewrap, project).await,
            (Kind::ProjectKeys, _) => {
                let to: KeyringKeyId = parsed(&rewrap.to_key)?;
                if !self.is_held_by_all(to).await? {
                    return Ok(None);
                }
                self.rewrap_project_keys(rewrap.id, to).await
            }
            // Done where it began.
            (Kind::DataKeys | Kind::KeyringKeys, _) => return Ok(None),
        };
        match done {
            Ok(more) => Ok(Some(more)),
            Err(Stopped::NotRunning) => Ok(None),
            // It waits for the project's own seal; others do not wait for it.
            Err(Stopped::Refused(Refused::Fault(fault @ Fault::ProjectSealed { .. }))) => {
                tracing::debug!(rewrap = %rewrap.id, %fault, "domain.rewraps.run: it waits");
                Ok(None)
            }
            Err(Stopped::Refused(Refused::Fault(fault))) => Err(fault),
            Err(Stopped::Refused(refused)) => Err(Fault::Unexpected(refused.to_string())),
        }
    }

    /// Whether every running node has a key of the keyring in memory, this one as the newest of its purpose.
    async fn is_held_by_all(&self, key: KeyringKeyId) -> Result<bool, Fault> {
        if self.keyring().newest(Purpose::ProjectKey).ok() != Some(key) {
            return Ok(false);
        }
        Ok(self.held().await?.by_every_node(key))
    }

    async fn rewrap_data_keys(&self, rewrap: &Rewrap, project: ProjectId) -> Result<bool, Stopped> {
        let op = self.system_op("rewrap");
        let between = (parsed(&rewrap.from_key)?, parsed(&rewrap.to_key)?);
        let (id, keyring) = (rewrap.id, Arc::clone(self.keyring()));
        self.change_unasked(&op, "a rewrap goes on", &[], move |tx, record| {
            let keyring = Arc::clone(&keyring);
            Box::pin(async move { data_keys(tx, &record, &keyring, id, project, between).await })
        })
        .await
    }

    async fn rewrap_project_keys(&self, id: RewrapId, to: KeyringKeyId) -> Result<bool, Stopped> {
        let op = self.system_op("rewrap");
        let keyring = Arc::clone(self.keyring());
        self.change_unasked(&op, "a rewrap goes on", &[], move |tx, record| {
            let keyring = Arc::clone(&keyring);
            Box::pin(async move { project_keys(tx, &record, &keyring, id, to).await })
        })
        .await
    }
}

fn parsed<I: std::str::FromStr>(text: &str) -> Result<I, Fault> {
    text.parse().map_err(|_| Fault::Damaged("rewraps: a key that is no id".into()))
}

async fn data_keys(
    tx: &mut Tx,
    record: &Record,
    keyring: &Keyring,
    id: RewrapId,
    project: ProjectId,
    (from, to): (ProjectKeyId, ProjectKeyId),
) -> Batch {
    let after = rows::claim(tx, id, record.now()).await?.ok_or(Stopped::NotRunning)?;
    let page = keys::data_keys_after(tx, from, &after, BATCH).await?;
    let mut tally = Tally::default();
    if !page.is_empty() {
        let old = opened(tx, keyring, from, project).await?;
        let new = opened(tx, keyring, to, project).await?;
        for row in &page {
            let place = ValuePlace { secret: row.secret_id, version: row.id };
            match record.env().with_rng(|rng| old.rewrap(&new, place, &row.wrapped_key, rng)) {
                Ok(wrapped) => tally.count(keys::rewrap_data_key(tx, row, from, to, &wrapped).await?),
                Err(error) => tally.skip(error)?,
            }
        }
        if !keys::count_rewrapped(tx, to, tally.done, MAX_SEALS).await? {
            return Err(Fault::Unexpected("the project's key may wrap no more".into()).into());
        }
    }
    let last = page.last().map_or(after, |row| row.id.to_string());
    rows::advance(tx, id, &last, tally.done, tally.skipped).await?;
    let event = tally.told(record.event("rewrap.proceed", "rewrap", id).project(project));
    if page.len() == BATCH as usize {
        return Ok(Written::new(true, event.finish()?));
    }
    rows::finish(tx, id, record.now()).await?;
    let mut written = Written::new(false, event.finish()?);
    if keys::destroy(tx, from).await? {
        let gone = record.event("project-key.destroy", "project-key", from).project(project);
        written = written.and(gone.fact("rewrap", id).finish()?);
    }
    let end = record.event("rewrap.finish", "rewrap", id).project(project);
    Ok(written.and(end.finish()?))
}

async fn opened(
    tx: &mut Tx,
    keyring: &Keyring,
    id: ProjectKeyId,
    project: ProjectId,
) -> Result<ProjectKey, Stopped> {
    let row = keys::find(tx, id).await?;
    let row = row.ok_or_else(|| Fault::Damaged("rewraps: a key that is not there".into()))?;
    Ok(ProjectKey::open(keyring, id, project, &row.sealed).map_err(Fault::from)?)
}

async fn project_keys(
    tx: &mut Tx,
    record: &Record,
    keyring: &Keyring,
    id: RewrapId,
    to: KeyringKeyId,
) -> Batch {
    let after = rows::claim(tx, id, record.now()).await?.ok_or(Stopped::NotRunning)?;
    // Before any key of a project is taken: rotations and changes of seals take them in this order.
    ring_rows::hold(tx).await?;
    let page = keys::not_under(tx, to, &after, BATCH).await?;
    let mut tally = Tally::default();
    for row in &page {
        let resealed = record
            .env()
            .with_rng(|rng| ProjectKey::reseal(keyring, row.id, row.project_id, &row.sealed, rng));
        match resealed {
            // A newer key of the keyring came between the look and this.
            Ok(sealed) if keyring_key_of(&sealed)? != to => return Err(Stopped::NotRunning),
            Ok(sealed) => tally.count(keys::reseal(tx, row, to, &sealed).await?),
            Err(error) => tally.skip(error)?,
        }
    }
    let last = page.last().map_or(after, |row| row.id.to_string());
    rows::advance(tx, id, &last, tally.done, tally.skipped).await?;
    let event = tally.told(record.event("rewrap.proceed", "rewrap", id));
    if page.len() == BATCH as usize {
        return Ok(Written::new(true, event.finish()?));
    }
    rows::finish(tx, id, record.now()).await?;
    let mut written = Written::new(false, event.finish()?);
    for key in ring_rows::bare_of_project_keys(tx, Purpose::ProjectKey.name()).await? {
        if ring_rows::destroy_key(tx, key).await? {
            let gone = record
                .event("keyring-key.destroy", "keyring-key", key)
                .fact("purpose", Fact::word(Purpose::ProjectKey.name()))
                .fact("rewrap", id);
            written = written.and(gone.finish()?);
        }
    }
    Ok(written.and(record.event("rewrap.finish", "rewrap", id).finish()?))
}

/// What a batch did.
#[derive(Default)]
struct Tally {
    done: i64,
    skipped: i64,
}

impl Tally {
    /// One that was destroyed meanwhile counts for nothing.
    fn count(&mut self, moved: bool) {
        self.done = self.done.saturating_add(moved.into());
    }

    /// What is damaged stays where it is; what says nothing of the thing itself ends the batch.
    fn skip(&mut self, error: RewrapError) -> Result<(), Fault> {
        match error {
            RewrapError::Open(
                OpenError::AuthenticationFailed
                | OpenError::Malformed
                | OpenError::UnknownAlgorithm(_)
                | OpenError::UnknownVersion(_),
            ) => {
                self.skipped = self.skipped.saturating_add(1);
                Ok(())
            }
            other => Err(other.into()),
        }
    }

    fn told(&self, event: Draft) -> Draft {
        event.fact("rewrapped", self.done).fact("skipped", self.skipped)
    }
}
