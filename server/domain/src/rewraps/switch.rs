//! Pausing a rewrap, and resuming it. Nothing is lost meanwhile: both keys are there, and everything reads.

use keywarden_model::RewrapId;
use keywarden_store::{Written, rewraps as rows};

use super::{Rewrap, State};
use crate::audit::Fact;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused};

/// Why nothing was switched.
#[derive(Debug, thiserror::Error)]
pub enum SwitchRewrapError {
    /// It is not in the state that this takes.
    #[error("this rewrap is {}: nothing was changed", .0.name())]
    Is(State),
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(SwitchRewrapError);

impl Domain {
    /// Lets a rewrap rest after the batch that it is at.
    pub async fn pause_rewrap(&self, op: &Op, id: RewrapId) -> Result<(), SwitchRewrapError> {
        self.switch_rewrap(op, id, (State::Running, State::Paused), "rewrap.pause").await
    }

    /// Lets a rewrap go on.
    pub async fn resume_rewrap(&self, op: &Op, id: RewrapId) -> Result<(), SwitchRewrapError> {
        self.switch_rewrap(op, id, (State::Paused, State::Running), "rewrap.resume").await
    }

    async fn switch_rewrap(
        &self,
        op: &Op,
        id: RewrapId,
        (from, to): (State, State),
        told: &'static str,
    ) -> Result<(), SwitchRewrapError> {
        let rewrap = self.find_rewrap(op, id).await?;
        let action = match rewrap.project {
            Some(_) => Action::RotateProjectKey,
            None => Action::ManageSeals,
        };
        self.change(op, action, &rewrap.resource(), &[], move |tx, record| {
            let project = rewrap.project;
            Box::pin(async move {
                if !rows::switch(tx, id, from.name(), to.name()).await? {
                    let now = rows::find(tx, id).await?.ok_or(Refused::NotFound)?;
                    return Err(SwitchRewrapError::Is(Rewrap::from_row(now)?.state));
                }
                let (from, to) = (Fact::word(from.name()), Fact::word(to.name()));
                let event = record.event(told, "rewrap", id).project(project).change("state", from, to);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}
