//! The token that a rule last refused, for whoever keeps the rule.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use keywarden_model::TrustRuleId;
use keywarden_store::trust_rules as rows;
use keywarden_vault::DerivingKey;
use serde_json::{Map, Value};

use super::Why;
use crate::tokens::silent;
use crate::trust::TrustRule;
use crate::{Domain, Fault, Op};

/// Between two tokens that are kept for one rule: a flood of them is no flood of writes.
const PAUSE: Duration = Duration::from_secs(5);
/// Rules remembered.
const MOST: usize = 10_000;
const PURPOSE: &str = "refused-token";

/// When a token was last kept for a rule.
#[derive(Default)]
pub(crate) struct Keeping(Mutex<HashMap<TrustRuleId, Instant>>);

impl Keeping {
    fn is_due(&self, rule: TrustRuleId, now: Instant) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.get(&rule).is_some_and(|at| now.saturating_duration_since(*at) < PAUSE) {
            return false;
        }
        if kept.len() >= MOST {
            kept.retain(|_, at| now.saturating_duration_since(*at) < PAUSE);
        }
        kept.insert(rule, now);
        true
    }
}

impl fmt::Debug for Keeping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keeping")
    }
}

impl Domain {
    /// Keeps the claims of a token that was signed well and refused, sealed under the workload's key.
    pub(super) async fn keep_refused(
        &self,
        op: &Op,
        rule: &TrustRule,
        why: Why,
        claims: &Map<String, Value>,
    ) -> Result<(), Fault> {
        if !self.exchanging().keeping.is_due(rule.id, self.env().monotonic()) {
            return Ok(());
        }
        let subject = rule.workload.to_string();
        let Some(key) = self.subject_key(&subject, op.now).await? else { return Ok(()) };
        let plain = Value::Object(claims.clone()).to_string();
        let sealed = self
            .env()
            .with_rng(|rng| key.seal(&subject, PURPOSE, &context(rule.id), plain.as_bytes(), rng))
            .map_err(|cause| Fault::Unexpected(cause.to_string()))?;
        let (id, now) = (rule.id, op.now);
        let kept = self.store().write_silently("the token that a rule last refused", move |tx| {
            let sealed = sealed.clone();
            Box::pin(async move { rows::keep_refused(tx, id, now, why.word(), &sealed).await })
        });
        kept.await.map_err(silent)
    }
}

/// Its claims, opened.
pub(crate) fn open_claims(
    key: &DerivingKey,
    rule: TrustRuleId,
    sealed: &[u8],
) -> Result<Map<String, Value>, Fault> {
    let opened = key.open(PURPOSE, &context(rule), sealed)?;
    serde_json::from_slice(opened.expose())
        .map_err(|cause| Fault::Damaged(format!("refused_tokens {rule}: {cause}")))
}

fn context(rule: TrustRuleId) -> Vec<u8> {
    format!("refused_tokens.sealed/{rule}").into_bytes()
}
