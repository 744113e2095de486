//! What if this principal did that to this thing, under these circumstances?

use keywarden_model::{ProjectId, Role};

use super::Thing;
use crate::authz::{Considered, Target};
use crate::roles::Holder;
use crate::{Action, Domain, Fault, Op, Refused};

/// What decisions look at beside who, what and to which thing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// The session was opened by a recovery code or link.
    pub recovering: bool,
    /// When the person last showed a passkey.
    pub passkey: PasskeyAge,
}

/// How long ago a passkey was shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PasskeyAge {
    /// At most five minutes.
    #[default]
    Fresh,
    /// Longer, or never.
    Old,
}

/// What would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulated {
    /// Who would do it.
    pub holder: Holder,
    /// What they are called.
    pub name: String,
    /// Somebody deactivated may do nothing.
    pub active: bool,
    /// What they would do.
    pub action: Action,
    /// To which thing.
    pub thing: Thing,
    /// Whether the policies say yes.
    pub allowed: bool,
    /// The policies say yes, and a passkey has to be shown first.
    pub needs_passkey: bool,
    /// The policies that decided; none where no policy says yes.
    pub policies: Vec<String>,
    /// The policies that speak of it, and what each came to.
    pub considered: Vec<Considered>,
    /// Of the roles that would be enough, the one that allows the least besides; only where the answer is no.
    pub enough: Option<Enough>,
}

/// A role that would be enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enough {
    /// Which.
    pub role: Role,
    /// In which project, and what that is called; `None` for a role of the organization.
    pub project: Option<(ProjectId, String)>,
}

impl Domain {
    /// Asks the policies as if it were done now.
    pub async fn simulate(
        &self,
        op: &Op,
        holder: Holder,
        action: Action,
        thing: &str,
        circumstances: Circumstances,
    ) -> Result<Simulated, Refused> {
        let sight = self.explains(op).await?;
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let thing = Thing::find(&mut conn, thing).await?.filter(|it| action.applies_to(&it.resource));
        let thing = thing.filter(|it| sight.covers(it.resource.project())).ok_or(Refused::NotFound)?;
        let known = self.known(&mut conn, &sight, holder).await?;
        let target = Target::as_asked(&mut conn, action, thing.resource).await?;
        drop(conn);
        let (rules, Circumstances { recovering, passkey }) = (self.gate().rules(), circumstances);
        let decision = rules.decide(&known.principal, action, &target, recovering);
        let considered = rules.considered(&known.principal, action, &target, recovering);
        let person = matches!(holder, Holder::Person(_));
        let needs_passkey = person && !recovering && action.needs_step_up() && passkey == PasskeyAge::Old;
        let enough = if decision.allowed || !known.active {
            None
        } else {
            let may_hold = |role, project| known.may_hold(role, project);
            rules.smallest_role(&known.principal, action, &target, recovering, may_hold)
        };
        let enough =
            enough.map(|(role, project)| Enough { role, project: project.and(thing.project.clone()) });
        Ok(Simulated {
            holder,
            name: known.name,
            active: known.active,
            action,
            allowed: decision.allowed,
            needs_passkey: decision.allowed && needs_passkey,
            policies: decision.policies,
            considered,
            enough,
            thing,
        })
    }
}
