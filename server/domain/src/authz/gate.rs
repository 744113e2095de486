//! Asking in practice: the principal's roles from memory or the store, what the thing holds, the decision.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use keywarden_model::{ProjectId, Role, RoleScope, ServiceTokenId, time::from_micros};
use keywarden_store::access::grants;
use keywarden_store::{Conn, Counter, Store, authority, tokens};
use moka::sync::Cache;

use super::memory::Memory;
use super::principal::Who;
use super::{
    Action, Checked, Circumstances, Explainer, Facts, InForce, Permit, PolicyScope, Principal, Reach,
    Resource, Rules, SignInMethod, Target, TextError,
};
use crate::op::SHELL;
use crate::{Actor, Fault, Op, Refused};

pub(crate) struct Gate {
    rules: Rules,
    policies: Memory,
    principals: Cache<String, (i64, Arc<Principal>)>,
}

impl Gate {
    pub(crate) fn new() -> Result<Self, Fault> {
        let principals = Cache::builder().max_capacity(20_000).time_to_live(Duration::from_mins(10)).build();
        Ok(Self { rules: Rules::builtin()?, policies: Memory::new()?, principals })
    }

    /// The built-in policies, to be asked without the rest.
    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Forgets what everybody may do.
    pub(crate) fn forget(&self) {
        self.principals.invalidate_all();
        self.policies.forget();
    }

    /// Reads a text as a policy that may decide there.
    pub(crate) fn check(&self, scope: PolicyScope, text: &str) -> Result<Checked, Vec<TextError>> {
        self.policies.check(scope, text)
    }

    /// What people wrote and activated, as of now, nothing taken from memory unseen: inside a write it holds for that write.
    pub(crate) async fn in_force_now(&self, conn: &mut Conn) -> Result<Arc<InForce>, Fault> {
        self.policies.now(conn).await
    }

    /// Whether somebody may do this, aside from a fresh passkey, if these were the policies.
    pub(crate) fn would_under(
        &self,
        in_force: &InForce,
        principal: &Principal,
        (action, target): (Action, &Target),
        circumstances: &Circumstances,
    ) -> bool {
        self.rules.decide_with(in_force, principal, action, target, circumstances).allowed
    }

    /// Who asks, as of `counter`.
    pub(crate) async fn principal(
        &self,
        op: &Op,
        store: &Store,
        counter: Counter,
    ) -> Result<Arc<Principal>, Fault> {
        let who = match &op.actor {
            Actor::Person(person) => Who::Person(person.id),
            Actor::Workload { id, .. } => Who::Workload(*id),
            Actor::Operator { role, .. } => {
                let mut principal = Principal::bare(Who::Operator(op.actor.id()));
                principal.organization.push(*role);
                return Ok(Arc::new(principal));
            }
            Actor::Link(_) | Actor::Nobody | Actor::Share(_) | Actor::System(_) => {
                return Ok(Arc::new(Principal::bare(Who::Nobody)));
            }
        };
        let id = op.actor.id();
        // What was read under an older authority is not used, even if forgetting it was missed; nor is what was held for a while.
        let counts = |known: &(i64, Arc<Principal>)| known.0 >= counter.authority && known.1.is_of(op.now);
        if let Some(known) = self.principals.get(&id).filter(counts) {
            return Ok(known.1);
        }
        let principal = Arc::new(load(who, &id, Some(op.now), &mut store.read().await?).await?);
        self.principals.insert(id, (counter.value, Arc::clone(&principal)));
        Ok(principal)
    }

    /// Yes with a permit, or no in the words that the caller may hear. What was not found is decided about all the same, and
    /// not found whatever was decided.
    pub(crate) async fn authorize(
        &self,
        op: &Op,
        store: &Store,
        counter: Counter,
        action: Action,
        resource: &Resource,
    ) -> Result<Permit, Refused> {
        let principal = self.principal(op, store, counter).await?;
        let in_force = self.policies.at(store, counter).await?;
        let target = target(store, &in_force, action, resource).await?;
        let answer = self.rules.judge(&in_force, &principal, op, action, &target, counter.value);
        if resource.lies_nowhere() { Err(Refused::NotFound) } else { answer }
    }

    /// Whether, aside from a fresh passkey, the answer would be yes: for buttons.
    pub(crate) async fn would(
        &self,
        op: &Op,
        store: &Store,
        counter: Counter,
        action: Action,
        resource: &Resource,
    ) -> Result<bool, Refused> {
        let principal = self.principal(op, store, counter).await?;
        let in_force = self.policies.at(store, counter).await?;
        let target = target(store, &in_force, action, resource).await?;
        Ok(self.would_under(&in_force, &principal, (action, &target), &Circumstances::of(op)))
    }

    /// Whether whoever made something, by the actor's id that was recorded, may do all of this now, aside from a fresh
    /// passkey. Nothing is taken from memory: inside a write it holds for that write.
    pub(crate) async fn may_still(
        &self,
        conn: &mut Conn,
        maker: &str,
        questions: &[(Action, Resource)],
        now: DateTime<Utc>,
    ) -> Result<bool, Fault> {
        let who = (maker.parse().map(Who::Person)).or_else(|_| maker.parse().map(Who::Workload));
        let Ok(who) = who else { return operator_stands(conn, maker).await };
        let principal = load(who, maker, Some(now), conn).await?;
        let in_force = self.policies.now(conn).await?;
        let away = away(&principal, now);
        for (action, resource) in questions {
            let mut target = Target::thing(*resource);
            if in_force.asks_of(*action, resource) {
                target = target.with(Facts::load(conn, resource).await?);
            }
            if !self.would_under(&in_force, &principal, (*action, &target), &away) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether somebody who holds just this may do it, aside from a fresh passkey: for saying who else may.
    /// They are not here: what policies ask of the moment is this one, without an address or a passkey. The target is
    /// [`Target::as_asked`] of [`Gate::in_force_last`].
    pub(crate) fn would_as(
        &self,
        in_force: &InForce,
        principal: &Principal,
        action: Action,
        target: &Target,
        now: DateTime<Utc>,
    ) -> bool {
        self.would_under(in_force, principal, (action, target), &away(principal, now))
    }

    /// What people wrote and activated, as of `counter`.
    pub(crate) async fn in_force(&self, store: &Store, counter: Counter) -> Result<Arc<InForce>, Fault> {
        self.policies.at(store, counter).await
    }

    /// What people wrote and activated, as it was last read.
    pub(crate) fn in_force_last(&self) -> Arc<InForce> {
        self.policies.last()
    }

    /// The built-in policies and these, for explaining what they say.
    pub(crate) fn explainer<'a>(&'a self, in_force: &'a InForce) -> Explainer<'a> {
        Explainer::of(&self.rules, in_force)
    }

    /// Somebody and what they hold at this instant, as it is stored now.
    pub(crate) async fn principal_of(
        &self,
        conn: &mut Conn,
        who: Who,
        id: &str,
        now: DateTime<Utc>,
    ) -> Result<Principal, Fault> {
        load(who, id, Some(now), conn).await
    }

    /// Whether what the caller may do ends by itself: then no answer about it is to be remembered.
    pub(crate) async fn is_for_a_while(
        &self,
        op: &Op,
        store: &Store,
        counter: Counter,
    ) -> Result<bool, Fault> {
        Ok(self.principal(op, store, counter).await?.until.is_some())
    }

    /// Whether the caller holds a role of the organization.
    pub(crate) async fn is_privileged(
        &self,
        op: &Op,
        store: &Store,
        counter: Counter,
    ) -> Result<bool, Fault> {
        Ok(self.principal(op, store, counter).await?.is_privileged())
    }

    /// Where the caller may do this at all.
    pub(crate) async fn reach(
        &self,
        op: &Op,
        store: &Store,
        counter: Counter,
        action: Action,
    ) -> Result<Reach, Refused> {
        let principal = self.principal(op, store, counter).await?;
        let in_force = self.policies.at(store, counter).await?;
        Ok(self.rules.reach_with(&in_force, &principal, action, &Circumstances::of(op)))
    }

    /// Whether [`Gate::reach`] may have another answer later, or from elsewhere, though nothing was changed: then it is not
    /// to be remembered. As of the last answer.
    pub(crate) fn is_moody(&self, action: Action) -> bool {
        self.policies.last().is_moody(action)
    }
}

/// Somebody who is not here.
fn away(principal: &Principal, now: DateTime<Utc>) -> Circumstances {
    Circumstances::absent(now, SignInMethod::usual(&principal.who))
}

async fn target(
    store: &Store,
    in_force: &InForce,
    action: Action,
    resource: &Resource,
) -> Result<Target, Fault> {
    if !Target::must_be_loaded(action, resource) && !in_force.asks_of(action, resource) {
        return Ok(Target::thing(*resource));
    }
    let mut conn = store.read().await?;
    Target::as_asked(&mut conn, in_force, action, *resource).await
}

/// The shell does what it likes, and what its tokens did outlives their hour, but not their being revoked.
async fn operator_stands(conn: &mut Conn, maker: &str) -> Result<bool, Fault> {
    match maker.parse::<ServiceTokenId>() {
        Ok(token) => {
            let token = tokens::find(conn, token).await?;
            Ok(token.is_none_or(|row| row.revoked_at.is_none()))
        }
        Err(_) => Ok(maker == SHELL),
    }
}

/// Somebody with what counts of theirs: what stands, and, where `at` is given, what is held for a while then.
pub(crate) async fn load(
    who: Who,
    id: &str,
    at: Option<DateTime<Utc>>,
    conn: &mut Conn,
) -> Result<Principal, Fault> {
    let standing = authority::standing(conn, id).await?;
    let mut principal = Principal::bare(if standing.active { who } else { Who::Nobody });
    if !standing.active {
        return Ok(principal);
    }
    for team in standing.teams {
        principal.teams.push(team.parse().map_err(|cause| Fault::Damaged(format!("team_members: {cause}")))?);
    }
    for held in standing.roles {
        hold(&mut principal, "role_bindings", &held.role, held.project_id)?;
    }
    let Some(now) = at else { return Ok(principal) };
    for held in grants::held(conn, id, now).await? {
        // Nobody is an owner for a while, whatever a row says.
        if held.role == Role::Owner.as_str() {
            return Err(Fault::Damaged("access_grants: an owner for a while".into()));
        }
        if let Some(lent) = hold(&mut principal, "access_grants", &held.role, held.project_id)? {
            principal.lent.push(lent);
        }
        let ends_at = from_micros(held.ends_at);
        principal.until = Some(principal.until.map_or(ends_at, |until| until.min(ends_at)));
    }
    Ok(principal)
}

/// Says what is held that was not before; `None` stands for the organization.
fn hold(
    principal: &mut Principal,
    table: &'static str,
    role: &str,
    project: Option<String>,
) -> Result<Option<(Option<ProjectId>, Role)>, Fault> {
    let damaged = |cause: &dyn fmt::Display| Fault::Damaged(format!("{table}: {cause}"));
    let role: Role = role.parse().map_err(|cause| damaged(&cause))?;
    match (role.scope(), project) {
        (RoleScope::Organization, None) => {
            let is_new = !principal.organization.contains(&role);
            if is_new {
                principal.organization.push(role);
            }
            Ok(is_new.then_some((None, role)))
        }
        (RoleScope::Project, Some(project)) => {
            let held: (ProjectId, Role) = (project.parse().map_err(|cause| damaged(&cause))?, role);
            let is_new = !principal.projects.contains(&held);
            if is_new {
                principal.projects.push(held);
            }
            Ok(is_new.then_some((Some(held.0), role)))
        }
        _ => Err(damaged(&"a role stands in the wrong scope")),
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}
