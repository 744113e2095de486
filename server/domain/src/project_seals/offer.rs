//! Which seals projects may name: the operator offers them, and withdraws those that no project names.

use keywarden_model::time::micros;
use keywarden_store::project_seals::{self as rows, OfferedRow};
use keywarden_store::{Written, keyring};
use keywarden_vault::{SealId, SecretString};

use crate::audit::Fact;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused, Repeatable, Resource};

/// Why a seal was not offered.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// Projects may name it already.
    #[error("projects may name `{0}` already")]
    Already(SealId),
    /// It is the house's.
    #[error("`{0}` wraps the keyring: a seal of a project must be another one")]
    OfKeyring(SealId),
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// This server was not given it.
    #[error("this server has no seal `{0}` for projects: set it in KEYWARDEN_SEAL_PROJECTS and restart")]
    Unknown(SealId),
}
carries_refused!(OfferError);

/// Why a seal was not withdrawn.
#[derive(Debug, thiserror::Error)]
pub enum WithdrawError {
    /// Projects name it.
    #[error("`{seal}` wraps the keys of {}: take it from {} first", projects.join(", "), if projects.len() == 1 { "that project" } else { "those projects" })]
    Named {
        /// Which.
        seal: SealId,
        /// The projects' slugs.
        projects: Vec<String>,
    },
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No project may name it.
    #[error("`{0}` is not offered to projects")]
    Unknown(SealId),
}
carries_refused!(WithdrawError);

/// A seal that projects may name from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedNow {
    /// Which.
    pub seal: SealId,
}

impl Repeatable for OfferedNow {
    fn thing(&self) -> String {
        self.seal.to_string()
    }
    fn again(thing: &str, _: Option<SecretString>) -> Option<Self> {
        Some(Self { seal: thing.parse().ok()? })
    }
}

/// The most projects that a refusal names.
const MOST: u32 = 1_000;

impl Domain {
    /// Lets projects name a seal that this server was given; its own key must have been made.
    pub async fn offer_seal(&self, op: &Op, seal: &SealId) -> Result<OfferedNow, OfferError> {
        let offered = self.offer(op, seal).await?;
        // Its key was made just before.
        self.look_again_at(seal).await;
        Ok(offered)
    }

    async fn offer(&self, op: &Op, seal: &SealId) -> Result<OfferedNow, OfferError> {
        let custodian = self.keyring().custody().of(seal);
        let description = custodian.map(|it| it.describe().clone());
        let Some(description) = description else {
            self.authorize(op, Action::ManageSeals, &Resource::Organization).await.map(drop)?;
            return Err(OfferError::Unknown(seal.clone()));
        };
        self.change(op, Action::ManageSeals, &Resource::Organization, &[], move |tx, record| {
            let description = description.clone();
            Box::pin(async move {
                keyring::hold(tx).await?;
                let id = description.id.clone();
                if keyring::seals(tx).await?.iter().any(|row| row.id == id.as_str()) {
                    return Err(OfferError::OfKeyring(id));
                }
                let row = OfferedRow {
                    id: id.to_string(),
                    kind: description.kind.name().to_owned(),
                    label: description.label,
                    protection: description.protection.name().to_owned(),
                    offered_at: micros(record.now()),
                };
                if !rows::offer(tx, &row).await? {
                    return Err(OfferError::Already(id));
                }
                let event = record
                    .event("seal.offer", "seal", &id)
                    .fact("protection", Fact::word(description.protection.name()))
                    .finish()?;
                Ok(Written::new(OfferedNow { seal: id }, event))
            })
        })
        .await
    }

    /// Lets no project name a seal any more, unless one does.
    pub async fn withdraw_seal(&self, op: &Op, seal: &SealId) -> Result<(), WithdrawError> {
        let seal = seal.clone();
        self.change(op, Action::ManageSeals, &Resource::Organization, &[], move |tx, record| {
            let seal = seal.clone();
            Box::pin(async move {
                keyring::hold(tx).await?;
                let named = rows::naming(tx, MOST).await?;
                let projects: Vec<_> = named
                    .into_iter()
                    .filter(|row| row.seal_id == seal.as_str())
                    .map(|row| row.project_slug)
                    .collect();
                if !projects.is_empty() {
                    return Err(WithdrawError::Named { seal, projects });
                }
                if !rows::withdraw(tx, seal.as_str()).await? {
                    return Err(WithdrawError::Unknown(seal));
                }
                let event = record.event("seal.withdraw", "seal", &seal).finish()?;
                Ok(Written::new((), event))
            })
        })
        .await
    }

    /// Whether a seal is one that projects may name.
    pub async fn is_offered(&self, op: &Op, seal: &SealId) -> Result<bool, Refused> {
        let _permit = self.authorize(op, Action::ViewSystem, &Resource::Organization).await?;
        Ok(rows::is_offered(&mut self.store().read().await?, seal.as_str()).await?)
    }
}
