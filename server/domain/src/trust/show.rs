//! A workload's rules, and one with the token that it last refused.

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::trust::ClaimShape;
use keywarden_model::{TrustRuleId, WorkloadId};
use keywarden_store::trust_rules as rows;

use super::TrustRule;
use crate::exchange::{Why, open_claims, shape};
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// More rules than a workload has.
const RULES: u32 = 100;

/// A rule, and what it last refused.
#[derive(Debug, Clone)]
pub struct ShownTrustRule {
    /// The rule.
    pub rule: TrustRule,
    /// The last token of its issuer that it refused. Only for those who may edit the rule: it tells of people.
    pub refused: Option<RefusedToken>,
}

/// A token whose signature was good, and which was refused.
#[derive(Debug, Clone)]
pub struct RefusedToken {
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub why: Why,
    /// What it claimed, by name.
    pub claims: Vec<RefusedClaim>,
}

/// One claim of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedClaim {
    /// Its name.
    pub name: String,
    /// What it said; lists and objects as JSON.
    pub value: String,
    /// Whether a rule can compare it.
    pub comparable: bool,
    /// Whether the rule names it and wants something else.
    pub missed: bool,
}

impl Domain {
    /// A workload's rules, oldest first.
    pub async fn trust_rules(&self, op: &Op, workload: WorkloadId) -> Result<Vec<TrustRule>, Refused> {
        let project = self.workload_home(workload).await?;
        let home = Resource::Workload { id: workload, project };
        let _permit = self.authorize(op, Action::ViewWorkload, &home).await?;
        let mut conn = self.store().read().await?;
        let found = rows::list(&mut conn, workload, RULES).await?;
        Ok(found.into_iter().map(TrustRule::try_from).collect::<Result<_, _>>()?)
    }

    /// One of them.
    pub async fn trust_rule(
        &self,
        op: &Op,
        workload: WorkloadId,
        id: TrustRuleId,
    ) -> Result<ShownTrustRule, Refused> {
        let project = self.workload_home(workload).await?;
        let home = Resource::Workload { id: workload, project };
        let _permit = self.authorize(op, Action::ViewWorkload, &home).await?;
        let mut conn = self.store().read().await?;
        let row = rows::find(&mut conn, id).await?.filter(|row| row.workload_id == workload);
        let refused = rows::refused(&mut conn, id).await?;
        drop(conn);
        let rule = TrustRule::try_from(row.ok_or(Refused::NotFound)?)?;
        let refused = match refused {
            Some(row) if self.would(op, Action::EditTrustRule, &home).await? => {
                self.opened_refused(&rule, row).await?
            }
            _ => None,
        };
        Ok(ShownTrustRule { rule, refused })
    }

    async fn opened_refused(
        &self,
        rule: &TrustRule,
        row: rows::RefusedToken,
    ) -> Result<Option<RefusedToken>, Fault> {
        let Some(key) = self.subject_key_if_there(&rule.workload.to_string()).await? else { return Ok(None) };
        let claims = open_claims(&key, rule.id, &row.sealed)?;
        let why =
            Why::named(&row.why).ok_or_else(|| Fault::Damaged(format!("refused_tokens {}: why", rule.id)))?;
        let missed: Vec<_> = rule.terms.claims.misses(|name| claims.get(name).map(shape)).collect();
        let claims = claims.iter().map(|(name, value)| {
            let (value, comparable) = match shape(value) {
                ClaimShape::Text(text) => (text, true),
                ClaimShape::Other => (value.to_string(), false),
            };
            RefusedClaim { name: name.clone(), value, comparable, missed: missed.contains(&name.as_str()) }
        });
        Ok(Some(RefusedToken { at: from_micros(row.at), why, claims: claims.collect() }))
    }
}
