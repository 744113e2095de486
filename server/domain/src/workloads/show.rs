//! One workload with its roles and tokens.

use keywarden_model::WorkloadId;
use keywarden_store::{roles, tokens, workloads as rows};

use super::{ServiceToken, Workload};
use crate::roles::RoleBinding;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// More roles than a workload holds.
const ROLES: u32 = 1_000;
/// Tokens that are shown; good ones come first and are fewer.
pub(super) const TOKENS: u32 = 200;

/// A workload with what belongs to it.
#[derive(Debug)]
pub struct ShownWorkload {
    /// The workload.
    pub workload: Workload,
    /// What it holds.
    pub roles: Vec<RoleBinding>,
    /// Its tokens: all that are good, then the latest of the others.
    pub tokens: Vec<ServiceToken>,
}

impl Domain {
    /// A workload.
    pub async fn workload(&self, op: &Op, id: WorkloadId) -> Result<ShownWorkload, Refused> {
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let found = rows::find(&mut conn, id).await?.map(Workload::try_from).transpose()?;
        drop(conn);
        let project = found.as_ref().and_then(|it| it.project);
        let _permit = self.authorize(op, Action::ViewWorkload, &Resource::Workload { id, project }).await?;
        let workload = found.ok_or(Refused::NotFound)?;
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let roles = roles::of_principal(&mut conn, &id.to_string(), ROLES).await?;
        let tokens = tokens::list(&mut conn, Some(id), op.now, TOKENS).await?;
        Ok(ShownWorkload {
            workload,
            roles: roles.into_iter().map(RoleBinding::try_from).collect::<Result<_, _>>()?,
            tokens: tokens.into_iter().map(|row| ServiceToken::of(row, op.now)).collect::<Result<_, _>>()?,
        })
    }
}
