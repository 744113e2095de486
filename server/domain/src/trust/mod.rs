//! Sign-in rules: which tokens of other issuers a workload may exchange for a service token.
//!
//! **Invariants:** a rule names an issuer, an audience and claims, all of which must fit; one that would let anybody in
//! is no rule. Editing or deleting a rule ends the service tokens that it gave. A rule counts only for its workload, and
//! only while that is active.

mod create;
mod delete;
mod edit;
mod show;
mod terms;

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{ClaimRules, TrustRuleId, WorkloadId};
use keywarden_store::trust_rules as rows;

use crate::Fault;

pub use create::CreateTrustRuleError;
pub use delete::DeleteTrustRuleError;
pub use edit::EditTrustRuleError;
pub use show::{RefusedClaim, RefusedToken, ShownTrustRule};
pub use terms::{GivenKeys, Keys, Terms};

/// A rule.
#[derive(Debug, Clone)]
pub struct TrustRule {
    /// Its id.
    pub id: TrustRuleId,
    /// Whom it lets in.
    pub workload: WorkloadId,
    /// What it says.
    pub terms: Terms,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// By whom: an actor's id.
    pub created_by: String,
    /// When it last let a token in.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Counts edits.
    pub row_version: i64,
}

impl TryFrom<rows::TrustRule> for TrustRule {
    type Error = Fault;
    fn try_from(row: rows::TrustRule) -> Result<Self, Fault> {
        let damaged = |what: &str| Fault::Damaged(format!("trust_rules {}: {what}", row.id));
        let claims: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&row.claims).map_err(|_| damaged("claims"))?;
        let pairs = claims.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
        let keys = match (row.jwks_url, row.jwks) {
            (None, None) => Keys::Discovered,
            (Some(url), _) => Keys::At(url.parse().map_err(|_| damaged("jwks_url"))?),
            (None, Some(jwks)) => Keys::Given(GivenKeys::stored(jwks)),
        };
        Ok(Self {
            id: row.id,
            workload: row.workload_id,
            terms: Terms {
                issuer: row
                    .issuer
                    .parse()
                    .map_err(|_| Fault::Damaged(format!("trust_rules {}: issuer", row.id)))?,
                audience: row
                    .audience
                    .parse()
                    .map_err(|_| Fault::Damaged(format!("trust_rules {}: audience", row.id)))?,
                claims: ClaimRules::new(pairs)
                    .map_err(|_| Fault::Damaged(format!("trust_rules {}: claims", row.id)))?,
                keys,
                single_use: row.single_use,
            },
            created_at: from_micros(row.created_at),
            created_by: row.created_by,
            last_used_at: row.last_used_at.map(from_micros),
            row_version: row.row_version,
        })
    }
}
