//! Watching an environment's secrets: what changed since the last look, by the record. No value is read.
//!
//! A template that refers to a secret that changed, in whatever environment, is told of as well, by the same event.
//!
//! Events are found by their ids, which sort by the instant of their operation and not by that of their commit. A look
//! therefore goes back further than the last one, and what was told before is left out; whoever resumes may be told of a
//! change twice, and never misses one.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::{EventId, SecretId, SecretPath, TypedId, time::earlier};
use keywarden_store::secrets::{self as rows, ChangeRow};

use super::secret::damaged;
use crate::keys::Place;
use crate::{Action, Domain, Fault, Op, Refused};

/// How long an operation may take from its instant to its commit: longer than any request is allowed.
const OVERLAP: TimeDelta = TimeDelta::seconds(90);
/// How far back a watcher may resume.
const BACK: TimeDelta = TimeDelta::hours(24);
/// More changes than this at once are not told one by one.
const MOST: u32 = 2_000;

/// A watcher, and what it was told.
#[derive(Debug)]
pub struct SecretWatch {
    place: Place,
    folder: Option<String>,
    /// Where it goes on; `None` before the first look.
    from: Option<EventId>,
    told: BTreeSet<(EventId, SecretId)>,
    /// The event that an earlier watcher was told of last. Which templates refer to its secret is told again.
    resumed: Option<EventId>,
    began: bool,
    /// It said where to go on, and that was no event's id.
    lost: bool,
}

/// A secret that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretChange {
    /// The event: where to go on.
    pub event: EventId,
    /// What was done: an action's name; `secret.referred` where it was done to what this secret refers to.
    pub action: String,
    /// The secret.
    pub id: SecretId,
    /// Where it lives.
    pub path: SecretPath,
    /// The version that `current` points at now.
    pub version: Option<i64>,
    /// Whether it is deleted now.
    pub deleted: bool,
}

/// What a look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// Each secret that changed, by its latest change, in their order; perhaps none.
    Changes(Vec<SecretChange>),
    /// Changes may have been missed: list the secrets anew, then go on.
    Resync,
}

impl SecretWatch {
    /// Watches an environment, or one folder of it, from now on; or from where an earlier watcher was told last.
    pub fn new(place: Place, folder: Option<&SecretPath>, last: Option<&str>) -> Self {
        let from = last.and_then(|text| text.parse().ok());
        Self {
            place,
            folder: folder.map(|folder| format!("{}/", folder.folded())),
            lost: last.is_some() && from.is_none(),
            from,
            told: BTreeSet::new(),
            resumed: None,
            began: false,
        }
    }

    /// Where this look begins.
    fn after(&self, now: DateTime<Utc>) -> EventId {
        let latest = earlier(now, OVERLAP);
        let at = match self.from {
            Some(last) if !self.began => earlier(last.made_at(), OVERLAP).min(latest),
            _ => latest,
        };
        EventId::from_parts(at, 0)
    }

    /// What was not told yet, and is in the folder.
    fn news(&mut self, found: Vec<ChangeRow>, after: EventId) -> Vec<ChangeRow> {
        // What is too old to be found again need not be remembered.
        self.told = self.told.split_off(&(after, SecretId::NIL));
        found
            .into_iter()
            .filter(|row| self.resumed != Some(row.id) || row.action == rows::REFERRED)
            .filter(|row| self.told.insert((row.id, row.secret_id)))
            .filter(|row| self.folder.as_ref().is_none_or(|folder| row.folded_path.starts_with(folder)))
            .collect()
    }
}

impl Domain {
    /// What changed since the last look. Asked for anew each time: a watcher that may no longer see the secrets finds
    /// nothing there.
    pub async fn look_at_secrets(&self, op: &Op, watch: &mut SecretWatch) -> Result<Look, Refused> {
        let place = self.place(&watch.place).await?;
        if !self.reach(op, Action::ViewSecret).await?.covers(place.project_id) {
            return Err(Refused::NotFound);
        }
        let mut conn = self.store().read().await?;
        if !watch.began
            && let Some(last) = watch.from
        {
            let known = op.now - last.made_at() < BACK && rows::event_is_there(&mut conn, last).await?;
            watch.lost |= !known;
            watch.resumed = Some(last);
        }
        let resumes = !watch.began && watch.from.is_some() && !watch.lost;
        if !resumes && !watch.began {
            watch.from = None;
        }
        let after = watch.after(op.now);
        let mut found = rows::changes_after(&mut conn, place.environment_id, after, MOST + 1).await?;
        found.extend(rows::referred_after(&mut conn, place.environment_id, after, MOST + 1).await?);
        drop(conn);
        let missed = found.len() > MOST as usize;
        // What was done itself comes before what follows from it.
        found.sort_by_key(|row| row.id);
        let news = watch.news(found, after);
        let first = !std::mem::replace(&mut watch.began, true);
        if missed || std::mem::take(&mut watch.lost) {
            return Ok(Look::Resync);
        }
        if first && !resumes {
            return Ok(Look::Changes(Vec::new()));
        }
        Ok(Look::Changes(latest_of_each(news)?))
    }
}

fn latest_of_each(news: Vec<ChangeRow>) -> Result<Vec<SecretChange>, Fault> {
    let mut seen = BTreeSet::new();
    let mut changes = Vec::new();
    for row in news.into_iter().rev().filter(|row| seen.insert(row.secret_id.to_string())) {
        changes.push(SecretChange {
            event: row.id,
            action: row.action,
            id: row.secret_id,
            path: row.path.parse().map_err(damaged)?,
            version: row.current.filter(|_| row.deleted_at.is_none()),
            deleted: row.deleted_at.is_some(),
        });
    }
    changes.reverse();
    Ok(changes)
}
