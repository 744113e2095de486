//! What if this principal did that to this thing, at such a moment, under such policies?

use std::collections::BTreeMap;

use keywarden_model::{ProjectId, Role};

use super::setting::Setting;
use super::{Sight, Thing, Under, WrittenPolicies};
use crate::authz::{Considered, InForce, Target};
use crate::roles::Holder;
use crate::{Action, Domain, Fault, Op, Refused};

/// A question about somebody and something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Who would do it: a person or a workload.
    pub holder: Holder,
    /// What they would do.
    pub action: Action,
    /// To which thing: its id, or `organization`.
    pub thing: String,
    /// At which moment.
    pub setting: Setting,
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
    /// Those among them that people wrote.
    pub written: WrittenPolicies,
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
    /// Asks policies as if it were done.
    pub async fn simulate(&self, op: &Op, case: &Case, under: Under) -> Result<Simulated, Refused> {
        let sight = self.explains(op).await?;
        let in_force = self.supposed(op, under).await?;
        let mut simulated = self.ask_case(op, &sight, case, &in_force).await?;
        let names = simulated.considered.iter().map(|it| it.policy.as_str());
        let written = self.written(op, names).await?;
        simulated.written = written;
        Ok(simulated)
    }

    /// Asks these policies; nothing is known yet of what those are called that people wrote.
    pub(crate) async fn ask_case(
        &self,
        op: &Op,
        sight: &Sight,
        case: &Case,
        in_force: &InForce,
    ) -> Result<Simulated, Refused> {
        let Case { holder, action, setting, .. } = *case;
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let thing = Thing::find(&mut conn, &case.thing).await?.filter(|it| action.applies_to(&it.resource));
        let thing = thing.filter(|it| sight.covers(it.resource.project())).ok_or(Refused::NotFound)?;
        let known = self.known(&mut conn, sight, holder, op.now).await?;
        let target = Target::as_asked(&mut conn, in_force, action, thing.resource).await?;
        drop(conn);
        let explainer = self.gate().explainer(in_force);
        let circumstances = setting.circumstances(&known.who, op.now);
        let decision = explainer.decide(&known.principal, action, &target, &circumstances);
        let considered = explainer.considered(&known.principal, action, &target, &circumstances);
        let person = matches!(holder, Holder::Person(_));
        let shows = person && !circumstances.recovering && action.needs_step_up();
        let enough = if decision.allowed || !known.active {
            None
        } else {
            let may_hold = |role, project| known.may_hold(role, project);
            explainer.smallest_role(&known.principal, action, &target, &circumstances, may_hold)
        };
        let enough =
            enough.map(|(role, project)| Enough { role, project: project.and(thing.project.clone()) });
        Ok(Simulated {
            holder,
            name: known.name,
            active: known.active,
            action,
            allowed: decision.allowed,
            needs_passkey: decision.allowed && shows && setting.passkey.is_old(),
            policies: decision.policies,
            considered,
            written: BTreeMap::new(),
            enough,
            thing,
        })
    }
}
