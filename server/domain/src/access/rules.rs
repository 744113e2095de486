//! The rules about approval: seeing them, and writing the next version.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_store::access::rules as rows;
use keywarden_store::{ChangeKind, StoreError, Written, names};

use super::Named;
use super::rule::{self, Rule, RuleAt, RuleError};
use crate::audit::Fact;
use crate::authz::PolicyScope;
use crate::policy::{project, resource};
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused};

/// Versions that are shown.
const SHOWN: u32 = 20;

/// The rule of a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownRule {
    /// What holds there.
    pub rule: Rule,
    /// Where that was written.
    pub at: RuleAt,
    /// The scope's own newest version; 0: it never had one. Whoever writes the next one names it.
    pub newest: i64,
    /// Those whom the rule names.
    pub named: Vec<Named>,
    /// The scope's own versions, newest first.
    pub versions: Vec<RuleVersion>,
}

/// A version of a scope's rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleVersion {
    /// Counts from 1.
    pub version: i64,
    /// `None`: the scope had no rule of its own any more.
    pub rule: Option<Rule>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom: an actor's id.
    pub created_by: String,
}

/// Why a rule stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum SetRuleError {
    /// Somebody else wrote a version since.
    #[error("this rule was changed meanwhile: look at it again")]
    ChangedMeanwhile,
    /// There is nothing to take away.
    #[error("there is no rule of its own here")]
    NoneOfItsOwn,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It could not be kept to.
    #[error(transparent)]
    Rule(#[from] RuleError),
}
carries_refused!(SetRuleError);

impl Domain {
    /// The rule of a scope, for those who may see who asks for access there.
    pub async fn access_rule(&self, op: &Op, scope: PolicyScope) -> Result<ShownRule, Refused> {
        let _permit = self.authorize(op, Action::ViewAccess, &resource(scope)).await?;
        let mut conn = self.store().read().await?;
        let (rule, at) = rule::in_force(&mut conn, scope).await?;
        let own = rows::versions(&mut conn, &rule::word(scope), SHOWN).await?;
        let known = names::of(&mut conn, rule.only.iter().map(String::as_str)).await?;
        drop(conn);
        let named = rule
            .only
            .iter()
            .map(|id| Named { id: id.clone(), name: known.get(id).cloned().unwrap_or_default() });
        let named = named.collect();
        let newest = own.first().map_or(0, |it| it.version);
        let versions = own.into_iter().map(RuleVersion::try_from).collect::<Result<_, _>>()?;
        Ok(ShownRule { rule, at, newest, named, versions })
    }

    /// Writes the next version of a scope's rule; `None`: what holds around it holds. What was signed under another version counts
    /// no more.
    pub async fn set_access_rule(
        &self,
        op: &Op,
        scope: PolicyScope,
        rule: Option<Rule>,
        newest: i64,
    ) -> Result<i64, SetRuleError> {
        if let Some(rule) = &rule {
            rule.check()?;
        }
        let (rule, by, here) = (Arc::new(rule), op.actor.id(), resource(scope));
        let version = self.change(op, Action::SetAccessRule, &here, &[], move |tx, record| {
            let (rule, by) = (Arc::clone(&rule), by.clone());
            Box::pin(async move {
                let word = rule::word(scope);
                let before = rows::newest(tx, &word).await?;
                if before.as_ref().map_or(0, |it| it.version) != newest {
                    return Err(SetRuleError::ChangedMeanwhile);
                }
                let had = before.and_then(|it| it.rule);
                if had.is_none() && rule.is_none() {
                    return Err(SetRuleError::NoneOfItsOwn);
                }
                let text = rule.as_ref().as_ref().map(serde_json::to_string).transpose();
                let text = text.map_err(|cause| Fault::Unexpected(cause.to_string()))?;
                let version = newest.saturating_add(1);
                rows::insert(tx, project(scope), version, text.as_deref(), (&by, record.now()))
                    .await
                    .map_err(|error| match error {
                        StoreError::Conflict(_) => SetRuleError::ChangedMeanwhile,
                        other => other.into(),
                    })?;
                // Whatever was decided before this is decided anew, under what holds then.
                tx.restrict(ChangeKind::Authority, &word, record.now()).await?;
                let mut event = record
                    .event(Action::SetAccessRule.name(), "access-rule", &word)
                    .project(project(scope))
                    .fact("version", version)
                    .fact("of_its_own", rule.is_some());
                if let Some(rule) = rule.as_ref() {
                    event = event
                        .fact("approvers", rule.approvers)
                        .fact("longest_seconds", rule.longest_seconds)
                        .fact("unanswered_seconds", rule.unanswered_seconds)
                        .fact("strength", Fact::word(rule.strength.as_str()))
                        .fact("named", u64::try_from(rule.only.len()).unwrap_or(u64::MAX));
                }
                Ok(Written::new(Numbered(version), event.finish()?))
            })
        });
        Ok(version.await?.0)
    }
}

/// A version's number, as a replay can have it again.
#[derive(Debug, Clone, Copy)]
struct Numbered(i64);

impl crate::Repeatable for Numbered {
    fn thing(&self) -> String {
        self.0.to_string()
    }
    fn again(thing: &str, _: Option<keywarden_vault::SecretString>) -> Option<Self> {
        thing.parse().ok().map(Self)
    }
}

impl TryFrom<rows::Row> for RuleVersion {
    type Error = Fault;
    fn try_from(row: rows::Row) -> Result<Self, Fault> {
        let at = RuleAt { scope: row.scope, version: row.version };
        let rule = row.rule.map(|text| rule::read(&text, &at)).transpose()?;
        Ok(Self {
            version: row.version,
            rule,
            created_at: from_micros(row.created_at),
            created_by: row.created_by,
        })
    }
}
