//! What a policy does, and the life of each of its versions: draft → review → activation → superseded.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a policy does where it fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyEffect {
    /// It says no, whatever else says yes.
    Forbid,
    /// It says yes where nothing says no.
    Permit,
}

/// Where a version of a policy is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyState {
    /// It decides.
    Active,
    /// It was written, and decides nothing.
    Draft,
    /// It waits for a second person, or for whoever activates it after that.
    InReview,
    /// It will decide from a certain moment on.
    Scheduled,
    /// It decided once: another version took its place, or the policy was disabled.
    Superseded,
    /// It was taken back before it decided anything.
    Withdrawn,
}

/// What happens to a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyStep {
    /// It decides from now on, for the first time.
    Activate,
    /// A second person says yes to it.
    Approve,
    /// A solver shows what it would change.
    Prove,
    /// It decides again.
    RollBack,
    /// It will decide from a certain moment on.
    Schedule,
    /// It is put before a second person.
    Submit,
    /// It decides no longer.
    Supersede,
    /// It is taken back.
    Withdraw,
}

/// A version cannot take this step from where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this version is {}: it cannot be {}", .state.words(), .step.words())]
pub struct PolicyStepError {
    /// Where it is.
    pub state: PolicyState,
    /// What was wanted.
    pub step: PolicyStep,
}

/// No such word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use one of: {0}")]
pub struct PolicyWordError(&'static str);

impl PolicyEffect {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Forbid, Self::Permit];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forbid => "forbid",
            Self::Permit => "permit",
        }
    }
}

impl PolicyState {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Active, Self::Draft, Self::InReview, Self::Scheduled, Self::Superseded, Self::Withdrawn];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Draft => "draft",
            Self::InReview => "in-review",
            Self::Scheduled => "scheduled",
            Self::Superseded => "superseded",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Where the version is after a step. One that decided once may decide again: a policy is rolled back to it.
    pub const fn after(self, step: PolicyStep) -> Result<Self, PolicyStepError> {
        match (self, step) {
            (Self::Draft | Self::InReview | Self::Scheduled, PolicyStep::Activate)
            | (Self::Superseded, PolicyStep::RollBack) => Ok(Self::Active),
            (Self::Draft | Self::InReview, PolicyStep::Schedule) => Ok(Self::Scheduled),
            (Self::Draft, PolicyStep::Submit) | (Self::InReview, PolicyStep::Approve) => Ok(Self::InReview),
            (Self::Active, PolicyStep::Supersede) => Ok(Self::Superseded),
            (Self::Draft | Self::InReview | Self::Scheduled | Self::Superseded, PolicyStep::Prove) => {
                Ok(self)
            }
            (Self::Draft | Self::InReview | Self::Scheduled, PolicyStep::Withdraw) => Ok(Self::Withdrawn),
            (state, step) => Err(PolicyStepError { state, step }),
        }
    }

    /// Whether it may still come to decide for the first time.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Draft | Self::InReview | Self::Scheduled)
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Draft => "a draft",
            Self::InReview => "in review",
            Self::Scheduled => "scheduled",
            Self::Superseded => "superseded",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl PolicyStep {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Activate,
        Self::Approve,
        Self::Prove,
        Self::RollBack,
        Self::Schedule,
        Self::Submit,
        Self::Supersede,
        Self::Withdraw,
    ];

    const fn words(self) -> &'static str {
        match self {
            Self::Activate => "activated",
            Self::Approve => "approved",
            Self::Prove => "proven",
            Self::RollBack => "rolled back to",
            Self::Schedule => "scheduled",
            Self::Submit => "put to review",
            Self::Supersede => "superseded",
            Self::Withdraw => "withdrawn",
        }
    }
}

impl fmt::Display for PolicyEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for PolicyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PolicyEffect {
    type Err = PolicyWordError;
    fn from_str(text: &str) -> Result<Self, PolicyWordError> {
        let found = Self::ALL.into_iter().find(|it| it.as_str() == text);
        found.ok_or(PolicyWordError("forbid, permit"))
    }
}

impl FromStr for PolicyState {
    type Err = PolicyWordError;
    fn from_str(text: &str) -> Result<Self, PolicyWordError> {
        let found = Self::ALL.into_iter().find(|it| it.as_str() == text);
        found.ok_or(PolicyWordError("active, draft, in-review, scheduled, superseded, withdrawn"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_goes_forward_and_only_one_that_decided_comes_back() {
        use PolicyState::{Active, Draft, InReview, Scheduled, Superseded, Withdrawn};
        use PolicyStep::{Activate, Approve, Prove, RollBack, Schedule, Submit, Supersede, Withdraw};
        let ways = [
            (Active, Supersede, Superseded),
            (Draft, Activate, Active),
            (Draft, Prove, Draft),
            (Draft, Schedule, Scheduled),
            (Draft, Submit, InReview),
            (Draft, Withdraw, Withdrawn),
            (InReview, Activate, Active),
            (InReview, Approve, InReview),
            (InReview, Prove, InReview),
            (InReview, Schedule, Scheduled),
            (InReview, Withdraw, Withdrawn),
            (Scheduled, Activate, Active),
            (Scheduled, Prove, Scheduled),
            (Scheduled, Withdraw, Withdrawn),
            (Superseded, Prove, Superseded),
            (Superseded, RollBack, Active),
        ];
        for state in PolicyState::ALL {
            for step in PolicyStep::ALL {
                let to = ways.iter().find(|way| (way.0, way.1) == (state, step)).map(|way| way.2);
                assert_eq!(state.after(step).ok(), to, "{state} {step:?}");
            }
        }
    }

    #[test]
    fn what_was_withdrawn_ends_and_what_is_open_never_decided() {
        for step in PolicyStep::ALL {
            assert!(PolicyState::Withdrawn.after(step).is_err());
        }
        for state in PolicyState::ALL {
            assert_eq!(state.is_open(), state.after(PolicyStep::Withdraw).is_ok(), "{state}");
        }
    }

    #[test]
    fn a_refused_step_is_told_in_words() {
        let refused = PolicyState::Withdrawn.after(PolicyStep::Activate).unwrap_err();
        assert_eq!(refused.to_string(), "this version is withdrawn: it cannot be activated");
    }
}
