//! Going back: all of it in one transaction.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keywarden_model::{SecretId, SecretLabel, SecretPath, VersionState};
use keywarden_store::secrets as rows;
use keywarden_store::{EventRow, Tx, Written};
use keywarden_vault::SecretString;

use super::{AsOf, AsOfError, MOST_AS_OF, Stand, WasLine, Way};
use crate::audit::Fact;
use crate::change::Records;
use crate::keys::Place;
use crate::once::{Repeatable, words};
use crate::refused::carries_refused;
use crate::secrets::delete::over;
use crate::secrets::labels::point;
use crate::secrets::secret::{Claimed, claim, current};
use crate::{Action, Domain, Op, Refused, Resource};

/// How often it begins anew because something came or went under it.
const TRIES: u32 = 4;

/// What is to be as it was.
#[derive(Debug, Clone)]
pub struct Return {
    /// This folder and those below it; `None`: all of the environment.
    pub folder: Option<SecretPath>,
    /// As it was then.
    pub at: DateTime<Utc>,
    /// What becomes of secrets that were not there then.
    pub later: Later,
    /// [`AsOf::mark`] of what was seen: if anything else is so, nothing is done.
    pub seen: Option<String>,
}

/// What becomes of secrets that were not there then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Later {
    /// They are deleted, and can be restored.
    Delete,
    /// They stay.
    #[default]
    Leave,
}

impl Later {
    /// Both, alphabetical.
    pub const ALL: [Self; 2] = [Self::Delete, Self::Leave];

    /// The word in requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Leave => "leave",
        }
    }
}

/// No such choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use `leave` or `delete`")]
pub struct LaterError;

impl std::str::FromStr for Later {
    type Err = LaterError;
    fn from_str(text: &str) -> Result<Self, LaterError> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or(LaterError)
    }
}

/// What was done, in numbers of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returned {
    /// Of these `current` moved.
    pub moved: u32,
    /// These were deleted and are restored.
    pub restored: u32,
    /// These were made later and are deleted.
    pub deleted: u32,
}

impl Repeatable for Returned {
    fn thing(&self) -> String {
        format!("{} {} {}", self.moved, self.restored, self.deleted)
    }
    fn again(thing: &str, _: Option<SecretString>) -> Option<Self> {
        let [moved, restored, deleted] = words(thing)?.map(|word| word.parse().ok());
        Some(Self { moved: moved?, restored: restored?, deleted: deleted? })
    }
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum ReturnError {
    /// Something else is so than was seen.
    #[error("the folder changed since it was looked at: look again, then decide")]
    Changed,
    /// That has not been yet.
    #[error("choose an instant that is past")]
    Future,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Too much at once.
    #[error("this is too much at once: choose one of the folders in it, of at most {MOST_AS_OF} secrets")]
    TooMuch,
}
carries_refused!(ReturnError);

impl From<AsOfError> for ReturnError {
    fn from(error: AsOfError) -> Self {
        match error {
            AsOfError::Future => Self::Future,
            AsOfError::Refused(refused) => Self::Refused(refused),
            AsOfError::TooMuch => Self::TooMuch,
        }
    }
}

/// What one attempt came to.
enum Outcome {
    /// What is there is not what was planned for.
    Anew,
    Failed(ReturnError),
}

impl From<Refused> for Outcome {
    fn from(refused: Refused) -> Self {
        Self::Failed(refused.into())
    }
}
carries_refused!(Outcome);

impl Domain {
    /// Lets a folder be as it was at an instant: all that can be, or nothing. Where all of it is so already nothing is
    /// written.
    pub async fn return_secrets(
        &self,
        op: &Op,
        place: &Place,
        asked: &Return,
    ) -> Result<Returned, ReturnError> {
        for _ in 0..TRIES {
            let plan = self.secrets_as_of(op, place, asked.folder.as_ref(), asked.at).await?;
            // Who asks again finds what they did themselves: their answer comes first.
            if let Some(before) = self.answered(op).await? {
                return Ok(before);
            }
            if asked.seen.as_ref().is_some_and(|seen| *seen != plan.mark()) {
                return Err(ReturnError::Changed);
            }
            let later = asked.later;
            if plan.steps(later).next().is_none() {
                let _may = self.authorize(op, Action::ReturnSecrets, &plan.whole()).await?;
                return Ok(Returned { moved: 0, restored: 0, deleted: 0 });
            }
            let questions = plan.questions(later);
            let plan = Arc::new(plan);
            let done = self
                .change_together(op, &questions, move |tx, records| {
                    let plan = Arc::clone(&plan);
                    Box::pin(async move { plan.perform(tx, &records, later).await })
                })
                .await;
            match done {
                Ok(done) => return Ok(done),
                Err(Outcome::Anew) => {}
                Err(Outcome::Failed(error)) => return Err(error),
            }
        }
        Err(ReturnError::Changed)
    }
}

impl AsOf {
    /// The secrets with which something is done. Along their paths: rows are taken in the same order by everybody.
    fn steps(&self, later: Later) -> impl Iterator<Item = &WasLine> {
        self.lines.iter().filter(move |it| match it.way {
            Way::Back { .. } => true,
            Way::Later => later == Later::Delete,
            Way::Lost(_) | Way::Stays => false,
        })
    }

    /// Every question that has to be asked before it is done.
    fn questions(&self, later: Later) -> Vec<(Action, Resource)> {
        let mut questions = vec![(Action::ReturnSecrets, self.whole())];
        for it in self.steps(later) {
            let resource = self.resource(it.id);
            match it.way {
                Way::Back { restore, to } => {
                    questions.extend(restore.then_some((Action::RestoreSecret, resource)));
                    questions.extend(to.map(|_| (Action::LabelSecret, resource)));
                }
                Way::Later => questions.push((Action::DeleteSecret, resource)),
                Way::Lost(_) | Way::Stays => {}
            }
        }
        questions
    }

    async fn perform(
        &self,
        tx: &mut Tx,
        records: &Records,
        later: Later,
    ) -> Result<Written<Returned>, Outcome> {
        let mut done = Returned { moved: 0, restored: 0, deleted: 0 };
        let mut events = Vec::new();
        for line in self.steps(later) {
            let it = match claim(tx, &self.resource(line.id)).await {
                Ok(it) => it,
                // Purged between the look and the write.
                Err(Refused::NotFound) => return Err(Outcome::Anew),
                Err(refused) => return Err(refused.into()),
            };
            let stand = match it.secret.deletion {
                Some(_) => Stand::Deleted,
                None => Stand::There(current(&it.labels)),
            };
            if stand != line.now || current(&it.labels) != line.current {
                return Err(Outcome::Anew);
            }
            match line.way {
                Way::Back { restore, to } => {
                    done.restored = done.restored.saturating_add(restore.into());
                    done.moved = done.moved.saturating_add(to.is_some().into());
                    events.push(self.back(tx, records, &it, restore, to).await?);
                }
                Way::Later => {
                    done.deleted = done.deleted.saturating_add(1);
                    events.push(self.delete(tx, records, &it).await?);
                }
                Way::Lost(_) | Way::Stays => {}
            }
        }
        let whole = records
            .of(Action::ReturnSecrets)?
            .event(Action::ReturnSecrets.name(), "environment", self.environment)
            .project(self.project)
            .fact("as_of", self.at)
            .fact("moved", done.moved)
            .fact("restored", done.restored)
            .fact("deleted", done.deleted)
            .text("folder", &self.folder);
        Ok(Written::new(done, whole.finish()?).and_all(events))
    }

    /// Restores a claimed secret, or moves its `current`, or both: one event tells it.
    async fn back(
        &self,
        tx: &mut Tx,
        records: &Records,
        it: &Claimed,
        restore: bool,
        to: Option<i64>,
    ) -> Result<EventRow, Outcome> {
        let action = if restore { Action::RestoreSecret } else { Action::LabelSecret };
        let record = records.of(action)?;
        let (id, now) = (it.secret.id, record.now());
        let mut event = record.event(action.name(), "secret", id).project(it.secret.project);
        event = event.fact("as_of", self.at);
        if let Some(deletion) = it.secret.deletion.filter(|_| restore) {
            // Over is over, whether the job has come by or not.
            if deletion.purge_at <= now {
                return Err(Outcome::Anew);
            }
            rows::restore(tx, id, now).await?;
            event = event.change("deleted_at", deletion.at, Fact::none());
        }
        if let Some(number) = to {
            let before = current(&it.labels);
            if !is_enabled(tx, it.secret.id, number).await? {
                return Err(Outcome::Anew);
            }
            let label = SecretLabel::current();
            point(tx, record, id, &it.labels, &label, number).await?;
            rows::promoted(tx, id, number, now).await?;
            event = if restore {
                event.change("current", before, number)
            } else {
                event.fact("label", &label).change("version", before, number)
            };
        }
        Ok(event.finish()?)
    }

    async fn delete(&self, tx: &mut Tx, records: &Records, it: &Claimed) -> Result<EventRow, Outcome> {
        let record = records.of(Action::DeleteSecret)?;
        let now = record.now();
        let purge_at = over(now, it.secret.recovery_days)?;
        rows::delete(tx, it.secret.id, now, purge_at).await?;
        let event = record
            .event(Action::DeleteSecret.name(), "secret", it.secret.id)
            .project(it.secret.project)
            .fact("as_of", self.at)
            .change("deleted_at", Fact::none(), now)
            .fact("purge_at", purge_at);
        Ok(event.finish()?)
    }
}

/// Whether `current` may point at a version: it was so when the return was planned.
async fn is_enabled(tx: &mut Tx, id: SecretId, number: i64) -> Result<bool, Refused> {
    let row = rows::version(tx, id, number).await?;
    Ok(row.is_some_and(|row| row.state == VersionState::Enabled.as_str()))
}
