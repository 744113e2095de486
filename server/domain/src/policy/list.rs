//! The policies that the caller may see.

use keywarden_model::{PolicyEffect, PolicyId, PolicyState};
use keywarden_store::policies as rows;

use super::Policy;
use crate::authz::{PolicyScope, Reach};
use crate::projects::folded;
use crate::{Action, Domain, Fault, Op, Refused};

/// What is looked for. Empty fields do not narrow.
#[derive(Debug, Clone, Default)]
pub struct PolicyQuery {
    /// Those that hold there; the organization's alone where that is named.
    pub scope: Option<PolicyScope>,
    /// Those with a version that is there in its life.
    pub state: Option<PolicyState>,
    /// A part of the name, in any spelling.
    pub search: Option<String>,
    /// Continue after this one.
    pub after: Option<PolicyId>,
    /// At most this many: 1 to 200.
    pub limit: u32,
}

/// A policy with what stands beside it in a list.
#[derive(Debug, Clone)]
pub struct ListedPolicy {
    /// The policy.
    pub policy: Policy,
    /// The version that decides, and what it does.
    pub active: Option<(i64, PolicyEffect)>,
    /// Where its newest version is in its life, and what it does.
    pub newest: (PolicyState, PolicyEffect),
}

/// A page of policies, oldest first, and where the next one begins.
#[derive(Debug)]
pub struct PolicyPage {
    /// The policies.
    pub policies: Vec<ListedPolicy>,
    /// Give it as [`PolicyQuery::after`] for the next page.
    pub next: Option<PolicyId>,
}

impl Domain {
    /// Whether there is a place of which the caller may see policies.
    pub async fn sees_policies(&self, op: &Op) -> Result<bool, Refused> {
        Ok(match self.reach(op, Action::ViewPolicy).await? {
            Reach::All => true,
            Reach::Part { projects, .. } => !projects.is_empty(),
        })
    }

    /// Policies that the caller may see.
    pub async fn policies(&self, op: &Op, query: &PolicyQuery) -> Result<PolicyPage, Refused> {
        let limit = query.limit.clamp(1, 200);
        let reach = self.reach(op, Action::ViewPolicy).await?;
        let within = match (reach, query.scope) {
            (Reach::All, None) => None,
            (Reach::All, Some(scope)) => Some(vec![word(scope)]),
            (Reach::Part { projects, .. }, None) => Some(projects.iter().map(ToString::to_string).collect()),
            (Reach::Part { .. }, Some(PolicyScope::Organization)) => Some(Vec::new()),
            (reach @ Reach::Part { .. }, Some(PolicyScope::Project(project))) => {
                Some(reach.covers(project).then(|| project.to_string()).into_iter().collect())
            }
        };
        let filter = rows::Filter {
            within,
            state: query.state,
            containing: query.search.as_deref().and_then(folded),
            after: query.after,
        };
        let mut conn = self.store().read().await?;
        let mut found = rows::list(&mut conn, &filter, limit.saturating_add(1)).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let ids: Vec<_> = found.iter().map(|row| row.id).collect();
        let heads = rows::heads(&mut conn, &ids).await?;
        drop(conn);
        let policies = found.into_iter().map(|row| listed(row, &heads)).collect::<Result<Vec<_>, _>>()?;
        let next = policies.last().map(|it| it.policy.id).filter(|_| more);
        Ok(PolicyPage { policies, next })
    }
}

fn listed(row: rows::Policy, heads: &[rows::Head]) -> Result<ListedPolicy, Fault> {
    let damaged = |what: &str| Fault::Damaged(format!("policy_versions of {}: {what}", row.id));
    let mut active = None;
    let mut newest = None;
    for head in heads.iter().filter(|head| head.policy_id == row.id) {
        let state: PolicyState = head.state.parse().map_err(|_| damaged("state"))?;
        let effect: PolicyEffect = head.effect.parse().map_err(|_| damaged("effect"))?;
        if state == PolicyState::Active {
            active = Some((head.number, effect));
        }
        if head.number == row.numbered {
            newest = Some((state, effect));
        }
    }
    let newest = newest.ok_or_else(|| damaged("the newest is gone"))?;
    Ok(ListedPolicy { policy: row.try_into()?, active, newest })
}

fn word(scope: PolicyScope) -> String {
    match scope {
        PolicyScope::Organization => rows::ORGANIZATION.to_owned(),
        PolicyScope::Project(project) => project.to_string(),
    }
}
