//! The person who asks, as the frame of a page names them.

use keywarden_model::Role;
use keywarden_store::people::users;

use crate::{Domain, Op, Refused};

/// The person who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// What they are called.
    pub name: String,
    /// The most that they hold in the organization, own or through a team.
    pub role: Option<Role>,
}

impl Domain {
    /// Who asks. Nothing is decided here: everybody knows their own name.
    pub async fn me(&self, op: &Op) -> Result<Me, Refused> {
        let id = op.actor.person().ok_or(Refused::NotFound)?.id;
        let counter = self.counter().await?;
        let principal = self.gate().principal(op, self.store(), counter).await?;
        let mut conn = self.store().read().await?;
        let user = users::find(&mut conn, id).await?.ok_or(Refused::NotFound)?;
        let held = |role| principal.organization.contains(&role).then_some(role);
        let role = [Role::Owner, Role::Admin, Role::Auditor].into_iter().find_map(held);
        Ok(Me { name: user.name, role })
    }
}
