//! Whether what decides may be changed by one person.

use keywarden_store::{Conn, Written, policies as rows};

use super::is_person;
use crate::audit::Fact;
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// The rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReviewRule {
    /// A second person is needed, and one owner has said that it should not be so.
    Ending,
    /// One person is enough.
    Off,
    /// A second person is needed.
    On,
}

/// Why the rule stays.
#[derive(Debug, thiserror::Error)]
pub enum RequireReviewError {
    /// Whoever asked for it cannot be the second person.
    #[error("you have said so already: another owner has to agree")]
    AnotherOwner,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It is so already.
    #[error("it is so already")]
    Same,
}
carries_refused!(RequireReviewError);

impl ReviewRule {
    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ending => "ending",
            Self::Off => "off",
            Self::On => "on",
        }
    }

    /// Whether one person is not enough.
    pub const fn needs_second_person(self) -> bool {
        matches!(self, Self::Ending | Self::On)
    }

    pub(crate) async fn read(conn: &mut Conn) -> Result<Self, Fault> {
        Self::of(&rows::set(conn).await?)
    }

    fn of(set: &rows::Set) -> Result<Self, Fault> {
        let found = [Self::Ending, Self::Off, Self::On].into_iter().find(|it| it.as_str() == set.review);
        found.ok_or_else(|| Fault::Damaged("policy_set: review".into()))
    }
}

impl Domain {
    /// Whether policies need a second person.
    pub async fn policy_review(&self, op: &Op) -> Result<ReviewRule, Refused> {
        let _permit = self.authorize(op, Action::ViewPolicy, &Resource::Organization).await?;
        Ok(ReviewRule::read(&mut self.store().read().await?).await?)
    }

    /// Lets policies need a second person, at once; or no more, once two owners have said so.
    pub async fn require_policy_review(&self, op: &Op, wanted: bool) -> Result<(), RequireReviewError> {
        let (by, person) = (op.actor.id(), op.actor.person().is_some());
        self.change(op, Action::RequireReview, &Resource::Organization, &[], move |tx, record| {
            let by = by.clone();
            Box::pin(async move {
                let set = rows::set(tx).await?;
                let before = ReviewRule::of(&set)?;
                // The word of a machine is nobody's: it may be in the hand of whoever comes second.
                let first = set.asked_by.as_ref().filter(|first| is_person(first));
                let second = person && first.is_some_and(|first| *first != by);
                let takes_over = person && first.is_none();
                let (after, asked_by) = match (before, wanted) {
                    (ReviewRule::On, true) | (ReviewRule::Off, false) => {
                        return Err(RequireReviewError::Same);
                    }
                    (ReviewRule::Off | ReviewRule::Ending, true) => (ReviewRule::On, None),
                    (ReviewRule::On, false) => (ReviewRule::Ending, Some(by.as_str())),
                    (ReviewRule::Ending, false) if second => (ReviewRule::Off, None),
                    (ReviewRule::Ending, false) if takes_over => (ReviewRule::Ending, Some(by.as_str())),
                    (ReviewRule::Ending, false) => return Err(RequireReviewError::AnotherOwner),
                };
                rows::set_review(tx, &set, after.as_str(), asked_by).await?;
                let event = record
                    .event("policy.require-review", "organization", "organization")
                    .change("review", Fact::word(before.as_str()), Fact::word(after.as_str()))
                    .finish()?;
                Ok(Written::new((), event))
            })
        })
        .await
    }
}
