//! A service token that was found where it should not be: whose it is.

use keywarden_model::{KeyringKeyId, ProjectId, ServiceTokenId, WorkloadId};
use keywarden_store::{Conn, tokens, workloads as rows};
use keywarden_vault::Purpose;
use keywarden_vault::token::Parsed;

use super::show::TOKENS;
use super::{ServiceToken, Workload};
use crate::{Domain, Fault, Op, Resource};

/// A service token that leaked.
#[derive(Debug)]
pub struct LeakedToken {
    /// The token.
    pub token: ServiceToken,
    /// Whom it speaks for; `None` for one of the operator's shell.
    pub workload: Option<Workload>,
    /// Whether it stands among its workload's tokens: what was got by exchange does not, and ends within minutes.
    pub listed: bool,
    /// Whether the caller may revoke it now.
    pub may_revoke: bool,
    /// Whether more was found beside it that the caller may act on.
    pub more: bool,
}

impl LeakedToken {
    /// What is decided about.
    pub(crate) fn resource(&self) -> Resource {
        let id = self.workload.as_ref().map_or(WorkloadId::NIL, |it| it.id);
        Resource::Workload { id, project: self.project() }
    }

    /// The project of its workload.
    pub(crate) fn project(&self) -> Option<ProjectId> {
        self.workload.as_ref().and_then(|it| it.project)
    }
}

impl Domain {
    /// The token that this value is, if its hash fits, or may fit under a key of the keyring that this node does not have:
    /// then with that key.
    pub(crate) async fn token_of_value(
        &self,
        conn: &mut Conn,
        parsed: &Parsed<'_>,
    ) -> Result<Option<(ServiceTokenId, Option<KeyringKeyId>)>, Fault> {
        let Some(row) = tokens::proof(conn, parsed.id().as_str()).await? else { return Ok(None) };
        let keyring = self.keyring();
        if !keyring.holds(Purpose::ServiceTokenMac, row.mac_key_id)? {
            return Ok(Some((row.id, Some(row.mac_key_id))));
        }
        let mac = row.mac.as_slice().try_into().unwrap_or([0; 32]);
        let fits = keyring.verify_mac(Purpose::ServiceTokenMac, row.mac_key_id, parsed.material(), &mac)?;
        Ok(fits.then_some((row.id, None)))
    }

    /// What there is to tell of it.
    pub(crate) async fn leaked_token(
        &self,
        op: &Op,
        conn: &mut Conn,
        id: ServiceTokenId,
    ) -> Result<Option<LeakedToken>, Fault> {
        let Some(row) = tokens::find(conn, id).await? else { return Ok(None) };
        let workload = row.workload_id.as_deref().map(str::parse::<WorkloadId>).transpose();
        let workload = workload.map_err(|_| Fault::Damaged(format!("service_tokens {id}: workload")))?;
        let (workload, listed) = match workload {
            Some(workload) => {
                let listed = tokens::list(conn, Some(workload), op.now, TOKENS).await?;
                let found = rows::find(conn, workload).await?.map(Workload::try_from).transpose()?;
                (found, listed.iter().any(|it| it.id == id))
            }
            None => (None, false),
        };
        let token = ServiceToken::of(row, op.now)?;
        Ok(Some(LeakedToken { token, workload, listed, may_revoke: false, more: false }))
    }
}
