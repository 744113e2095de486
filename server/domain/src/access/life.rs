//! The life of a request, without a store: what it is, what is done to it, what it becomes.
//!
//! **Invariants:** a request has one outcome. Whoever asked, whoever it is for, and whoever made the token that asked approve
//! nothing of it, and nobody counts twice, by however many passkeys. A signature counts for the revision and the rule that it was
//! made for, and no others. A role ends at a whole second, and is not held in that second any more.

use std::collections::BTreeSet;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use keywarden_model::time::later;
use keywarden_model::{AccessState, GrantEnd, PasskeyStrength};

use super::rule::{Rule, RuleAt};

/// A request as its rules see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Life {
    /// Where it is.
    pub(super) state: AccessState,
    /// What is asked for, in its how manieth wording.
    pub(super) revision: i64,
    /// Who asked: an actor's id.
    pub(super) asker: String,
    /// For whom.
    pub(super) holder: String,
    /// Who made the token that asked.
    pub(super) behind: Option<String>,
    /// For how long.
    pub(super) lasts: TimeDelta,
    /// From when on nobody can answer it any more.
    pub(super) expires_at: DateTime<Utc>,
    /// When the role ends, once it is held.
    pub(super) ends_at: Option<DateTime<Utc>>,
}

/// A signature that is there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signed {
    /// Whose.
    pub(super) who: String,
    /// Of which revision.
    pub(super) revision: i64,
    /// Under which rule.
    pub(super) rule: RuleAt,
    /// Whether they still may approve: asked anew with each signature.
    pub(super) still: bool,
}

/// Who signs now, and under what.
#[derive(Debug, Clone)]
pub(super) struct Facts<'a> {
    /// Who signs: a person's id.
    pub(super) approver: &'a str,
    /// Their teams.
    pub(super) teams: &'a [String],
    /// From when on their passkey may approve.
    pub(super) passkey_from: DateTime<Utc>,
    /// Whether that passkey leaves its device.
    pub(super) synced: bool,
    /// The rule that holds.
    pub(super) rule: &'a Rule,
    /// Which one that is.
    pub(super) rule_at: &'a RuleAt,
    /// What was signed before.
    pub(super) signed: &'a [Signed],
}

/// What a signature came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approved {
    /// It was the last one needed: the role is held.
    Granted {
        /// From this instant.
        starts_at: DateTime<Utc>,
        /// To this one.
        ends_at: DateTime<Utc>,
    },
    /// Others have to sign, too.
    Waits {
        /// So many have signed.
        have: u32,
        /// So many it takes.
        need: u32,
    },
}

/// Why nothing was done to a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LifeError {
    /// The same person signed already.
    #[error("you have signed this already: somebody else has to")]
    AlreadySigned,
    /// Nobody answered in time.
    #[error("nobody answered this in time: it has to be asked for anew")]
    Expired,
    /// The role is held no longer.
    #[error("this role is held no longer")]
    NotActive,
    /// Only whoever asked can do that.
    #[error("only whoever asked can do this")]
    NotAsker,
    /// The rule names others.
    #[error("the rule about approval names others: ask one of them")]
    NotNamed,
    /// It was answered already.
    #[error("this was answered already: it is {0}")]
    NotPending(AccessState),
    /// Whoever asked, is asked for, or made the token that asked.
    #[error("you asked for this, or it is for you: somebody else has to approve it")]
    OwnRequest,
    /// The rule asks for a passkey that does not leave its device.
    #[error("the rule asks for a passkey that does not leave its device: sign with a security key")]
    PasskeySynced,
    /// The passkey was added less than a day ago.
    #[error("this passkey was added less than 24 hours ago: it may approve from {0} on")]
    PasskeyTooNew(DateTime<Utc>),
    /// The rule lets roles be held for less.
    #[error("the rule lets roles be held for {} minutes at most: it has to be asked for anew, for less", .0.num_minutes())]
    TooLong(TimeDelta),
}

impl Life {
    /// Whether this person has a part in it, other than to answer.
    pub(super) fn concerns(&self, person: &str) -> bool {
        self.asker == person || self.holder == person || self.behind.as_deref() == Some(person)
    }

    fn pending(&self, now: DateTime<Utc>) -> Result<(), LifeError> {
        match self.state {
            AccessState::Pending if now < self.expires_at => Ok(()),
            AccessState::Pending => Err(LifeError::Expired),
            other => Err(LifeError::NotPending(other)),
        }
    }

    /// Those whose signatures count: distinct persons, none of them with a part in it.
    pub(super) fn counting<'s>(&self, signed: &'s [Signed], at: &RuleAt) -> BTreeSet<&'s str> {
        let counts = |it: &&Signed| {
            it.still && it.revision == self.revision && it.rule == *at && !self.concerns(&it.who)
        };
        signed.iter().filter(counts).map(|it| it.who.as_str()).collect()
    }

    /// Somebody signs.
    pub(super) fn approve(
        mut self,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> Result<(Self, Approved), LifeError> {
        self.pending(now)?;
        if self.concerns(facts.approver) {
            return Err(LifeError::OwnRequest);
        }
        if !facts.rule.names(facts.approver, facts.teams) {
            return Err(LifeError::NotNamed);
        }
        // What counts no more, for its rule or its passkey is gone, gives way to another signature of the same person's.
        if self.counting(facts.signed, facts.rule_at).contains(facts.approver) {
            return Err(LifeError::AlreadySigned);
        }
        if facts.synced && facts.rule.strength == PasskeyStrength::DeviceBound {
            return Err(LifeError::PasskeySynced);
        }
        if now < facts.passkey_from {
            return Err(LifeError::PasskeyTooNew(facts.passkey_from));
        }
        if self.lasts > facts.rule.longest() {
            return Err(LifeError::TooLong(facts.rule.longest()));
        }
        let mut persons = self.counting(facts.signed, facts.rule_at);
        persons.insert(facts.approver);
        let have = u32::try_from(persons.len()).unwrap_or(u32::MAX);
        let need = facts.rule.approvers;
        if have < need {
            return Ok((self, Approved::Waits { have, need }));
        }
        let ends_at = whole_second(later(now, self.lasts));
        self.state = AccessState::Active;
        self.ends_at = Some(ends_at);
        Ok((self, Approved::Granted { starts_at: now, ends_at }))
    }

    /// Somebody who may approve says no.
    pub(super) fn deny(mut self, now: DateTime<Utc>) -> Result<Self, LifeError> {
        self.pending(now)?;
        self.state = AccessState::Denied;
        Ok(self)
    }

    /// Whoever asked takes it back.
    pub(super) fn withdraw(mut self, who: &str, now: DateTime<Utc>) -> Result<Self, LifeError> {
        self.pending(now)?;
        if self.asker != who && self.holder != who {
            return Err(LifeError::NotAsker);
        }
        self.state = AccessState::Withdrawn;
        Ok(self)
    }

    /// Whoever asked asks for something else: what was signed counts no more.
    pub(super) fn edit(mut self, who: &str, lasts: TimeDelta, now: DateTime<Utc>) -> Result<Self, LifeError> {
        self.pending(now)?;
        if self.asker != who {
            return Err(LifeError::NotAsker);
        }
        self.lasts = lasts;
        self.revision = self.revision.saturating_add(1);
        Ok(self)
    }

    /// Nobody answered in time.
    pub(super) fn expire(mut self, now: DateTime<Utc>) -> Result<Self, LifeError> {
        match self.pending(now) {
            Err(LifeError::Expired) => {
                self.state = AccessState::Expired;
                Ok(self)
            }
            Err(other) => Err(other),
            Ok(()) => Err(LifeError::NotPending(AccessState::Pending)),
        }
    }

    /// The role is over. By itself, not before its time.
    pub(super) fn end(mut self, how: GrantEnd, now: DateTime<Utc>) -> Result<Self, LifeError> {
        let due = self.ends_at.is_some_and(|ends_at| now >= ends_at);
        match (self.state, how) {
            (AccessState::Active, GrantEnd::Expired) if !due => {
                Err(LifeError::NotPending(AccessState::Active))
            }
            (AccessState::Active, _) => {
                self.state = AccessState::Ended;
                Ok(self)
            }
            _ => Err(LifeError::NotActive),
        }
    }
}

/// The second that an instant lies in.
fn whole_second(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::seconds(1)).unwrap_or(at)
}

#[cfg(test)]
mod tests;
