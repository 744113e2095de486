//! The rule about approval that holds in a scope: the project's own, else the organization's, else the one that is built in.

use std::fmt;

use chrono::TimeDelta;
use keywarden_model::PasskeyStrength;
use keywarden_model::time::seconds;
use keywarden_store::Conn;
use keywarden_store::access::{self, rules as rows};
use serde::{Deserialize, Serialize};

use crate::Fault;
use crate::authz::PolicyScope;
use crate::roles::Holder;

/// Persons that a rule can ask for, at most.
pub const MOST_APPROVERS: u32 = 5;
/// People and teams that a rule can name.
pub const MOST_NAMED: usize = 50;
/// The shortest time that a role is held.
pub const SHORTEST: TimeDelta = TimeDelta::minutes(5);
/// The longest time that a rule can let a role be held.
pub const LONGEST: TimeDelta = TimeDelta::days(30);
/// The shortest time that a request waits.
pub const SHORTEST_WAIT: TimeDelta = TimeDelta::minutes(15);
/// The longest time that a request can wait.
pub const LONGEST_WAIT: TimeDelta = TimeDelta::days(30);

/// Who approves, how many it takes, and for how long at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// How many distinct persons it takes.
    pub approvers: u32,
    /// Ids of the people and teams that may; empty: whoever may approve there. Being named lets nobody approve who may not.
    pub only: Vec<String>,
    /// The longest time that a role is held, in seconds.
    pub longest_seconds: i64,
    /// After how long a request that nobody answers is over, in seconds.
    pub unanswered_seconds: i64,
    /// Which passkeys may sign.
    pub strength: PasskeyStrength,
}

/// Which rule it is: where it was written, and the how manieth there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleAt {
    /// A project's id, `organization` or `built-in`.
    pub scope: String,
    /// Counts from 1; the built-in one is 0.
    pub version: i64,
}

impl fmt::Display for RuleAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.scope, self.version)
    }
}

/// What is wrong with a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// None or too many persons.
    #[error("ask for 1 to {MOST_APPROVERS} persons")]
    Approvers,
    /// The longest time.
    #[error("let a role be held for 5 minutes to 30 days")]
    Longest,
    /// Somebody who is neither a person nor a team, or too many.
    #[error("name at most {MOST_NAMED} people and teams, by their ids")]
    Named,
    /// The time that a request waits.
    #[error("let a request wait for 15 minutes to 30 days")]
    Unanswered,
}

impl Rule {
    /// What holds where nobody wrote a rule: one other person, a working day at most.
    pub fn built_in() -> Self {
        Self {
            approvers: 1,
            only: Vec::new(),
            longest_seconds: TimeDelta::hours(8).num_seconds(),
            unanswered_seconds: TimeDelta::days(1).num_seconds(),
            strength: PasskeyStrength::Any,
        }
    }

    /// Whether it can be kept to.
    pub fn check(&self) -> Result<(), RuleError> {
        let within = |span: i64, least: TimeDelta, most: TimeDelta| {
            (least.num_seconds()..=most.num_seconds()).contains(&span)
        };
        let nameable = |id: &String| matches!(Holder::parse(id), Some(Holder::Person(_) | Holder::Team(_)));
        if !(1..=MOST_APPROVERS).contains(&self.approvers) {
            return Err(RuleError::Approvers);
        }
        if !within(self.longest_seconds, SHORTEST, LONGEST) {
            return Err(RuleError::Longest);
        }
        if !within(self.unanswered_seconds, SHORTEST_WAIT, LONGEST_WAIT) {
            return Err(RuleError::Unanswered);
        }
        if self.only.len() > MOST_NAMED || !self.only.iter().all(nameable) {
            return Err(RuleError::Named);
        }
        Ok(())
    }

    /// The longest time that a role is held.
    pub fn longest(&self) -> TimeDelta {
        seconds(self.longest_seconds)
    }

    /// After how long a request that nobody answers is over.
    pub fn unanswered(&self) -> TimeDelta {
        seconds(self.unanswered_seconds)
    }

    /// Whether it names this person, or a team of theirs; or names nobody.
    pub fn names(&self, person: &str, teams: &[String]) -> bool {
        self.only.is_empty() || self.only.iter().any(|it| it == person || teams.contains(it))
    }
}

/// The rows' word for a scope.
pub(super) fn word(scope: PolicyScope) -> String {
    match scope {
        PolicyScope::Organization => access::ORGANIZATION.to_owned(),
        PolicyScope::Project(project) => project.to_string(),
    }
}

/// The rule that holds in a scope, as of now: inside a write it holds for that write.
pub(super) async fn in_force(conn: &mut Conn, scope: PolicyScope) -> Result<(Rule, RuleAt), Fault> {
    let organization = access::ORGANIZATION.to_owned();
    let scopes = match scope {
        PolicyScope::Organization => vec![organization],
        PolicyScope::Project(project) => vec![project.to_string(), organization],
    };
    for scope in scopes {
        let Some(row) = rows::newest(conn, &scope).await? else { continue };
        let at = RuleAt { scope: row.scope, version: row.version };
        if let Some(text) = row.rule {
            return Ok((read(&text, &at)?, at));
        }
    }
    Ok((Rule::built_in(), RuleAt { scope: "built-in".into(), version: 0 }))
}

/// A rule as a row holds it. One that cannot be read lets nobody approve.
pub(super) fn read(text: &str, at: &RuleAt) -> Result<Rule, Fault> {
    let damaged = |cause: &dyn fmt::Display| Fault::Damaged(format!("access_rules {at}: {cause}"));
    let rule: Rule = serde_json::from_str(text).map_err(|cause| damaged(&cause))?;
    rule.check().map_err(|cause| damaged(&cause))?;
    Ok(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_can_be_kept_to_or_is_refused() {
        let rule = Rule::built_in();
        assert_eq!(rule.check(), Ok(()));
        for (wrong, why) in [
            (Rule { approvers: 0, ..rule.clone() }, RuleError::Approvers),
            (Rule { approvers: 6, ..rule.clone() }, RuleError::Approvers),
            (Rule { longest_seconds: 299, ..rule.clone() }, RuleError::Longest),
            (Rule { longest_seconds: i64::MAX, ..rule.clone() }, RuleError::Longest),
            (Rule { unanswered_seconds: 0, ..rule.clone() }, RuleError::Unanswered),
            (Rule { only: vec!["wkl_01JDB2W1N9F6Q3R8T5V7X9Z0AB".into()], ..rule.clone() }, RuleError::Named),
            (Rule { only: vec!["Ada".into()], ..rule.clone() }, RuleError::Named),
        ] {
            assert_eq!(wrong.check(), Err(why), "{wrong:?}");
        }
        let at = RuleAt { scope: "organization".into(), version: 3 };
        assert!(read("{}", &at).is_err());
        assert_eq!(read(&serde_json::to_string(&rule).unwrap(), &at).unwrap(), rule);
    }
}
