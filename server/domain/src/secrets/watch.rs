//! Watching an environment's secrets: what changed since the last look, by the record, and what time made of them. No value is
//! read.
//!
//! A template that refers to a secret that changed, in whatever environment, is told of as well, by the same event.
//!
//! Events are found by their ids, which sort by the instant of their operation and not by that of their commit. A look
//! therefore goes back further than the last one, and what was told before is left out; whoever resumes may be told of a
//! change twice, and never misses one.
//!
//! A version's time begins and ends without an event. Its instants are its own and never change, so that each look tells of
//! those between the last look's instant and its own: whichever node looks finds the same, and a clock that was set forward
//! leaves none out. A version that is put when its time is over already is told of by its event.
//!
//! What is new in an environment is the same for all who watch it: [`Recent`] is read once for as many as there are. Whether a
//! watcher may hear of it is asked for each.

mod mark;
mod recent;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::{earlier, from_micros};
use keywarden_model::{EventId, ProjectId, SecretId, SecretPath, TypedId};
use keywarden_store::secrets::{self as rows, ChangeRow, TurnRow};

pub use mark::{Mark, MarkError};
pub use recent::Recent;

use super::secret::damaged;
use crate::keys::Place;
use crate::{Action, Domain, Fault, Op, Refused};

/// How long an operation may take from its instant to its commit: longer than any request is allowed.
const OVERLAP: TimeDelta = TimeDelta::seconds(90);
/// What lies between one instant and the next.
const INSTANT: TimeDelta = TimeDelta::microseconds(1);
/// How far back a watcher may resume.
const BACK: TimeDelta = TimeDelta::hours(24);
/// More changes than this at once are not told one by one.
const MOST: u32 = 2_000;
/// How long it takes until it is said again that changes may have been missed: whoever hears that lists all secrets.
const PAUSE: TimeDelta = TimeDelta::seconds(5);

/// A watcher, and what it was told.
#[derive(Debug)]
pub struct SecretWatch {
    place: Place,
    /// Whose secrets it watches; known from the first look on.
    project: Option<ProjectId>,
    folder: Option<String>,
    /// Where it goes on; `None` before the first look, and after it if it began anew.
    from: Option<Mark>,
    told: BTreeSet<(EventId, SecretId)>,
    /// The event that an earlier watcher was told of last. Which templates refer to its secret is told again.
    resumed: Option<EventId>,
    /// The newest event that it knows of: who resumes from an instant names it, too.
    anchor: EventId,
    /// Until when time was told of; `None` before the first look.
    until: Option<DateTime<Utc>>,
    /// It said where to go on, and that was no mark; or it is still to hear that it missed something.
    lost: bool,
    /// When it heard that last.
    resynced: Option<DateTime<Utc>>,
}

/// A secret that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretChange {
    /// Where to go on after it.
    pub mark: Mark,
    /// What was done: an action's name. `secret.referred` where it was done to what this secret refers to, or time did it;
    /// `secret.valid` and `secret.expired` where the time of a version began or ended.
    pub action: String,
    /// The secret.
    pub id: SecretId,
    /// Where it lives.
    pub path: SecretPath,
    /// The version that `current` points at now.
    pub version: Option<i64>,
    /// The version whose time began or ended.
    pub turned: Option<i64>,
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

/// What is told, and what it is put in order by.
#[derive(Debug)]
enum News {
    Change(ChangeRow),
    Turn(TurnRow),
}

impl News {
    /// An event's id says its instant to the millisecond. Time is told of behind what was done in the same one.
    fn order(&self) -> (DateTime<Utc>, bool) {
        match self {
            Self::Change(row) => (row.id.made_at(), false),
            Self::Turn(row) => (from_micros(row.at), true),
        }
    }
}

impl SecretWatch {
    /// Watches an environment, or one folder of it, from now on; or from where an earlier watcher was told last.
    pub fn new(place: Place, folder: Option<&SecretPath>, last: Option<&str>) -> Self {
        let from = last.and_then(|text| text.parse().ok());
        Self {
            place,
            project: None,
            folder: folder.map(|folder| format!("{}/", folder.folded())),
            lost: last.is_some() && from.is_none(),
            from,
            told: BTreeSet::new(),
            resumed: None,
            anchor: EventId::NIL,
            until: None,
            resynced: None,
        }
    }

    /// The project whose secrets it watches; none before the first look that was allowed.
    pub fn project(&self) -> Option<ProjectId> {
        self.project
    }

    /// Where this look begins among the events: further back than any operation takes that was not told of yet.
    fn after(&self, now: DateTime<Utc>) -> EventId {
        let from = match &self.from {
            Some(mark) if self.until.is_none() => mark.at().min(now),
            _ => self.until.map_or(now, |until| until.min(now)),
        };
        EventId::from_parts(earlier(from, OVERLAP), 0)
    }

    /// Until when time was told of before this look. Another node's clock may be ahead of this one's: what it told of is told
    /// again when it is so here.
    fn told_until(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let told = match (self.until, &self.from) {
            (Some(until), _) => until,
            // More than one time may have ended at that very instant.
            (None, Some(mark)) => {
                mark.until.map_or_else(|| earlier(mark.at(), OVERLAP), |at| earlier(at, INSTANT))
            }
            (None, None) => now,
        };
        told.min(now)
    }

    /// What of this was not told yet, and is in the folder. Who begins anew is told of nothing that was so before.
    fn hear(
        &mut self,
        recent: &Recent,
        (after, told_until): (EventId, DateTime<Utc>),
        begins: bool,
    ) -> Result<Look, Fault> {
        let (changes, turns) = (recent.changes_after(after), recent.turns_after(told_until));
        let missed = recent.is_cut() || changes.len().saturating_add(turns.len()) > MOST as usize;
        let news = self.news(changes, turns, after);
        if missed || self.lost {
            let lately = |at: DateTime<Utc>| (recent.now() - at).abs() < PAUSE;
            self.lost = self.resynced.is_some_and(lately);
            if self.lost {
                return Ok(Look::Changes(Vec::new()));
            }
            self.resynced = Some(recent.now());
            return Ok(Look::Resync);
        }
        if begins {
            return Ok(Look::Changes(Vec::new()));
        }
        Ok(Look::Changes(self.latest_of_each(news)?))
    }

    fn news(&mut self, changes: &[ChangeRow], turns: &[TurnRow], after: EventId) -> Vec<News> {
        // What is too old to be found again need not be remembered.
        self.told = self.told.split_off(&(after, SecretId::NIL));
        let folder = self.folder.as_deref();
        let within = |path: &str| folder.is_none_or(|folder| path.starts_with(folder));
        let changed = changes
            .iter()
            .filter(|row| self.resumed != Some(row.id) || row.action == rows::REFERRED)
            .filter(|row| self.told.insert((row.id, row.secret_id)))
            .filter(|row| within(&row.folded_path))
            .map(|row| News::Change(row.clone()));
        let turned = turns.iter().filter(|row| within(&row.folded_path)).map(|row| News::Turn(row.clone()));
        let mut news: Vec<_> = changed.chain(turned).collect();
        // What was done itself comes before what follows from it.
        news.sort_by_key(News::order);
        news
    }

    /// What is told of each secret: the latest.
    fn latest_of_each(&mut self, news: Vec<News>) -> Result<Vec<SecretChange>, Fault> {
        let mut seen = BTreeSet::new();
        let mut changes = Vec::new();
        for news in news {
            let change = match news {
                News::Change(row) => {
                    self.anchor = self.anchor.max(row.id);
                    SecretChange {
                        mark: Mark { event: row.id, until: None },
                        action: row.action,
                        id: row.secret_id,
                        path: row.path.parse().map_err(damaged)?,
                        version: row.current.filter(|_| row.deleted_at.is_none()),
                        turned: None,
                        deleted: row.deleted_at.is_some(),
                    }
                }
                News::Turn(row) => SecretChange {
                    mark: Mark { event: self.anchor, until: Some(from_micros(row.at)) },
                    action: row.action,
                    id: row.secret_id,
                    path: row.path.parse().map_err(damaged)?,
                    version: row.current,
                    turned: row.turned,
                    deleted: false,
                },
            };
            changes.push(change);
        }
        changes.reverse();
        changes.retain(|change| seen.insert(change.id));
        changes.reverse();
        Ok(changes)
    }
}

impl Domain {
    /// What changed since the last look. Asked for anew each time: a watcher that may no longer see the secrets finds
    /// nothing there.
    pub async fn look_at_secrets(&self, op: &Op, watch: &mut SecretWatch) -> Result<Look, Refused> {
        let place = self.place(&watch.place).await?;
        self.may_watch(op, place.project_id).await?;
        watch.project = Some(place.project_id);
        let mut conn = self.store().read().await?;
        let first = watch.until.is_none();
        if first {
            if let Some(mark) = &watch.from {
                let known = op.now - mark.at() < BACK && rows::event_is_there(&mut conn, mark.event).await?;
                watch.lost |= !known;
                // An instant is no change: whatever was done then is told again.
                watch.resumed = Some(mark.event).filter(|_| mark.until.is_none());
            }
            if watch.lost {
                watch.from = None;
            }
            watch.anchor = rows::newest_event(&mut conn).await?.unwrap_or(EventId::NIL);
        }
        let begins = first && watch.from.is_none();
        let since = (watch.after(op.now), watch.told_until(op.now));
        let recent = Recent::read(&mut conn, &place, since, op.now).await?;
        drop(conn);
        watch.until = Some(op.now);
        Ok(watch.hear(&recent, since, begins)?)
    }

    /// The same, by what was read for all who watch there. Asked for anew each time, too. A first look, and one after a clock
    /// jumped or a watcher stood still, reads for itself.
    pub async fn hear_of_secrets(
        &self,
        op: &Op,
        watch: &mut SecretWatch,
        recent: &Recent,
    ) -> Result<Look, Refused> {
        let Some(until) = watch.until.filter(|until| recent.suffices(*until)) else {
            return self.look_at_secrets(op, watch).await;
        };
        self.may_watch(op, recent.project()).await?;
        let since = (watch.after(until), until);
        watch.until = Some(until.max(recent.now()));
        Ok(watch.hear(recent, since, false)?)
    }

    async fn may_watch(&self, op: &Op, project: ProjectId) -> Result<(), Refused> {
        if self.reach(op, Action::ViewSecret).await?.covers(project) {
            Ok(())
        } else {
            Err(Refused::NotFound)
        }
    }
}
