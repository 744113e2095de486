//! Which backups hold the value of a version, destroyed here or about to be.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::{from_micros, micros};
use keywarden_store::backups;

use super::schedule::{KNOWN, Schedule};
use crate::secrets::{Secret, Version};
use crate::{Action, Domain, Op, Refused};

/// What the records know of backups that hold a value. Copies that were made in other ways are in no record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holding {
    /// So many of those that are made by themselves, of which the oldest are deleted.
    pub scheduled: usize,
    /// When the last of these is deleted, if backups go on as they are set up; `None`: there is none, or no further one is
    /// made, so that none is deleted.
    pub until: Option<DateTime<Utc>>,
    /// So many were written to other places: nobody here knows for how long they are kept there.
    pub elsewhere: usize,
}

impl Domain {
    /// The backups that hold the value of a version of a secret that the caller may see. Says when and how many, not where.
    pub async fn backups_holding(
        &self,
        op: &Op,
        secret: &Secret,
        version: &Version,
    ) -> Result<Holding, Refused> {
        self.backups_between(op, secret, version.created_at, version.destroyed_at).await
    }

    /// The same of all values of a secret: those that were made since it is there.
    pub async fn backups_holding_any(&self, op: &Op, secret: &Secret) -> Result<Holding, Refused> {
        self.backups_between(op, secret, secret.created_at, None).await
    }

    async fn backups_between(
        &self,
        op: &Op,
        secret: &Secret,
        came_at: DateTime<Utc>,
        destroyed_at: Option<DateTime<Utc>>,
    ) -> Result<Holding, Refused> {
        let _permit = self.authorize(op, Action::ViewSecret, &secret.resource()).await?;
        let mut conn = self.store().read().await?;
        let rows = backups::since(&mut conn, micros(came_at), KNOWN).await?;
        let nobody = backups::recipients(&mut conn).await?.is_empty();
        drop(conn);
        let made = rows.iter().map(|row| (from_micros(row.made_at), Path::new(&row.file)));
        let schedule = self.settings().backups.as_ref();
        let found = Holding::of(schedule, made, destroyed_at);
        let until = found.until.filter(|_| !nobody).map(|until| until.max(op.now));
        Ok(Holding { until, ..found })
    }
}

impl Holding {
    /// Of the backups since the value came, the last one first.
    fn of<'a>(
        schedule: Option<&Schedule>,
        made: impl Iterator<Item = (DateTime<Utc>, &'a Path)> + Clone,
        destroyed_at: Option<DateTime<Utc>>,
    ) -> Self {
        let holds = |at: DateTime<Utc>| destroyed_at.is_none_or(|destroyed| at <= destroyed);
        let is_kept = |file: &Path| schedule.is_some_and(|it| it.keeps(file));
        let elsewhere = made.clone().filter(|(at, file)| holds(*at) && !is_kept(file)).count();
        let none = Self { elsewhere, ..Self::default() };
        let Some(schedule) = schedule else { return none };
        let keep = schedule.keep.max(1);
        let kept = made.clone().filter(|(_, file)| is_kept(file)).take(keep);
        let newer = kept.clone().filter(|(at, _)| !holds(*at)).count();
        let scheduled = kept.filter(|(at, _)| holds(*at)).count();
        let Some((last, _)) = made.clone().next().filter(|_| scheduled > 0) else { return none };
        // The newest that holds it goes when as many are newer as are kept; the next one is due after the last of all.
        let further = i32::try_from(keep.saturating_sub(newer)).unwrap_or(i32::MAX);
        let every = TimeDelta::from_std(schedule.every).ok();
        let until = every.and_then(|every| last.checked_add_signed(every.checked_mul(further)?));
        Self { scheduled, until, elsewhere }
    }
}
