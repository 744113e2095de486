//! Issuing a service token.

use std::sync::Arc;

use keywarden_model::{KeyLabel, ServiceTokenId, WorkloadId};
use keywarden_store::{Written, tokens, workloads as rows};
use keywarden_vault::token::{self, Generated, Kind};
use keywarden_vault::{Purpose, SecretString};

use super::TokenLifetime;
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused, Repeatable, Resource};

/// How many good tokens a workload may have: more would hide old ones from those who look.
const AT_MOST: i64 = 50;

/// A token as its asker gets it, this once.
#[derive(Debug)]
pub struct IssuedToken {
    /// Its id.
    pub id: ServiceTokenId,
    /// The value; it is nowhere kept.
    pub value: SecretString,
}

impl Repeatable for IssuedToken {
    fn thing(&self) -> String {
        self.id.to_string()
    }
    fn secret(&self) -> Option<&SecretString> {
        Some(&self.value)
    }
    fn again(thing: &str, secret: Option<SecretString>) -> Option<Self> {
        Some(Self { id: thing.parse().ok()?, value: secret? })
    }
}

/// Why no token was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueTokenError {
    /// The workload is deactivated.
    #[error("this workload is deactivated: it gets no tokens")]
    Deactivated,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The workload has as many good tokens as it may.
    #[error("this workload has 50 tokens that are good: revoke some first")]
    TooMany,
}
carries_refused!(IssueTokenError);

impl Domain {
    /// Issues a token for a workload.
    pub async fn issue_service_token(
        &self,
        op: &Op,
        workload: WorkloadId,
        lifetime: TokenLifetime,
    ) -> Result<IssuedToken, IssueTokenError> {
        let project = self.workload_home(workload).await?;
        let fresh = self.fresh_token(op, "workload").await?;
        let by = op.actor.id();
        let expires_at = lifetime.from(op.now);
        let resource = Resource::Workload { id: workload, project };
        self.change(op, Action::IssueServiceToken, &resource, &[], move |tx, record| {
            let (fresh, by) = (Arc::clone(&fresh), by.clone());
            Box::pin(async move {
                let before = rows::find(tx, workload).await?.ok_or(Refused::NotFound)?;
                if before.deactivated_at.is_some() {
                    return Err(IssueTokenError::Deactivated);
                }
                if tokens::live(tx, workload, record.now()).await? >= AT_MOST {
                    return Err(IssueTokenError::TooMany);
                }
                let row = fresh.row(tokens::Bearer::Workload(workload), &by, record.now(), expires_at);
                tokens::insert(tx, row).await?;
                let event = record
                    .event("service-token.issue", "service-token", fresh.id)
                    .project(project)
                    .fact("workload", workload)
                    .fact("expires_at", expires_at)
                    .finish()?;
                Ok(Written::new(fresh.issued(), event))
            })
        })
        .await
    }

    /// A value with its proof, made before the write so that a write that runs again writes the same.
    pub(crate) async fn fresh_token(&self, op: &Op, label: &str) -> Result<Arc<FreshToken>, Fault> {
        let mac_key = self.shared_key(Purpose::ServiceTokenMac).await?;
        let label: KeyLabel =
            label.parse().map_err(|_| Fault::Unexpected(format!("`{label}` is no label")))?;
        let generated = self.env().with_rng(|rng| token::generate(Kind::ServiceToken, &label, rng));
        let parsed = token::parse(generated.value.expose())
            .map_err(|cause| Fault::Unexpected(format!("a fresh token does not parse: {cause}")))?;
        let mac = self.keyring().mac_under(Purpose::ServiceTokenMac, mac_key, parsed.material())?;
        let mac = (mac_key, mac.ok_or(Fault::KeyAway(mac_key))?);
        Ok(Arc::new(FreshToken { id: self.fresh(op), generated, mac }))
    }
}

/// A token that is about to be written.
#[derive(Debug)]
pub(crate) struct FreshToken {
    pub(crate) id: ServiceTokenId,
    generated: Generated,
    mac: (keywarden_model::KeyringKeyId, [u8; 32]),
}

impl FreshToken {
    pub(crate) fn row<'a>(
        &'a self,
        bearer: tokens::Bearer,
        by: &'a str,
        now: chrono::DateTime<chrono::Utc>,
        expires_at: chrono::DateTime<chrono::Utc>,
    ) -> tokens::Insert<'a> {
        tokens::Insert {
            id: self.id,
            bearer,
            public_id: self.generated.id.as_str(),
            mac: self.mac,
            created_at: now,
            created_by: by,
            expires_at,
        }
    }

    /// A copy of the value for the asker; the write may run again and needs its own.
    pub(crate) fn issued(&self) -> IssuedToken {
        IssuedToken { id: self.id, value: SecretString::new(self.generated.value.expose().to_owned()) }
    }
}
