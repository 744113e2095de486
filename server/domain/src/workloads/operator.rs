//! Tokens that the operator makes on the server's own shell.

use std::sync::Arc;

use chrono::TimeDelta;
use keywarden_model::{
    Role, RoleScope,
    time::{later, to_micros_precision},
};
use keywarden_store::{Written, tokens};
use keywarden_vault::SecretString;

use super::{IssuedToken, ServiceToken};
use crate::refused::carries_refused;
use crate::{Action, Actor, Domain, Fault, Op, Refused, Resource};

/// The longest that an operator's token is good.
pub const OPERATOR_TOKEN_AT_MOST: TimeDelta = TimeDelta::hours(1);

/// Why there is no token for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OperatorTokenError {
    /// Too long, or no time at all.
    #[error("use a time of one second to one hour")]
    Lifetime,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A role of a project.
    #[error("`{0}` is held in a project: use owner, admin or auditor")]
    WrongScope(Role),
}
carries_refused!(OperatorTokenError);

impl Domain {
    /// Makes a token for whoever holds the server's shell. It acts as the operator, not as a person, and every event
    /// says so.
    pub async fn operator_token(
        &self,
        op: &Op,
        role: Role,
        lifetime: TimeDelta,
    ) -> Result<SecretString, OperatorTokenError> {
        if !matches!(op.actor, Actor::Operator { token: None, .. }) {
            return Err(Refused::NotFound.into());
        }
        if role.scope() != RoleScope::Organization {
            return Err(OperatorTokenError::WrongScope(role));
        }
        if !(TimeDelta::seconds(1)..=OPERATOR_TOKEN_AT_MOST).contains(&lifetime) {
            return Err(OperatorTokenError::Lifetime);
        }
        let fresh = self.fresh_token(op, "operator").await?;
        let by = op.actor.id();
        let expires_at = to_micros_precision(later(op.now, lifetime));
        let issued: Result<IssuedToken, OperatorTokenError> = self
            .change_unasked(op, "a token for the operator's shell", &[], move |tx, record| {
                let (fresh, by) = (Arc::clone(&fresh), by.clone());
                Box::pin(async move {
                    let row = fresh.row(tokens::Bearer::Operator(role), &by, record.now(), expires_at);
                    tokens::insert(tx, row).await?;
                    let event = record
                        .event("service-token.issue", "service-token", fresh.id)
                        .fact("role", role)
                        .fact("expires_at", expires_at)
                        .finish()?;
                    Ok(Written::new(fresh.issued(), event))
                })
            })
            .await;
        Ok(issued?.value)
    }

    /// Tokens that were made on the server's shell; those good now first. Old ones are left out.
    pub async fn operator_tokens(&self, op: &Op) -> Result<Vec<ServiceToken>, Refused> {
        let _permit = self.authorize(op, Action::ViewSystem, &Resource::Organization).await?;
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let found = tokens::list(&mut conn, None, op.now, 200).await?;
        Ok(found.into_iter().map(|row| ServiceToken::of(row, op.now)).collect::<Result<_, _>>()?)
    }
}
